import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { REJECT_REASONS } from '../../processors/core/reasons.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, tokyoWeekday } from '../../processors/simulation/rhythm.ts';
import { simulateShop } from '../../processors/simulation/shop.ts';
import type { ShopOptions, ShopRecord } from '../../processors/simulation/shop.ts';
import { definitionsWith } from '../harness/definition-sets.ts';

const FROM = Date.UTC(2025, 0, 6);
const YEAR: ShopOptions = { seed: 7, customers: 200, from: FROM, to: FROM + 364 * DAY_MS };

const digest = (records: Iterable<ShopRecord>) => {
  const hash = createHash('sha256');
  for (const record of records) hash.update(JSON.stringify(record));
  return hash.digest('hex');
};
const interactionsOf = (records: readonly ShopRecord[]) =>
  records.flatMap((record) => (record.kind === 'interaction' ? [record] : []));

const year = [...simulateShop(YEAR)];
const interactions = interactionsOf(year);

describe('the same options give the same records', () => {
  test('byte for byte', () => {
    expect(digest(simulateShop(YEAR))).toBe(digest(year));
  });

  test('and another seed gives others', () => {
    expect(digest(simulateShop({ ...YEAR, seed: 8 }))).not.toBe(digest(year));
  });

  test('a later end only adds records', () => {
    const to = FROM + 50 * DAY_MS;
    const short = [...simulateShop({ ...YEAR, to })];
    expect(short).toEqual(year.filter(({ timestamp }) => timestamp <= to));
    expect(short.length).toBeGreaterThan(1000);
  });

  test('more people change nothing for those who were there', () => {
    const fewer = simulateShop({ ...YEAR, customers: 10, to: FROM + 100 * DAY_MS });
    const ids = new Set(interactions.map(({ value }) => value.eventId));
    const missing = interactionsOf([...fewer]).filter(({ value }) => value.eventId !== '' && !ids.has(value.eventId));
    expect(missing).toEqual([]);
  });
});

test('records come in the order of their timestamps, within the time asked for', () => {
  const times = year.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(times[0]).toBeGreaterThanOrEqual(FROM);
  expect(times.at(-1)).toBeLessThanOrEqual(YEAR.to);
  expect(times.every(Number.isSafeInteger)).toBe(true);
});

test('a customer makes 100 to 300 events in the year', () => {
  expect(year.length / YEAR.customers).toBeGreaterThan(100);
  expect(year.length / YEAR.customers).toBeLessThan(300);
});

test('an event id comes back only with the same event', () => {
  const seen = new Map<string, string>();
  let repeats = 0;
  for (const { value } of interactions) {
    if (value.eventId === '') continue;
    const text = JSON.stringify(value);
    if (seen.has(value.eventId)) {
      repeats++;
      expect(text).toBe(seen.get(value.eventId));
    }
    seen.set(value.eventId, text);
  }
  expect(repeats / interactions.length).toBeGreaterThan(0.004);
  expect(repeats / interactions.length).toBeLessThan(0.008);
});

test('some events arrive late, by minutes to days, and none before it happened but by mistake', () => {
  const delays = interactions.map(({ timestamp, value }) => timestamp - value.occurredAt);
  const share = (from: number, to: number) => delays.filter((ms) => ms >= from && ms < to).length / delays.length;
  expect(share(MINUTE_MS, HOUR_MS)).toBeGreaterThan(0.005);
  expect(share(HOUR_MS, DAY_MS)).toBeGreaterThan(0.003);
  expect(share(DAY_MS, 6 * DAY_MS)).toBeGreaterThan(0.0005);
  expect(share(-Infinity, 0)).toBeLessThan(0.001);
});

test('evenings are busier than nights, and weekends than other days', () => {
  const visits = interactions.filter(({ value }) => value.type === 'PRODUCT_VIEW');
  const tokyoHour = (at: number) => Math.floor((at + 9 * HOUR_MS) / HOUR_MS) % 24;
  const atHours = (from: number, to: number) =>
    visits.filter(({ value }) => tokyoHour(value.occurredAt) >= from && tokyoHour(value.occurredAt) < to).length;
  expect(atHours(20, 23)).toBeGreaterThan(8 * atHours(2, 5));
  const onDay = (day: number) => visits.filter(({ value }) => tokyoWeekday(value.occurredAt) === day).length;
  expect(Math.min(onDay(0), onDay(6))).toBeGreaterThan(Math.max(onDay(1), onDay(2), onDay(3)));
});

test('every kind of event happens, and a little rubbish of every kind that can be refused', () => {
  const intake = createIntake(definitionsWith({}));
  const refused = new Map<string, number>();
  const types = new Set<string>();
  const orders = new Map<string, Set<string>>();
  let records = 0;
  for (const record of simulateShop({ ...YEAR, customers: 1500 })) {
    records++;
    if (record.kind === 'raw') {
      const reason = record.bytes === null ? 'null_value' : record.bytes[1] === 0x7f ? 'unknown_schema' : 'undecodable';
      refused.set(reason, (refused.get(reason) ?? 0) + 1);
      continue;
    }
    types.add(record.value.type);
    const { type, order, eventId } = record.value;
    if (type === 'ORDER_PLACED' && order !== null) {
      orders.set(order.orderId, (orders.get(order.orderId) ?? new Set()).add(eventId));
    }
    const outcome = intake.onRecord(record.value, record.timestamp, 'interactions.v1');
    if (outcome.kind === 'reject') refused.set(outcome.reason, (refused.get(outcome.reason) ?? 0) + 1);
  }
  // Orders that were placed twice, under two event ids.
  expect([...orders.values()].filter(({ size }) => size > 1).length).toBeGreaterThan(3);
  // All but CUSTOM, UNKNOWN among them.
  expect(types.size).toBe(39);
  expect([...refused.keys()].toSorted()).toEqual([...REJECT_REASONS].toSorted());
  const total = [...refused.values()].reduce((sum, count) => sum + count, 0);
  expect(total / records).toBeGreaterThan(0.002);
  expect(total / records).toBeLessThan(0.004);
});

describe('the live shop', () => {
  test('never ends, and is lazy', () => {
    const records = simulateShop({ ...YEAR, to: Number.POSITIVE_INFINITY });
    let last = 0;
    for (let index = 0; index < year.length + 500; index++) last = records.next().value?.timestamp ?? 0;
    expect(last).toBeGreaterThan(YEAR.to);
  });

  test('a rush adds visits from its beginning on and changes nothing before', () => {
    const from = FROM + 100 * DAY_MS;
    const to = from + HOUR_MS;
    const calm = [...simulateShop({ ...YEAR, to })];
    const busy = [...simulateShop({ ...YEAR, to, rush: { from, visitsPerMinute: 20 } })];
    const isBefore = ({ timestamp }: ShopRecord) => timestamp < from;
    expect(busy.filter(isBefore)).toEqual(calm.filter(isBefore));
    expect(busy.length - calm.length).toBeGreaterThan(60 * 10);
  });
});
