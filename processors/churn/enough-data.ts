import { DAY_MS } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import type { OrderHistory } from './order-history.ts';

/** Below these a model is not worth its numbers: what vendors of such scores ask for, too. */
export const CUSTOMERS_MIN = 500;
export const SPAN_DAYS_MIN = 180;

/** Why the orders up to `now` are too few to fit a model, or null. */
export function tooLittle(histories: readonly OrderHistory[], now: Instant): string | null {
  const customers = histories.filter(([first]) => first !== undefined && first <= now).length;
  if (customers < CUSTOMERS_MIN) return `${customers} customers ordered, at least ${CUSTOMERS_MIN} are needed`;
  const days = Math.floor((now - firstOrderAt(histories)) / DAY_MS);
  if (days < SPAN_DAYS_MIN) return `the orders span ${days} days, at least ${SPAN_DAYS_MIN} are needed`;
  return null;
}

/** Infinity without any order. */
export function firstOrderAt(histories: readonly OrderHistory[]): Instant {
  return histories.reduce((first, history) => Math.min(first, history[0] ?? Infinity), Infinity);
}
