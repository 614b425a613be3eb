import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import {
  addToTiles,
  clearTiles,
  newTiles,
  readTiles,
  unroll,
  Unrolled,
  writeTiles,
  type Tiles,
} from '../core/tiles.ts';
import { firstSlot, oldestSlot, RINGS, type Span } from '../core/window.ts';
import { WINDOWS } from './features.ts';
import { SPANS } from './windows.ts';

/** Everything kept of one measure of one customer. Reused from customer to customer (open-state.ts). */
export interface Tally {
  /** False: the customer never had one. */
  present: boolean;
  /** The fields below `due` are unpacked. */
  opened: boolean;
  changed: boolean;
  /** When the first watched window or age of this measure flips by itself. */
  due: Instant;
  /** Sum since ever. */
  lifetime: number;
  /** The newest event; the newest tile of each ring is the one it lies in. */
  lastAt: Instant;
  readonly rings: readonly [Tiles, Tiles, Tiles];
  /** Where the packed form begins and ends in the customer's bytes. */
  start: number;
  end: number;
}

/** Keeps sums exact and packable: reached by no honest amounts. */
const SUM_MAX = 2 ** 51;

const ALL_SPANS = WINDOWS.map((window) => SPANS[window]);

const tilesOfWindow = new Unrolled();

export function newTally(): Tally {
  return {
    present: false,
    opened: false,
    changed: false,
    due: NEVER,
    lifetime: 0,
    lastAt: 0,
    rings: [newTiles(RINGS[0]), newTiles(RINGS[1]), newTiles(RINGS[2])],
    start: 0,
    end: 0,
  };
}

/** Adds `amount` under the time `at` ≤ `now`: to the sum since ever and to every ring that still reaches back to it. */
export function postToTally(tally: Tally, at: Instant, amount: number, now: Instant): void {
  tally.changed = true;
  if (!tally.present) {
    tally.present = true;
    tally.opened = true;
    tally.due = NEVER;
    tally.lifetime = 0;
    tally.lastAt = at;
    for (const tiles of tally.rings) clearTiles(tiles);
  }
  tally.lifetime = bounded(tally.lifetime + amount);
  if (at > tally.lastAt) tally.lastAt = at;
  for (const tiles of tally.rings) {
    addToTiles(tiles, at, amount, now);
    tiles.head = bounded(tiles.head);
  }
}

/** The sum over a window at `now`; over the whole life for null. */
export function windowSum(tally: Tally, span: Span | null, now: Instant): number {
  if (!tally.present) return 0;
  if (span === null) return tally.lifetime;
  unroll(tally.rings[span.ring], firstSlot(span, now), tilesOfWindow);
  let sum = 0;
  for (let index = 0; index < tilesOfWindow.length; index++) sum += tilesOfWindow.value(index);
  return sum;
}

/** The sums over every window, shortest first, and since ever, into seven places of `sums` from `at` on. */
export function windowSums(tally: Tally, now: Instant, sums: Float64Array, at: number): void {
  sums.fill(0, at, at + ALL_SPANS.length);
  if (!tally.present) return;
  let ring = -1;
  let count = 0;
  let sum = 0;
  for (let index = 0; index < ALL_SPANS.length; index++) {
    const span = ALL_SPANS[index] ?? null;
    if (span === null) {
      sums[at + index] = tally.lifetime;
      continue;
    }
    if (span.ring !== ring) {
      ring = span.ring;
      count = 0;
      sum = 0;
      unroll(tally.rings[span.ring], oldestSlot(RINGS[span.ring], now), tilesOfWindow);
    }
    const from = firstSlot(span, now);
    while (count < tilesOfWindow.length && tilesOfWindow.slot(count) >= from) sum += tilesOfWindow.value(count++);
    sums[at + index] = sum;
  }
}

/** Reads only what every event needs of every measure: where it ends and its deadline. */
export function locateTally(tally: Tally, reader: ByteReader, body: Buffer): void {
  const length = reader.uint();
  tally.start = reader.position;
  tally.end = tally.start + length;
  const due = reader.uint();
  tally.due = due === 0 ? NEVER : due;
  tally.present = true;
  tally.opened = false;
  tally.changed = false;
  reader.reset(body, tally.end);
}

export function openTally(tally: Tally, reader: ByteReader, body: Buffer): void {
  if (tally.opened || !tally.present) return;
  tally.opened = true;
  reader.reset(body, tally.start);
  reader.uint();
  tally.lifetime = reader.int();
  tally.lastAt = reader.uint();
  for (const tiles of tally.rings) readTiles(tiles, tally.lastAt, body, reader);
}

/** The packed form; one that did not change is copied as it is. `scratch` is overwritten. */
export function writeTally(tally: Tally, body: Buffer, writer: ByteWriter, scratch: ByteWriter): void {
  if (!tally.changed) {
    writer.uint(tally.end - tally.start);
    writer.raw(body, tally.start, tally.end);
    return;
  }
  scratch.reset();
  scratch.uint(tally.due === NEVER ? 0 : tally.due);
  scratch.int(tally.lifetime);
  scratch.uint(tally.lastAt);
  for (const tiles of tally.rings) writeTiles(tiles, scratch);
  writer.section(scratch);
}

function bounded(sum: number): number {
  return Math.max(-SUM_MAX, Math.min(SUM_MAX, sum));
}
