import fc from 'fast-check';
import { expect, test } from 'vitest';
import { statisticAt } from '../../processors/churn/order-history.ts';
import { factsOf, newOrderBook, rememberOrder, type OrderBook } from '../../processors/customer/order-book.ts';
import { SETTLED_DAYS } from '../../processors/customer/settled-orders.ts';
import { orderTimes } from '../../processors/customer/order-times.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const START = Date.parse('2020-01-01T00:00:00Z');

function bookOf(orders: readonly { readonly at: number; readonly cancelled?: boolean }[]): OrderBook {
  const book = newOrderBook();
  for (const [id, { at, cancelled = false }] of orders.entries()) {
    rememberOrder(book, { id, at, amountMinor: 1, guest: false, cancelled, refunds: [] });
  }
  return book;
}

/** A model's statistics of the times are those that the processor itself keeps. */
function expectSameFacts(book: OrderBook, now: number): void {
  const { days, firstAt, lastAt } = factsOf(book);
  const tx = days === 1 ? 0 : (lastAt - firstAt) / WEEK_MS;
  expect(statisticAt(orderTimes(book), now)).toEqual(
    days === 0 ? null : { x: days - 1, tx, T: (now - firstAt) / WEEK_MS },
  );
}

test('the times of a customer’s orders come to the facts that the processor keeps, settled orders included', () => {
  const at = fc.integer({ min: START, max: START + 400 * DAY_MS });
  const order = fc.record({ at, cancelled: fc.boolean() });
  fc.assert(
    fc.property(fc.array(order, { maxLength: 200 }), (orders) => {
      expectSameFacts(bookOf(orders), START + 500 * DAY_MS);
    }),
    { numRuns: 60 },
  );
});

test('a cancelled order, and no order, has no time', () => {
  expect(orderTimes(newOrderBook())).toEqual([]);
  expect(orderTimes(bookOf([{ at: START, cancelled: true }]))).toEqual([]);
});

test('of remembered orders each is known to the millisecond, of settled ones the day', () => {
  const orders = Array.from({ length: 70 }, (_, day) => ({ at: START + day * DAY_MS + 12_345 }));
  const times = orderTimes(bookOf(orders));
  const settled = [START + 12_345, ...[1, 2, 3, 4].map((day) => START + day * DAY_MS), START + 5 * DAY_MS + 12_345];
  expect(times).toEqual([...settled, ...orders.slice(6).map((order) => order.at)]);
});

test('days known by their number alone lie between the first and those known', () => {
  const book = bookOf(Array.from({ length: SETTLED_DAYS + 200 }, (_, day) => ({ at: START + 2 * day * DAY_MS + 5 })));
  expect(book.settled.olderDays).toBeGreaterThan(100);
  expectSameFacts(book, START + 3_000 * DAY_MS);
});
