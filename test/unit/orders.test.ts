import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import {
  factsOf,
  newOrderBook,
  REFUNDS_PER_ORDER,
  REMEMBERED_MARKS,
  REMEMBERED_ORDERS,
  type OrderBook,
} from '../../processors/customer/order-book.ts';
import { SETTLED_DAYS } from '../../processors/customer/settled-orders.ts';
import { readOrderBook, readOrderFacts, writeOrderBook } from '../../processors/customer/order-packing.ts';
import { cancelOrder, placeOrder, refundOrder } from '../../processors/customer/orders.ts';
import { Postings } from '../../processors/customer/postings.ts';

const DAY = 86_400_000;
const T = Date.UTC(2026, 0, 1);

function packed(book: OrderBook): Buffer {
  const writer = new ByteWriter();
  writeOrderBook(book, factsOf(book), writer);
  return writer.copy();
}

function total(postings: Postings): number {
  let sum = 0;
  for (let index = 0; index < postings.count; index++) sum += postings.amount(index);
  return sum;
}

function place(book: OrderBook, id: number, at: number, amountMinor: number | null, postings: Postings): void {
  placeOrder(book, { id, at, amountMinor, guest: id % 2 === 1 }, { postings, extras: new Postings() });
}

function cancel(book: OrderBook, id: number, postings: Postings): string | null {
  return cancelOrder(book, id, { postings, extras: new Postings() });
}

describe('the order book', () => {
  test('is bounded, whatever is done to it', () => {
    const book = newOrderBook();
    for (let index = 0; index < 1500; index++) {
      place(book, index, T + index * DAY, 10_000_000 + index, new Postings());
      for (let refund = 0; refund < 20; refund++) refundOrder(book, index, T + index * DAY + refund, 3, new Postings());
    }
    expect(book.orders).toHaveLength(REMEMBERED_ORDERS);
    expect(book.orders[0]?.refunds).toHaveLength(REFUNDS_PER_ORDER);
    expect(book.orders[0]?.refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(60);
    expect(book.settled.days).toHaveLength(SETTLED_DAYS);
    expect(factsOf(book)).toMatchObject({ days: 1500, firstAt: T, lastAt: T + 1499 * DAY });
    expect(packed(book).length).toBeLessThan(7000);
  });

  test('keeps the newest 16 marks and refunds of orders still to come', () => {
    const book = newOrderBook();
    for (let index = 0; index < 40; index++) {
      cancel(book, index, new Postings());
      refundOrder(book, 1000 + index, T + index, 5, new Postings());
    }
    expect(book.marks).toHaveLength(REMEMBERED_MARKS);
    expect(book.refunds).toHaveLength(REMEMBERED_MARKS);
    expect(factsOf(book)).toEqual({ days: 0, firstAt: -1, lastAt: -1, revenueAt: T + 39 });
  });

  test('is the same after packing', () => {
    const book = newOrderBook();
    for (let index = 0; index < 70; index++) {
      place(book, index * 2 ** 40, T + (index % 50) * DAY, index % 3 === 0 ? null : index, new Postings());
    }
    cancel(book, 69 * 2 ** 40, new Postings());
    refundOrder(book, 68 * 2 ** 40, T + 90 * DAY, 7, new Postings());
    const bytes = packed(book);
    expect(readOrderBook(new ByteReader(bytes))).toEqual(book);
    expect(readOrderFacts(new ByteReader(bytes))).toEqual(factsOf(book));
  });

  test('a late order older than all that are remembered is settled at once', () => {
    const book = newOrderBook();
    for (let index = 0; index < 64; index++) place(book, index, T + index * DAY, 1, new Postings());
    place(book, 99, T - 5 * DAY, 1, new Postings());
    expect(book.orders).toHaveLength(64);
    expect(factsOf(book)).toMatchObject({ days: 65, firstAt: T - 5 * DAY });
    expect(cancel(book, 99, new Postings())).toBe('unknown_order');
  });

  test('orders of guests and in other currencies leave with a cancellation', () => {
    const book = newOrderBook();
    const [postings, extras] = [new Postings(), new Postings()];
    placeOrder(book, { id: 1, at: T, amountMinor: null, guest: true }, { postings, extras });
    expect([total(extras), extras.count]).toEqual([2, 2]);
    cancelOrder(book, 1, { postings, extras });
    expect([total(extras), extras.count]).toEqual([0, 4]);
  });

  test('cancelling takes out what placing and refunding put in', () => {
    const book = newOrderBook();
    const postings = new Postings();
    place(book, 1, T, 500, postings);
    refundOrder(book, 1, T + DAY, 200, postings);
    cancel(book, 1, postings);
    // One order in and out, 500 in and out, one refund counted, 200 out and in.
    expect(total(postings)).toBe(1);
    expect(factsOf(book).days).toBe(0);
  });
});
