import { RINGS } from '../core/window.ts';

/**
 * Where a sum of the brand's documents stands: in one of the newest 169 hours, of which the windows of 24 hours and 7 days are
 * made, or in one of 366 days before them, of which the longer ones are. Windows lie one in the other, so that of each there
 * is kept only what the next shorter one does not hold: its band.
 */
export const HOURS = RINGS[1].tiles;
export const DAYS = RINGS[2].tiles;
export const DAY_HOURS = 24;
export const TILES = HOURS + DAYS;
/** Hours that the shortest window holds beside the current one, and days that the middle ones do. */
export const SHORTEST_HOURS = 24;
export const MONTH_DAYS = 30;
export const QUARTER_DAYS = 90;
export const [OF_DAY, OF_WEEK, OF_MONTH, OF_QUARTER, OF_YEAR] = [TILES, TILES + 1, TILES + 2, TILES + 3, TILES + 4];

/** No window holds it. */
export const GONE = -1;

/** Where what happened in `hour` stands when it is the hour `now`; GONE when it is over. */
export function tileOf(hour: number, now: number): number {
  if (now - hour < HOURS) return hour % HOURS;
  const day = Math.floor(hour / DAY_HOURS);
  return Math.floor(now / DAY_HOURS) - day < DAYS ? dayTile(day) : GONE;
}

/** Which cell holds the band that `hour` is in when it is the hour `now`. */
export function bandOf(hour: number, now: number): number {
  const hours = now - hour;
  if (hours < HOURS) return hours <= SHORTEST_HOURS ? OF_DAY : OF_WEEK;
  const days = Math.floor(now / DAY_HOURS) - Math.floor(hour / DAY_HOURS);
  return days <= MONTH_DAYS ? OF_MONTH : days <= QUARTER_DAYS ? OF_QUARTER : OF_YEAR;
}

/** The hour that a tile is of when it is the hour `now`; of a day the first one. */
export function hourOf(tile: number, now: number): number {
  if (tile < HOURS) return now - ((((now - tile) % HOURS) + HOURS) % HOURS);
  const today = Math.floor(now / DAY_HOURS);
  return (today - ((((today - (tile - HOURS)) % DAYS) + DAYS) % DAYS)) * DAY_HOURS;
}

/** Days by their number modulo 366, behind the hours. */
export function dayTile(day: number): number {
  return HOURS + ((day + DAYS) % DAYS);
}
