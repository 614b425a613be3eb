import type { Fingerprint } from '../core/fingerprint.ts';
import { placeOf } from './measures.ts';
import {
  REFUNDS_PER_ORDER,
  REMEMBERED_MARKS,
  REMEMBERED_ORDERS,
  type OrderBook,
  type PendingRefund,
  type Refund,
  type RememberedOrder,
} from './order-book.ts';
import type { Postings } from './postings.ts';
import { settleRevenue } from './settled-orders.ts';

const REVENUE = placeOf('revenue');

/** A refund of an order that is not remembered, in case it is still to come. */
export function keepForLater(book: OrderBook, refund: PendingRefund): void {
  if (book.orders.length >= REMEMBERED_ORDERS) {
    settleRevenue(book.settled, refund.at);
    return;
  }
  book.refunds.push(refund);
  const forgotten = book.refunds.length > REMEMBERED_MARKS ? book.refunds.shift() : undefined;
  if (forgotten !== undefined) settleRevenue(book.settled, forgotten.at);
}

/** One more of a remembered order. */
export function addRefund(order: RememberedOrder, refund: Refund): void {
  const last = order.refunds.at(-1);
  if (last === undefined || order.refunds.length < REFUNDS_PER_ORDER) {
    order.refunds.push({ at: refund.at, amountMinor: refund.amountMinor });
    return;
  }
  last.amountMinor += refund.amountMinor;
  last.at = Math.max(last.at, refund.at);
}

/** Those that waited for the order, which wait no more. */
export function takePending(book: OrderBook, id: Fingerprint): Refund[] {
  const taken = book.refunds.filter((refund) => refund.order === id);
  if (taken.length > 0) book.refunds = book.refunds.filter((refund) => refund.order !== id);
  return taken;
}

/** They lessen revenue no more. */
export function giveBack(refunds: readonly Refund[], postings: Postings): void {
  for (const refund of refunds) postings.add(REVENUE, refund.at, refund.amountMinor);
}
