import type { InteractionType } from '../../schemas/types.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE } from '../processors/customer-fixture.ts';
import type { Benchmark } from './benchmark.ts';

const SEGMENTS = {
  'active-buyers': { 'traits.orders.90d': { $gte: 1 } },
  'repeat-buyers': { 'traits.orders.365d': { $gte: 2 } },
  'browsing-hard': { 'traits.product_views.24h': { $gte: 5 } },
  'engaged-readers': { 'ratios.ctr.90d': { $gte: 0.1 } },
  'silent-30-days': { 'ages.interactions': { $gte: 30 } },
  'high-churn-risk': { 'churn.band': 'HIGH' },
};
const VISIT: readonly InteractionType[] = ['PAGE_VIEW', 'PRODUCT_VIEW', 'PAGE_VIEW', 'SEARCH', 'CART_ADD'];

export const bytes: Benchmark = {
  name: 'bytes',
  about:
    'packed state of one customer: one visit; half a year of weekly visits and messages; two visits a day for a year',
  targets: [
    { figure: 'light', unit: 'bytes', bound: 'at most', value: 200 },
    { figure: 'typical', unit: 'bytes', bound: 'at most', value: 800 },
    { figure: 'dense', unit: 'bytes', bound: 'at most', value: 5_000 },
  ],
  async run() {
    return { figures: { light: light(), typical: typical(), dense: dense() } };
  },
};

function light(): number {
  return visit(newDriver(), MIDNIGHT, 4).packed().length;
}

function typical(): number {
  const driver = newDriver();
  driver.record(MIDNIGHT, { type: 'IDENTIFIED', attributes: { plan: 'gold', city: 'Kyoto', language: 'ja' } });
  for (let week = 0; week < 26; week++) {
    const at = MIDNIGHT + week * 7 * DAY + (week % 5) * DAY + 9 * HOUR;
    visit(message(driver, at), at, 6);
    if (week % 7 === 3) buy(driver, at + 7 * MINUTE);
  }
  return driver.packed().length;
}

function dense(): number {
  const driver = newDriver();
  for (let day = 0; day < 366; day++) {
    const at = MIDNIGHT + day * DAY + 9 * HOUR;
    visit(message(driver, at), at, 12);
    visit(driver, at + 10 * HOUR, 12);
    if (day % 6 === 0) buy(driver, at + HOUR);
  }
  return driver.packed().length;
}

function newDriver(): CustomerDriver {
  const driver = new CustomerDriver(definitions(SEGMENTS), 'u:customer-12345');
  driver.isRepacking = false;
  return driver;
}

function visit(driver: CustomerDriver, at: number, length: number): CustomerDriver {
  for (let step = 0; step < length; step++) {
    driver.record(at + step * MINUTE, { type: VISIT[step % VISIT.length] ?? 'PAGE_VIEW' });
  }
  return driver;
}

function message(driver: CustomerDriver, at: number): CustomerDriver {
  return driver.record(at - HOUR, { type: 'MESSAGE_DELIVERED' }).record(at - 10 * MINUTE, { type: 'MESSAGE_OPENED' });
}

function buy(driver: CustomerDriver, at: number): void {
  const order = { orderId: `order-${at}`, amountMinor: 12_345, currency: 'JPY', guest: false, items: [] };
  driver.record(at, { type: 'ORDER_PLACED', order });
}
