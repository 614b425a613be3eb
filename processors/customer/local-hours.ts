import { HOUR_MS, MINUTE_MS } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';

/** Clocks differ from UTC by whole quarters of an hour, everywhere since 1972: within one, the hour stays the same. */
const QUARTER_MS = 15 * MINUTE_MS;
const QUARTERS_MAX = 4_096;

/** The hour of the day, 0 to 23, by the clock of a time zone (IANA name). */
export function localHours(timeZone: string): (at: Instant) => number {
  if (timeZone === 'UTC') return (at) => Math.floor(at / HOUR_MS) % 24;
  const format = new Intl.DateTimeFormat('en', { timeZone, hour: 'numeric', hourCycle: 'h23' });
  // Asking the time zone takes a hundred times as long as looking here.
  const known = new Map<number, number>();
  return (at) => {
    const quarter = Math.floor(at / QUARTER_MS);
    let hour = known.get(quarter);
    if (hour === undefined) {
      hour = Number(format.format(quarter * QUARTER_MS));
      if (known.size >= QUARTERS_MAX) known.clear();
      known.set(quarter, hour);
    }
    return hour;
  };
}
