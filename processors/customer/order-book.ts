import { utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import type { Fingerprint } from '../core/fingerprint.ts';
import { isSettledDay, settleOrder, type SettledOrders } from './settled-orders.ts';

/** How many orders a customer remembers: the newest by time. Only these can be cancelled or told from a repeat. */
export const REMEMBERED_ORDERS = 64;
/** How many cancellations, and refunds, of orders still to come are kept. */
export const REMEMBERED_MARKS = 16;
/** Refunds remembered one by one for each order; further ones are added to the last. */
export const REFUNDS_PER_ORDER = 8;

export interface Refund {
  at: Instant;
  /** In the brand's currency. */
  amountMinor: number;
}

export interface RememberedOrder {
  readonly id: Fingerprint;
  readonly at: Instant;
  /** null: in another currency, which counts as an order but not as revenue. */
  readonly amountMinor: number | null;
  /** Placed without an account. */
  readonly guest: boolean;
  cancelled: boolean;
  /** Those that lessened revenue: a cancelled order takes them out with itself. */
  refunds: Refund[];
}

export interface PendingRefund extends Refund {
  readonly order: Fingerprint;
}

export interface OrderBook {
  /** By time, then id. */
  orders: RememberedOrder[];
  /** Orders cancelled before they came, oldest first. */
  marks: Fingerprint[];
  /** Refunds of orders still to come, oldest first. */
  refunds: PendingRefund[];
  settled: SettledOrders;
}

/** What the customer's orders come to. */
export interface OrderFacts {
  /** Distinct UTC days with an order; 0: no order. */
  readonly days: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  /** The newest purchase or refund in the brand's currency; −1: none. */
  readonly revenueAt: Instant;
}

export const NO_ORDERS: OrderFacts = { days: 0, firstAt: -1, lastAt: -1, revenueAt: -1 };

export function newOrderBook(): OrderBook {
  return {
    orders: [],
    marks: [],
    refunds: [],
    settled: { days: [], olderDays: 0, firstAt: -1, lastAt: -1, revenueAt: -1 },
  };
}

export function findOrder(book: OrderBook, id: Fingerprint): RememberedOrder | undefined {
  return book.orders.find((order) => order.id === id);
}

/** Inserts by time; the oldest beyond 64 is settled, even if it is this one. */
export function rememberOrder(book: OrderBook, order: RememberedOrder): void {
  const { orders } = book;
  let place = orders.length;
  for (; place > 0; place--) {
    const before = orders[place - 1];
    if (before === undefined || before.at < order.at || (before.at === order.at && before.id < order.id)) break;
  }
  orders.splice(place, 0, order);
  if (orders.length <= REMEMBERED_ORDERS) return;
  const oldest = orders.shift();
  if (oldest !== undefined && !oldest.cancelled) settleOrder(book.settled, oldest);
}

/** Distinct days, first, last: commutative, so that late, repeated and cancelled orders end in the same facts. */
export function factsOf(book: OrderBook): OrderFacts {
  const { settled, orders } = book;
  let { firstAt, lastAt, revenueAt } = settled;
  let days = settled.days.length + settled.olderDays;
  let lastDay = -1;
  for (const order of orders) {
    if (order.cancelled) continue;
    if (firstAt < 0 || order.at < firstAt) firstAt = order.at;
    if (order.at > lastAt) lastAt = order.at;
    if (order.amountMinor !== null) revenueAt = Math.max(revenueAt, order.at);
    for (const refund of order.refunds) revenueAt = Math.max(revenueAt, refund.at);
    const day = utcDay(order.at);
    if (day === lastDay) continue;
    lastDay = day;
    if (!isSettledDay(settled, day)) days += 1;
  }
  for (const refund of book.refunds) revenueAt = Math.max(revenueAt, refund.at);
  return { days, firstAt, lastAt, revenueAt };
}
