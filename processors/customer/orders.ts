import { placeOfSum } from '../core/brand-amounts.ts';
import type { Instant } from '../core/processor.ts';
import type { SkipReason } from '../core/reasons.ts';
import type { Fingerprint } from '../core/fingerprint.ts';
import { placeOf } from './measures.ts';
import {
  findOrder,
  rememberOrder,
  REMEMBERED_MARKS,
  REMEMBERED_ORDERS,
  type OrderBook,
  type RememberedOrder,
} from './order-book.ts';
import type { Postings } from './postings.ts';
import { addRefund, giveBack, keepForLater, takePending } from './refunds.ts';

/**
 * What orders do to the measures. Orders, cancellations and refunds of one order may come in any order and end the same:
 * a cancelled order leaves orders, revenue and order statistics altogether, with the refunds that had lessened revenue.
 */

const ORDERS = placeOf('orders');
const REVENUE = placeOf('revenue');
const REFUNDS = placeOf('refunds');
const GUEST_ORDERS = placeOfSum('guestOrders');
const OTHER_CURRENCY_ORDERS = placeOfSum('otherCurrencyOrders');

type PlacedOrder = Pick<RememberedOrder, 'id' | 'at' | 'amountMinor' | 'guest'>;

/** What an order adds: to the measures of the profile, and to what only the brand counts (places in BRAND_SUMS). */
export interface OrderPostings {
  readonly postings: Postings;
  readonly extras: Postings;
}

/** `amountMinor` null: another currency than the brand's. Answers why the order changes nothing, else null. */
export function placeOrder(
  book: OrderBook,
  placed: PlacedOrder,
  { postings, extras }: OrderPostings,
): SkipReason | null {
  const { id, at, amountMinor } = placed;
  if (findOrder(book, id) !== undefined) return 'duplicate_order';
  const mark = book.marks.indexOf(id);
  if (mark >= 0) {
    book.marks.splice(mark, 1);
    rememberOrder(book, { ...placed, cancelled: true, refunds: [] });
    return null;
  }
  postings.add(ORDERS, at, 1);
  countAside(placed, 1, extras);
  if (amountMinor !== null) postings.add(REVENUE, at, amountMinor);
  const order: RememberedOrder = { ...placed, cancelled: false, refunds: [] };
  for (const refund of takePending(book, id)) addRefund(order, refund);
  rememberOrder(book, order);
  return null;
}

/** An order that is not remembered leaves a mark while it may still come; later it is unknown. */
export function cancelOrder(book: OrderBook, id: Fingerprint, { postings, extras }: OrderPostings): SkipReason | null {
  const order = findOrder(book, id);
  if (order !== undefined) {
    if (order.cancelled) return null;
    takeOut(order, { postings, extras });
    giveBack(order.refunds, postings);
    order.cancelled = true;
    order.refunds = [];
    return null;
  }
  if (book.marks.includes(id)) return null;
  if (book.orders.length >= REMEMBERED_ORDERS) return 'unknown_order';
  book.marks.push(id);
  if (book.marks.length > REMEMBERED_MARKS) book.marks.shift();
  giveBack(takePending(book, id), postings);
  return null;
}

/** An order that counted counts no more, its refunds aside. */
export function takeOut(order: RememberedOrder, { postings, extras }: OrderPostings): void {
  postings.add(ORDERS, order.at, -1);
  countAside(order, -1, extras);
  if (order.amountMinor !== null) postings.add(REVENUE, order.at, -order.amountMinor);
}

/** Counts always; lessens revenue unless the order is cancelled. `amountMinor` null: another currency than the brand's. */
export function refundOrder(
  book: OrderBook,
  id: Fingerprint,
  at: Instant,
  amountMinor: number | null,
  postings: Postings,
): void {
  postings.add(REFUNDS, at, 1);
  const order = findOrder(book, id);
  if (amountMinor === null || order?.cancelled === true || book.marks.includes(id)) return;
  postings.add(REVENUE, at, -amountMinor);
  if (order !== undefined) {
    addRefund(order, { at, amountMinor });
    return;
  }
  keepForLater(book, { order: id, at, amountMinor });
}

function countAside({ at, amountMinor, guest }: Omit<PlacedOrder, 'id'>, by: 1 | -1, extras: Postings): void {
  if (guest) extras.add(GUEST_ORDERS, at, by);
  if (amountMinor === null) extras.add(OTHER_CURRENCY_ORDERS, at, by);
}
