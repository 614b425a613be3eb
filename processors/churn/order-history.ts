import { DAY_MS, utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';

/** When one customer ordered, ascending; several on one UTC day count as one. Never empty. */
export type OrderHistory = readonly Instant[];

/** What the models know of customers: x repeat order days, t_x weeks from the first to the last order, T weeks of age. */
export interface OrderStatistic {
  readonly x: number;
  readonly tx: number;
  readonly T: number;
}

export const WEEK_MS = 7 * DAY_MS;

/** What is known of a customer at `now`; null before the first order. */
export function statisticAt(history: OrderHistory, now: Instant): OrderStatistic | null {
  const first = history[0];
  if (first === undefined || first > now) return null;
  const x = orderDays(history, -Infinity, now) - 1;
  const last = history.findLast((at) => at <= now) ?? first;
  return { x, tx: x === 0 ? 0 : (last - first) / WEEK_MS, T: (now - first) / WEEK_MS };
}

/** Distinct UTC days with an order later than `after` and not later than `until`. */
export function orderDays(history: OrderHistory, after: Instant, until: Instant): number {
  let days = 0;
  let newest = -1;
  for (const at of history) {
    if (at <= after || at > until) continue;
    const day = utcDay(at);
    if (day !== newest) days += 1;
    newest = day;
  }
  return days;
}

/** A statistic with the number of customers who have it. */
export interface CountedStatistic extends OrderStatistic {
  readonly customers: number;
}

/**
 * Equal statistics become one: what a day's customers do in their first weeks is much the same. Sorted, so that the same
 * customers in another order give the same sums to the last digit.
 */
export function countStatistics(statistics: Iterable<OrderStatistic>): CountedStatistic[] {
  const counted = new Map<string, { x: number; tx: number; T: number; customers: number }>();
  for (const { x, tx, T } of statistics) {
    const key = `${x} ${tx} ${T}`;
    const same = counted.get(key);
    if (same === undefined) counted.set(key, { x, tx, T, customers: 1 });
    else same.customers += 1;
  }
  return [...counted.values()].sort((one, other) => one.x - other.x || one.tx - other.tx || one.T - other.T);
}
