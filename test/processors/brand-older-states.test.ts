import { expect, test } from 'vitest';
import { createBrand } from '../../processors/brand/processor.ts';
import { brandTotals } from '../../processors/brand/totals.ts';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { brandLedger } from '../../processors/customer/brand-partials.ts';
import { revisionOf } from '../../processors/customer/plan.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { BrandKpi, BrandPartial } from '../../schemas/types.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { CustomerDriver, DAY, definitions, everyPartial, HOUR, MIDNIGHT } from './customer-fixture.ts';
import { DocumentDriver } from './document-driver.ts';

const T = MIDNIGHT + 10 * HOUR;
const RULES = definitions({ buyer: { 'traits.orders.30d': { $gte: 1 } } });

/** A customer, and the blocks of its partition's documents, as they were packed when a year was the only window. */
const STATE =
  'AwhhY21lfHU6McDg04jrM4cD8r51sFLi3z8GBWJ1eWVy+K2vnQjszKWoB+zMpagH4JlqogHBgYEEDoDy5YfrMwAGCAgJAvEYEIDy5YfrM6GTAgQEBAUC8RgUgPLlh+szAKAfoB+gH6EfBPAY0A8LgPLlh+szAAIEBAQOgPLlh+szAAQEBAUC8RgWgPLlh+szoGD7qJJaCQAixgStCukGADYCgLLsl94zgMD57wyB8uWH6zMCrMPqpW05DoCy7JfeM0DoB8AdDAQFbwiAwPnvDADoBwAAAAB8AQALAoHy5YfrMwIBAAEeAFOA8uWH6zOAwPnvDAcABgVidXllcj5JALLWPnc2zuY/SAABARGS9qbQBPwJ3BDQZ+g/ULwkAQARga/Y0wECL3aqaQHqP0nRCfK+dbBS4t8/SAABASiAxK6HkGgQnwICDALeoAECAAjeoAECAA==';
const BLOCKS = [
  'AcDg04jrMwQOYWNtZXxicmFuZHxhbGwCDgICAgIAAAACAAAAAAAADYCvUAIBAgECAtAPBAIPAgEC6BMEAQID0A8CAhECAQISYWNtZXxzZWdtZW50fGJ1eWVyAg4CAgICAAAAAgAAAAAAAAmAr1ACAQIBAgLQDwQC+BMEAQID0A8CAhJhY21lfGNoYW5uZWx8RU1BSUwCDgAAAAAAAAAAAAAAAAAAAYivUAIUYWNtZXxjYW1wYWlnbnxzcHJpbmcCDgAAAAAAAAAAAAAAAAAAAYivUAI=',
  'AcDg04jrMwESYWNtZXxzZWdtZW50fGJ1eWVyAw4CAgICAAAAAgAAAAAAAAmAr1ACAQIBAgLQDwQC+BMEAQID0A8CAg==',
  'AcDg04jrMwESYWNtZXxjaGFubmVsfEVNQUlMAw4AAAAAAAAAAAAAAAAAAAGIr1AC',
  'AcDg04jrMwEUYWNtZXxjYW1wYWlnbnxzcHJpbmcDDgAAAAAAAAAAAAAAAAAAAYivUAI=',
  'AcDg04jrMwEOYWNtZXxicmFuZHxhbGwDDgICAgIAAAACAAAAAAAADYCvUAIBAgECAtAPBAIPAgEC6BMEAQID0A8CAhECAQI=',
];
const KPI_STATE = 'AQ5hY21lfGJyYW5kfGFsbICy7JfeM4Gy7JfeMwCO8b/1jPCyAgMACAIEAAQABgEAAwAIAgQABAAG';
const KPI_TOTALS =
  'AQEEYWNtZQgGb3JkZXJzAAAAAAAAEEAQdW5pcXVlX2N1c3RvbWVycwAAAAAAAABAE2d1ZXN0X2NoZWNrb3V0X3JhdGUAAAAAAADQPxJwdXJjaGFzZV9mcmVxdWVuY3kAAAAAAAAAQBNhdmVyYWdlX29yZGVyX3ZhbHVlAAAAAAAAAAAUcmV2ZW51ZV9wZXJfY3VzdG9tZXIAAAAAAAAAABRyZXBlYXRfcHVyY2hhc2VfcmF0ZQAAAAAAAAAACWN1c3RvbWVycwAAAAAAAAhA';

const read = (text: string): ByteReader => new ByteReader(Buffer.from(text, 'base64'));

function newcomer(): CustomerDriver {
  const order = (orderId: string, guest = false) => {
    const placed = { orderId, amountMinor: 1000, currency: 'JPY', guest, items: [] };
    return { type: 'ORDER_PLACED' as const, order: placed };
  };
  return new CustomerDriver(RULES)
    .record(T, order('1', true))
    .record(T, { type: 'MESSAGE_SENT', channel: 'EMAIL', campaignId: 'spring' })
    .record(T + 40 * DAY, order('2'))
    .record(T + 40 * DAY, { type: 'REFERRAL_SENT' });
}

/** Two sessions, the first of 41 days ago, by the days in which they closed. */
function sessionsOf(name: string): Record<string, number> {
  return { [name]: 2, [`${name} 90d`]: 2, [`${name} 30d`]: 1, [`${name} 7d`]: 1 };
}

test('documents that knew a year alone keep what is of the brand, and count the customer anew, once', () => {
  const old = new CustomerDriver(createCustomer(RULES));
  for (const block of BLOCKS) brandLedger.unpack(old.totals, read(block));
  old.state = old.processor.state.unpack(read(STATE));
  // It is found by the back-fill, for how customers are counted is part of the revision.
  expect(old.state.rules).not.toBe(revisionOf(RULES.hash));
  const at = T + 41 * DAY;
  expect(everyPartial(old.totals, at)).toEqual({
    'brand all': { ...sessionsOf('sessions'), ...sessionsOf('engagedSessions') },
    'segment buyer': {},
    'channel EMAIL': { messagesSent: 1, 'messagesSent 90d': 1 },
    'campaign spring': { messagesSent: 1, 'messagesSent 90d': 1 },
  });
  const own = newcomer();
  own.silence(at);
  for (const driver of [old, own])
    driver.record(at + HOUR, { type: 'PAGE_VIEW' }).record(at + HOUR, { type: 'SEARCH' });
  const expected = everyPartial(own.totals, at + HOUR);
  // Of sessions that closed in the newest week the days alone were known.
  const withoutSessions = (said: typeof expected) =>
    Object.entries(said).map(([name, amounts]) => [
      name,
      Object.fromEntries(Object.entries(amounts).filter(([amount]) => !/essions/.test(amount))),
    ]);
  expect(withoutSessions(everyPartial(old.totals, at + HOUR))).toEqual(withoutSessions(expected));
  expect(everyPartial(old.totals, at + HOUR)['brand all']).toMatchObject({ sessions: 2, orders: 2, guestOrders: 1 });
});

test('they are whole in any 64 blocks, older ones and newer ones', () => {
  const live = new CustomerDriver(createCustomer(RULES));
  for (const block of BLOCKS) brandLedger.unpack(live.totals, read(block));
  live.state = live.processor.state.unpack(read(STATE));
  live.record(T + 41 * DAY, { type: 'PAGE_VIEW' });
  const writer = new ByteWriter();
  brandLedger.pack(live.totals, 1, writer);
  const restored = createCustomer(RULES).totals.initial();
  for (const block of [...BLOCKS.map(read), new ByteReader(writer.copy())]) brandLedger.unpack(restored, block);
  expect(everyPartial(restored, T + 42 * DAY)).toEqual(everyPartial(live.totals, T + 42 * DAY));
});

test("a brand's figures of a year go on, and shorter windows come with the next partial", () => {
  const brand = createBrand(definitionsWith({}));
  const driver = new DocumentDriver(brand, 'acme|brand|all');
  driver.state = brand.state.unpack(read(KPI_STATE));
  const amounts = { orders: 4, purchasers: 2, customers: 3, guestOrders: 1 };
  const partial: BrandPartial = {
    ...{ brandId: 'acme', dimension: 'brand', value: 'all', partition: 0, asOf: T + DAY },
    ...{ amounts, shorter: { orders: [1, 2, 4, 4] } },
  };
  driver.take(T + DAY, partial);
  const said = driver.outputs.map(({ value }) => value as BrandKpi);
  expect(said.filter(({ window }) => window === '365d' || window === 'now')).toEqual([]);
  expect(said.filter(({ measure }) => measure === 'orders').map(({ window, value }) => [window, value])).toEqual([
    ['24h', 1],
    ['7d', 2],
    ['30d', 4],
    ['90d', 4],
  ]);
  const gauges = [...brandTotals.gauges(brandTotals.unpack(read(KPI_TOTALS)))];
  expect(gauges).toContainEqual({
    name: 'brand_kpi',
    labels: { brand: 'acme', kpi: 'guest_checkout_rate', window: '365d' },
    value: 0.25,
  });
  expect(gauges).toContainEqual({
    name: 'brand_kpi',
    labels: { brand: 'acme', kpi: 'customers', window: 'now' },
    value: 3,
  });
});
