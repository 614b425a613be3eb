import type { Instant } from '../core/processor.ts';
import type { Random } from './random.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;

/** Asia/Tokyo, which knows no summer time. */
const TOKYO_MS = 9 * HOUR_MS;
/** The epoch was a Thursday in Tokyo too. */
const EPOCH_WEEKDAY = 4;

/** How busy each hour is: night, breakfast, lunch break, the way home, the late evening. */
const HOUR_WEIGHTS = [5, 2, 1, 1, 1, 2, 6, 12, 14, 11, 11, 13, 20, 16, 12, 12, 13, 15, 19, 23, 28, 32, 27, 14];
/** How likely a plan for each weekday, Sunday first, is kept rather than put off to the weekend. */
const KEPT_ON_WEEKDAY = [1, 0.84, 0.8, 0.84, 0.86, 0.9, 1];
const SATURDAY = 6;

/** For each of 1,000 equal slices of probability the hour it falls into. */
const HOUR_OF_SLICE = sliceHours();

function sliceHours(): number[] {
  const total = HOUR_WEIGHTS.reduce((sum, weight) => sum + weight, 0);
  const hours: number[] = [];
  let seen = 0;
  HOUR_WEIGHTS.forEach((weight, hour) => {
    seen += weight;
    while (hours.length < Math.round((seen / total) * 1000)) hours.push(hour);
  });
  return hours;
}

/** The first millisecond of the day in Tokyo that `at` lies in. */
export function tokyoMidnight(at: Instant): Instant {
  return Math.floor((at + TOKYO_MS) / DAY_MS) * DAY_MS - TOKYO_MS;
}

/** 0 for Sunday to 6 for Saturday, in Tokyo. */
export function tokyoWeekday(at: Instant): number {
  return (Math.floor((at + TOKYO_MS) / DAY_MS) + EPOCH_WEEKDAY) % 7;
}

/** Near `planned` and after `notBefore`, at an hour and on a weekday when people in Tokyo have time to shop. */
export function atAGoodTime(planned: Instant, notBefore: Instant, random: Random): Instant {
  let midnight = tokyoMidnight(planned);
  const weekday = tokyoWeekday(planned);
  if (!random.chance(KEPT_ON_WEEKDAY[weekday] ?? 1)) midnight += (SATURDAY - weekday + random.below(2)) * DAY_MS;
  const at = midnight + ((HOUR_OF_SLICE[random.below(1000)] ?? 0) + random.next()) * HOUR_MS;
  return Math.floor(at > notBefore ? at : at + Math.ceil((notBefore - at + 1) / DAY_MS) * DAY_MS);
}
