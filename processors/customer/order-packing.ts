import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { readFingerprint, writeFingerprint } from '../core/fingerprint.ts';
import { newOrderBook, type OrderBook, type OrderFacts, type RememberedOrder } from './order-book.ts';

/**
 * The packed order book: first what the orders come to, which is all that a record without an order needs, then the orders.
 */
export function writeOrderBook(book: OrderBook, facts: OrderFacts, writer: ByteWriter): void {
  writer.uint(facts.days);
  if (facts.days > 0) {
    writer.uint(facts.firstAt);
    writer.uint(facts.lastAt - facts.firstAt);
  }
  writer.uint(facts.revenueAt + 1);
  writeOrders(book.orders, writer);
  writer.uint(book.marks.length);
  for (const mark of book.marks) writeFingerprint(mark, writer);
  writer.uint(book.refunds.length);
  for (const refund of book.refunds) {
    writeFingerprint(refund.order, writer);
    writer.uint(refund.at);
    writer.uint(refund.amountMinor);
  }
  writeSettled(book, writer);
}

export function readOrderFacts(reader: ByteReader): OrderFacts {
  const days = reader.uint();
  const firstAt = days > 0 ? reader.uint() : -1;
  const lastAt = days > 0 ? firstAt + reader.uint() : -1;
  return { days, firstAt, lastAt, revenueAt: reader.uint() - 1 };
}

export function readOrderBook(reader: ByteReader): OrderBook {
  readOrderFacts(reader);
  const book = newOrderBook();
  book.orders = readOrders(reader);
  for (let left = reader.uint(); left > 0; left--) book.marks.push(readFingerprint(reader));
  for (let left = reader.uint(); left > 0; left--) {
    book.refunds.push({ order: readFingerprint(reader), at: reader.uint(), amountMinor: reader.uint() });
  }
  readSettled(book, reader);
  return book;
}

// Flags of one order; the number of its refunds, at most 8, lies between the second and the third.
const IN_OTHER_CURRENCY = 1;
const CANCELLED = 2;
const REFUNDS_SHIFT = 2;
const REFUNDS_MASK = 15;
const GUEST = 64;

function writeOrders(orders: readonly RememberedOrder[], writer: ByteWriter): void {
  writer.uint(orders.length);
  let previousAt = 0;
  for (const order of orders) {
    writeFingerprint(order.id, writer);
    writer.uint(order.at - previousAt);
    previousAt = order.at;
    const flags =
      (order.amountMinor === null ? IN_OTHER_CURRENCY : 0) |
      (order.cancelled ? CANCELLED : 0) |
      (order.guest ? GUEST : 0);
    writer.uint(flags | (order.refunds.length << REFUNDS_SHIFT));
    if (order.amountMinor !== null) writer.uint(order.amountMinor);
    for (const refund of order.refunds) {
      writer.int(refund.at - order.at);
      writer.uint(refund.amountMinor);
    }
  }
}

function readOrders(reader: ByteReader): RememberedOrder[] {
  const orders: RememberedOrder[] = [];
  let at = 0;
  for (let left = reader.uint(); left > 0; left--) {
    const id = readFingerprint(reader);
    at += reader.uint();
    const flags = reader.uint();
    const amountMinor = (flags & IN_OTHER_CURRENCY) !== 0 ? null : reader.uint();
    const guest = (flags & GUEST) !== 0;
    const order: RememberedOrder = { id, at, amountMinor, guest, cancelled: (flags & CANCELLED) !== 0, refunds: [] };
    for (let refunds = (flags >> REFUNDS_SHIFT) & REFUNDS_MASK; refunds > 0; refunds--) {
      order.refunds.push({ at: at + reader.int(), amountMinor: reader.uint() });
    }
    orders.push(order);
  }
  return orders;
}

function writeSettled({ settled }: OrderBook, writer: ByteWriter): void {
  writer.uint(settled.revenueAt + 1);
  writer.uint(settled.days.length);
  if (settled.days.length === 0) return;
  writer.uint(settled.olderDays);
  writer.uint(settled.firstAt);
  writer.uint(settled.lastAt - settled.firstAt);
  let previous = 0;
  for (const day of settled.days) {
    writer.uint(day - previous);
    previous = day;
  }
}

function readSettled({ settled }: OrderBook, reader: ByteReader): void {
  settled.revenueAt = reader.uint() - 1;
  const days = reader.uint();
  if (days === 0) return;
  settled.olderDays = reader.uint();
  settled.firstAt = reader.uint();
  settled.lastAt = settled.firstAt + reader.uint();
  let day = 0;
  for (let left = days; left > 0; left--) {
    day += reader.uint();
    settled.days.push(day);
  }
}
