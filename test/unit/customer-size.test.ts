import { expect, test } from 'vitest';
import { HISTORY_PART } from '../../processors/customer/history.ts';
import { NO_PARTS, OpenParts } from '../../processors/customer/parts.ts';
import type { InteractionType } from '../../schemas/types.ts';
import { CustomerDriver, DAY, definitionsWithJourney, HOUR, MIDNIGHT, MINUTE } from '../processors/customer-fixture.ts';

// What each kind of customer may take at most is in processors/customer/README.md, with what was measured.
const SEGMENTS = {
  'active-buyers': { 'traits.orders.90d': { $gte: 1 } },
  'repeat-buyers': { 'traits.orders.365d': { $gte: 2 } },
  'cart-without-order': { 'traits.cart_adds.24h': { $gte: 1 }, 'traits.orders.24h': { $lt: 1 } },
  'browsing-hard': { 'traits.product_views.24h': { $gte: 5 } },
  'engaged-readers': { 'ratios.ctr.90d': { $gte: 0.1 } },
  'silent-30-days': { 'ages.interactions': { $gte: 30 } },
  'high-churn-risk': { 'churn.band': 'HIGH' },
};
const VISIT: InteractionType[] = ['PAGE_VIEW', 'PRODUCT_VIEW', 'PAGE_VIEW', 'SEARCH', 'CART_ADD', 'PRODUCT_VIEW'];

function visit(driver: CustomerDriver, at: number, length: number): void {
  for (let step = 0; step < length; step++) {
    driver.record(at + step * MINUTE, {
      eventId: `0198-${at}-${step}`,
      type: VISIT[step % VISIT.length] ?? 'PAGE_VIEW',
    });
  }
}

function buy(driver: CustomerDriver, at: number): void {
  const order = { orderId: `order-${at}`, amountMinor: 12_345, currency: 'JPY', guest: false, items: [] };
  driver.record(at, { type: 'ORDER_PLACED', order });
}

/** Without what is remembered of what was published, which has limits of its own. */
function size(driver: CustomerDriver): number {
  return driver.packed().length - historySize(driver);
}

function historySize({ state }: CustomerDriver): number {
  const parts = new OpenParts();
  parts.open(state.parts);
  const history = parts.get(HISTORY_PART);
  parts.open(NO_PARTS);
  parts.put(HISTORY_PART, history);
  return parts.close().length;
}

test('a light customer, one visit, takes at most 200 bytes', () => {
  const driver = new CustomerDriver(definitionsWithJourney(SEGMENTS), 'u:customer-12345');
  visit(driver, MIDNIGHT, 4);
  expect(size(driver)).toBeLessThanOrEqual(200);
  expect(historySize(driver)).toBeLessThanOrEqual(20);
});

test('a typical customer, a visit and two messages a week for half a year and four orders, takes at most 800 bytes', () => {
  const driver = new CustomerDriver(definitionsWithJourney(SEGMENTS), 'u:customer-12345');
  driver.isRepacking = false;
  driver.record(MIDNIGHT, { type: 'IDENTIFIED', attributes: { plan: 'gold', city: 'Kyoto', language: 'ja' } });
  for (let week = 0; week < 26; week++) {
    const at = MIDNIGHT + week * 7 * DAY + (week % 5) * DAY + 9 * HOUR;
    driver.record(at - HOUR, { type: 'MESSAGE_DELIVERED' }).record(at - 10 * MINUTE, { type: 'MESSAGE_OPENED' });
    if (week % 3 === 0) driver.record(at - 9 * MINUTE, { type: 'MESSAGE_CLICKED' });
    visit(driver, at, 6);
    if (week % 7 === 3) buy(driver, at + 7 * MINUTE);
  }
  expect(size(driver)).toBeLessThanOrEqual(800);
  expect(historySize(driver)).toBeLessThanOrEqual(650);
});

test('a dense customer, two visits a day for a year and 60 orders, takes at most 5,000 bytes', () => {
  const driver = new CustomerDriver(definitionsWithJourney(SEGMENTS), 'u:customer-12345');
  driver.isRepacking = false;
  for (let day = 0; day < 366; day++) {
    const at = MIDNIGHT + day * DAY + 9 * HOUR;
    driver.record(at - HOUR, { type: 'MESSAGE_DELIVERED' }).record(at - 10 * MINUTE, { type: 'MESSAGE_OPENED' });
    visit(driver, at, 12);
    visit(driver, at + 10 * HOUR, 12);
    if (day % 6 === 0) buy(driver, at + HOUR);
  }
  expect(size(driver)).toBeLessThanOrEqual(5000);
  expect(historySize(driver)).toBeLessThanOrEqual(1_700);
});
