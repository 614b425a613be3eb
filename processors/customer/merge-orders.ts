import { placeOf } from './measures.ts';
import { findOrder, rememberOrder, type OrderBook, type RememberedOrder } from './order-book.ts';
import { cancelOrder, takeOut, type OrderPostings } from './orders.ts';
import { addRefund, giveBack, keepForLater, takePending } from './refunds.ts';
import { mergeSettled } from './settled-orders.ts';

const INTERACTIONS = placeOf('interactions');

/**
 * Takes the order book of one person's other identifier in, whose measures are added already: what is left to post is that an
 * order which is in both counts once, that a cancellation kept in one finds its order in the other, and that refunds find
 * theirs. As if all of it had come under one identifier. `post` adds what is in `into` and clears it.
 */
export function mergeOrderBooks(book: OrderBook, from: OrderBook, into: OrderPostings, post: () => void): void {
  mergeSettled(book.settled, from.settled);
  // Before the orders: these may push out of memory what is cancelled or refunded here.
  for (const mark of from.marks) {
    cancelOrder(book, mark, into);
    post();
  }
  for (const refund of from.refunds) {
    const order = findOrder(book, refund.order);
    if (order?.cancelled === true || book.marks.includes(refund.order)) giveBack([refund], into.postings);
    else if (order !== undefined) addRefund(order, refund);
    else keepForLater(book, { ...refund });
    post();
  }
  for (const order of from.orders) {
    takeOrder(book, order, into);
    post();
  }
}

function takeOrder(book: OrderBook, order: RememberedOrder, into: OrderPostings): void {
  const known = findOrder(book, order.id);
  if (known === undefined) {
    rememberOrder(book, joined(book, order, into));
    return;
  }
  book.orders.splice(book.orders.indexOf(known), 1);
  rememberOrder(book, countedOnce(known, order, into));
}

/** An order that is new to the book, with what waited there for it. */
function joined(book: OrderBook, order: RememberedOrder, into: OrderPostings): RememberedOrder {
  const taken = { ...order, refunds: [...order.refunds] };
  const mark = book.marks.indexOf(order.id);
  if (mark >= 0) {
    book.marks.splice(mark, 1);
    if (!taken.cancelled) takeOut(taken, into);
    giveBack(taken.refunds, into.postings);
    return { ...taken, cancelled: true, refunds: [] };
  }
  const pending = takePending(book, order.id);
  if (taken.cancelled) giveBack(pending, into.postings);
  else for (const refund of pending) addRefund(taken, refund);
  return taken;
}

/** An order that both books counted: the earlier one stays, cancelled if either was. */
function countedOnce(one: RememberedOrder, other: RememberedOrder, into: OrderPostings): RememberedOrder {
  const [kept, repeat] = isEarlier(one, other) ? [one, other] : [other, one];
  into.postings.add(INTERACTIONS, repeat.at, -1);
  if (!repeat.cancelled) takeOut(repeat, into);
  const result: RememberedOrder = { ...kept, cancelled: kept.cancelled || repeat.cancelled, refunds: [] };
  if (!result.cancelled) {
    for (const refund of [...kept.refunds, ...repeat.refunds]) addRefund(result, refund);
    return result;
  }
  if (!kept.cancelled) takeOut(kept, into);
  // One that was cancelled has given its refunds back.
  giveBack(kept.refunds, into.postings);
  giveBack(repeat.refunds, into.postings);
  return result;
}

/** By time, then amount: whatever the order in which they are taken in. */
function isEarlier(one: RememberedOrder, other: RememberedOrder): boolean {
  if (one.at !== other.at) return one.at < other.at;
  return (one.amountMinor ?? Infinity) <= (other.amountMinor ?? Infinity);
}
