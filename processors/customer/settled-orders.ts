import { utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import type { RememberedOrder } from './order-book.ts';

/** Distinct UTC days of orders that are no longer remembered; of older ones only the number is kept. */
export const SETTLED_DAYS = 1024;
/** What is kept of orders that are no longer remembered and so can never be cancelled. */
export interface SettledOrders {
  /** Distinct UTC days, ascending. */
  days: number[];
  /** How many further days, all older than these. */
  olderDays: number;
  /** −1: none. */
  firstAt: Instant;
  lastAt: Instant;
  /** The newest purchase or refund in the brand's currency; −1: none. */
  revenueAt: Instant;
}

/** Something of an order that is not remembered counted as revenue, or against it. */
export function settleRevenue(settled: SettledOrders, at: Instant): void {
  settled.revenueAt = Math.max(settled.revenueAt, at);
}

/** Takes in what is kept of another book's orders that are no longer remembered. Days known by number alone are added up. */
export function mergeSettled(settled: SettledOrders, from: SettledOrders): void {
  for (const day of from.days) addDay(settled, day);
  settled.olderDays += from.olderDays;
  if (from.firstAt >= 0) {
    settled.firstAt = settled.firstAt < 0 ? from.firstAt : Math.min(settled.firstAt, from.firstAt);
  }
  settled.lastAt = Math.max(settled.lastAt, from.lastAt);
  settleRevenue(settled, from.revenueAt);
}

/** An order leaves memory: from now on it can be neither cancelled nor told from a repeat. */
export function settleOrder(settled: SettledOrders, order: RememberedOrder): void {
  settled.firstAt = settled.firstAt < 0 ? order.at : Math.min(settled.firstAt, order.at);
  settled.lastAt = Math.max(settled.lastAt, order.at);
  if (order.amountMinor !== null) settleRevenue(settled, order.at);
  for (const refund of order.refunds) settleRevenue(settled, refund.at);
  addDay(settled, utcDay(order.at));
}

function addDay(settled: SettledOrders, day: number): void {
  const { days } = settled;
  const place = firstNotBefore(days, day);
  if (days[place] === day) return;
  // Older than every day kept by itself, while some are only counted: it may be one of those.
  if (place === 0 && settled.olderDays > 0) return;
  days.splice(place, 0, day);
  if (days.length <= SETTLED_DAYS) return;
  days.shift();
  settled.olderDays += 1;
}

export function isSettledDay({ days }: SettledOrders, day: number): boolean {
  return days[firstNotBefore(days, day)] === day;
}

function firstNotBefore(days: readonly number[], day: number): number {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((days[middle] ?? 0) < day) low = middle + 1;
    else high = middle;
  }
  return low;
}
