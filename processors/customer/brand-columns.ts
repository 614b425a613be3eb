import { BRAND_WINDOWS } from '../core/brand-amounts.ts';
import {
  bandOf,
  DAY_HOURS,
  dayTile,
  hourOf,
  HOURS,
  MONTH_DAYS,
  OF_DAY,
  OF_MONTH,
  OF_QUARTER,
  OF_WEEK,
  OF_YEAR,
  QUARTER_DAYS,
  SHORTEST_HOURS,
  TILES,
} from './brand-tiles.ts';

/** One sum of a document by time (brand-tiles.ts). Whatever is added lies in one tile; an hour that grows too old is put into its day. */
export interface Column {
  /** Hours by their number modulo 169, then days by theirs modulo 366, then bands by window. */
  readonly cells: Float64Array;
  /** By tile: 1 when no block holds yet what stands there. */
  readonly changed: Uint8Array;
}

export function newColumn(): Column {
  return { cells: new Float64Array(TILES + BRAND_WINDOWS.length), changed: new Uint8Array(TILES) };
}

/** Puts a value into a tile, when it is the hour `now`. */
export function setTile({ cells }: Column, tile: number, value: number, now: number): void {
  const band = bandOf(hourOf(tile, now), now);
  cells[band] = (cells[band] ?? 0) + value - (cells[tile] ?? 0);
  cells[tile] = value;
}

/** The sums over the windows, shortest first. */
export function sumsOf({ cells }: Column, into: Float64Array): void {
  let sum = 0;
  for (let window = 0; window < into.length; window++) {
    sum += cells[TILES + window] ?? 0;
    into[window] = sum;
  }
}

/** Every tile with something in it, in order. */
export function* tilesOf({ cells }: Column): Generator<number> {
  for (let tile = 0; tile < TILES; tile++) if (cells[tile] !== 0) yield tile;
}

/**
 * Lets the hour `hour` begin, the one before it being the last that began. Answers whether a sum of a window is another one.
 * `wasChanged` hears of days that took in an hour which no block holds yet.
 */
export function passHour(column: Column, hour: number, wasChanged: (tile: number) => void): boolean {
  const { cells, changed } = column;
  let isOther = move(cells, (hour - SHORTEST_HOURS - 1 + HOURS) % HOURS, OF_DAY, OF_WEEK);
  const oldest = hour % HOURS;
  const value = cells[oldest] ?? 0;
  if (value !== 0 || changed[oldest] === 1) {
    const tile = dayTile(Math.floor((hour - HOURS) / DAY_HOURS));
    if (move(cells, oldest, OF_WEEK, OF_MONTH)) isOther = true;
    cells[tile] = (cells[tile] ?? 0) + value;
    cells[oldest] = 0;
    if (changed[oldest] === 1) wasChanged(tile);
  }
  if (hour % DAY_HOURS !== 0) return isOther;
  const day = hour / DAY_HOURS;
  if (move(cells, dayTile(day - MONTH_DAYS - 1), OF_MONTH, OF_QUARTER)) isOther = true;
  if (move(cells, dayTile(day - QUARTER_DAYS - 1), OF_QUARTER, OF_YEAR)) isOther = true;
  const gone = dayTile(day);
  const left = cells[gone] ?? 0;
  if (left === 0) return isOther;
  cells[OF_YEAR] = (cells[OF_YEAR] ?? 0) - left;
  cells[gone] = 0;
  return true;
}

function move(cells: Float64Array, tile: number, from: number, to: number): boolean {
  const value = cells[tile] ?? 0;
  if (value === 0) return false;
  cells[from] = (cells[from] ?? 0) - value;
  cells[to] = (cells[to] ?? 0) + value;
  return true;
}
