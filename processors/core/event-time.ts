import type { Instant } from './processor.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Days that the longest ring holds beside the current one. */
const HORIZON_DAYS = 365;

/**
 * The time under which an event is kept: its own, but never later than the record's (clocks run up to 5 minutes ahead of
 * ours) and never before 1970, which nothing packed can hold.
 */
export function tileTime(occurredAt: Instant, now: Instant): Instant {
  return Math.max(0, Math.min(occurredAt, now));
}

/** The UTC day, counted from 1970. */
export function utcDay(at: Instant): number {
  return Math.floor(at / DAY_MS);
}

/** The hour, counted from 1970. */
export function utcHour(at: Instant): number {
  return Math.floor(at / HOUR_MS);
}

/** Whether an event is older than the day ring: no window can hold it any more. */
export function isBeyondHorizon(at: Instant, now: Instant): boolean {
  return utcDay(at) < utcDay(now) - HORIZON_DAYS;
}
