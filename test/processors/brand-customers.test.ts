import { describe, expect, test } from 'vitest';
import { createCustomer } from '../../processors/customer/processor.ts';
import {
  CustomerDriver,
  DAY,
  definitions,
  HOUR,
  everyPartial,
  MIDNIGHT,
  partials,
  takeOut,
} from './customer-fixture.ts';
import { tangledInteractions } from './published-input.ts';

const T = MIDNIGHT + 10 * HOUR;
const SEGMENTS = {
  browsing: { 'traits.page_views.1h': { $gte: 2 } },
  buyer: { 'traits.orders.30d': { $gte: 1 } },
  lapsing: { 'ages.orders': { $gte: 20, $lt: 45 } },
  silent: { 'ages.interactions': { $gte: 2 } },
};

/** Kept for the brand as a whole: it moves with nobody. */
const OF_THE_BRAND = new Set([
  'sessions',
  'engagedSessions',
  'pageVisibleMs',
  'measuredViews',
  'longViews',
  'unmeasuredViews',
]);

function order(orderId: string, changes: object = {}, guest = false) {
  const items: never[] = [];
  const placed = { orderId, amountMinor: 1000, currency: 'JPY', guest, items, ...changes };
  return { type: 'ORDER_PLACED' as const, order: placed };
}

describe('what a customer adds to a brand', () => {
  test('orders, by event and by silence, to the exact midnight', () => {
    const driver = new CustomerDriver(definitions({}));
    driver
      .record(T, order('1'))
      .record(T + DAY, order('2', {}, true))
      .record(T + DAY, order('3', { currency: 'EUR' }));
    expect(partials(driver.totals, T + DAY)['brand all']).toEqual({
      ...{ interactions: 3, orders: 3, guestOrders: 1, otherCurrencyOrders: 1, revenueMinor: 2000 },
      ...{ active: 1, purchasers: 1, repeatPurchasers: 1, customers: 1, sessions: 1, engagedSessions: 1 },
    });
    const second = MIDNIGHT + 367 * DAY;
    driver.silence(second - 1);
    expect(partials(driver.totals, second - 1)['brand all']).toMatchObject({ orders: 2, repeatPurchasers: 1, lost: 1 });
    driver.silence(second);
    expect(partials(driver.totals, second)['brand all']).toEqual({ customersAtStart: 1, lostOfStart: 1, lost: 1 });
    driver.silence(T + 3 * 366 * DAY);
    expect(partials(driver.totals, T + 3 * 366 * DAY)['brand all']).toEqual({});
  });

  test('a customer is lost at the very millisecond, and back with the next order', () => {
    const driver = new CustomerDriver(definitions({})).record(T, order('1'));
    const lostAt = T + 90 * DAY;
    driver.silence(lostAt - 1);
    expect(partials(driver.totals, lostAt - 1)['brand all']).toMatchObject({ customers: 1 });
    driver.silence(lostAt);
    expect(partials(driver.totals, lostAt)['brand all']).toMatchObject({ lost: 1 });
    driver.record(lostAt + DAY, order('2'));
    expect(partials(driver.totals, lostAt + DAY)['brand all']).toMatchObject({ customers: 1, repeatPurchasers: 1 });
    expect(partials(driver.totals, lostAt + DAY)['brand all']).not.toHaveProperty('lost');
  });

  test('a cancelled order leaves everything, a refund leaves revenue only, each of them once', () => {
    const driver = new CustomerDriver(definitions({})).record(T, order('1')).record(T, order('2', {}, true));
    const refund = { ...order('1', { amountMinor: 300 }), type: 'ORDER_REFUNDED' as const, eventId: 'refund' };
    driver.record(T + HOUR, refund).record(T + HOUR, refund);
    expect(partials(driver.totals, T + HOUR)['brand all']).toMatchObject({ orders: 2, revenueMinor: 1700 });
    const cancellation = { ...order('2'), type: 'ORDER_CANCELLED' as const };
    driver.record(T + 2 * HOUR, cancellation).record(T + 2 * HOUR, cancellation);
    const sums = partials(driver.totals, T + 2 * HOUR)['brand all'];
    expect(sums).toMatchObject({ orders: 1, revenueMinor: 700, purchasers: 1 });
    expect(sums).not.toHaveProperty('guestOrders');
    expect(sums).not.toHaveProperty('repeatPurchasers');
  });

  test('an event too late for any window may still take an order out of one', () => {
    const driver = new CustomerDriver(definitions({})).record(T, order('1', {}, true));
    driver.record(T + HOUR, { ...order('1'), type: 'ORDER_CANCELLED', occurredAt: T - 400 * DAY });
    expect(driver.outcomes).toEqual(['apply', 'beyond_horizon']);
    driver.silence(T + HOUR);
    expect(partials(driver.totals, T + HOUR)['brand all']).toEqual({
      ...{ interactions: 1, active: 1, sessions: 1, engagedSessions: 1 },
    });
  });

  test('the first open and the first click of a message, and apart what only machines did', () => {
    const driver = new CustomerDriver(definitions({}));
    const message = { channel: 'EMAIL' as const, messageId: 'm-1', campaignId: 'spring' };
    driver.record(T, { ...message, type: 'MESSAGE_SENT' }).record(T, { ...message, type: 'MESSAGE_DELIVERED' });
    const opened = { ...message, type: 'MESSAGE_OPENED' as const };
    driver.record(T, { ...opened, machineGenerated: true });
    expect(partials(driver.totals, T)['campaign spring']).toMatchObject({ machineOpens: 1 });
    driver
      .record(T, opened)
      .record(T, opened)
      .record(T, { ...opened, messageId: 'm-2' });
    driver.record(T, { ...message, type: 'MESSAGE_CLICKED' }).record(T, { ...message, type: 'MESSAGE_CLICKED' });
    // Three opens by people, one of them again; two clicks, one of them again; what a machine opened a person opened too.
    const opens = { opens: 3, repeatOpens: 1, clicks: 2, repeatClicks: 1 };
    const expected = { messagesSent: 1, messagesDelivered: 1, ...opens };
    const said = partials(driver.totals, T);
    expect(said['campaign spring']).toEqual(expected);
    expect(said['channel EMAIL']).toEqual(expected);
    expect(said['brand all']).toMatchObject(expected);
  });

  test('a renewal is due when it comes, or a period after the payment by silence; a subscription ends a period later', () => {
    const driver = new CustomerDriver(definitions({}));
    const weekly = { attributes: { subscriptionId: 'tea', periodDays: '7' } };
    driver.record(T, { type: 'SUBSCRIPTION_STARTED', ...weekly });
    driver.record(T, { type: 'SUBSCRIPTION_STARTED', attributes: { subscriptionId: 'milk' } });
    expect(partials(driver.totals, T)['brand all']).toMatchObject({ subscriptions: 2 });
    driver.record(T + 6 * DAY, { type: 'SUBSCRIPTION_RENEWED', ...weekly });
    expect(partials(driver.totals, T + 6 * DAY)['brand all']).toMatchObject({ renewals: 1, renewalsDue: 1 });
    driver.silence(T + 13 * DAY - 1);
    expect(partials(driver.totals, T + 13 * DAY - 1)['brand all']).toMatchObject({ renewals: 1, renewalsDue: 1 });
    driver.silence(T + 13 * DAY);
    expect(partials(driver.totals, T + 13 * DAY)['brand all']).toMatchObject({ renewalsDue: 2, subscriptions: 2 });
    driver.record(T + 14 * DAY, { type: 'SUBSCRIPTION_RENEWED', ...weekly });
    expect(partials(driver.totals, T + 14 * DAY)['brand all']).toMatchObject({ renewals: 2, renewalsDue: 2 });
    driver.silence(T + 28 * DAY - 1);
    expect(partials(driver.totals, T + 28 * DAY - 1)['brand all']).toMatchObject({ renewalsDue: 3, subscriptions: 2 });
    driver.silence(T + 28 * DAY);
    expect(partials(driver.totals, T + 28 * DAY)['brand all']).toMatchObject({ renewalsDue: 3, subscriptions: 1 });
    driver.record(T + 29 * DAY, { type: 'SUBSCRIPTION_CANCELLED', attributes: { subscriptionId: 'milk' } });
    driver.silence(T + 200 * DAY);
    const last = partials(driver.totals, T + 200 * DAY)['brand all'];
    expect(last).toMatchObject({ renewals: 2, renewalsDue: 3 });
    expect(last).not.toHaveProperty('subscriptions');
  });

  test('a cancellation that comes before its start, and a late one of before a renewal', () => {
    const driver = new CustomerDriver(definitions({}));
    driver.record(T, { type: 'SUBSCRIPTION_CANCELLED' });
    driver.record(T + HOUR, { type: 'SUBSCRIPTION_STARTED', occurredAt: T - HOUR });
    expect(partials(driver.totals, T + HOUR)['brand all']).not.toHaveProperty('subscriptions');
    driver.record(T + 2 * HOUR, { type: 'SUBSCRIPTION_RENEWED' });
    driver.record(T + 3 * HOUR, { type: 'SUBSCRIPTION_CANCELLED', occurredAt: T + HOUR });
    expect(partials(driver.totals, T + 3 * HOUR)['brand all']).toMatchObject({ subscriptions: 1 });
  });

  test('who has a subscription is a customer, and lost at the very millisecond at which the last one ends', () => {
    const driver = new CustomerDriver(definitions({}));
    const yearly = { attributes: { subscriptionId: 'tea', periodDays: '365' } };
    driver.record(T, { type: 'SUBSCRIPTION_STARTED', ...yearly });
    driver.record(T + DAY, { type: 'SUBSCRIPTION_STARTED', attributes: { subscriptionId: 'milk' } });
    const said = (at: number): object => partials(driver.silence(at).totals, at)['brand all'] ?? {};
    expect(said(T + 40 * DAY)).toMatchObject({ customers: 1, subscriptions: 2 });
    // The one that was not renewed ends, and the other one goes on.
    expect(said(T + 61 * DAY)).toMatchObject({ customers: 1, subscriptions: 1 });
    driver.record(T + 100 * DAY, order('1'));
    driver.record(T + 101 * DAY, { type: 'SUBSCRIPTION_CANCELLED', ...yearly });
    // Whoever ends it says so: the order of the day before does not tell otherwise.
    expect(said(T + 101 * DAY)).toMatchObject({ lost: 1, purchasers: 1 });
    expect(said(T + 101 * DAY)).not.toHaveProperty('customers');
    driver.record(T + 110 * DAY, order('2'));
    expect(said(T + 110 * DAY)).toMatchObject({ customers: 1 });
    driver.record(T + 111 * DAY, { type: 'SUBSCRIPTION_STARTED', ...yearly });
    // A year after the first day with a subscription, and after the first without one.
    const [begun, ended, again] = [MIDNIGHT + 366 * DAY, MIDNIGHT + 467 * DAY, MIDNIGHT + 476 * DAY];
    expect(said(begun - 1)).not.toHaveProperty('customersAtStart');
    expect(said(begun)).toMatchObject({ customersAtStart: 1, customers: 1 });
    expect(said(ended - 1)).toMatchObject({ customersAtStart: 1 });
    expect(said(ended)).not.toHaveProperty('customersAtStart');
    expect(said(again)).toMatchObject({ customersAtStart: 1, customers: 1 });
    expect(said(T + 841 * DAY - 1)).toMatchObject({ customersAtStart: 1, customers: 1 });
    expect(said(T + 841 * DAY)).toMatchObject({ customersAtStart: 1, lostOfStart: 1, lost: 1 });
    expect(said(T + 3 * 366 * DAY + 200 * DAY)).not.toHaveProperty('lost');
  });

  test('a ninth subscription takes the place of the one longest not paid for', () => {
    const driver = new CustomerDriver(definitions({}));
    for (let number = 0; number < 9; number++) {
      const attributes = { subscriptionId: `s-${number}` };
      driver.record(T + number * HOUR, { type: 'SUBSCRIPTION_STARTED', attributes });
    }
    const at = T + 9 * HOUR;
    expect(partials(driver.totals, at)['brand all']).toMatchObject({ subscriptions: 8 });
    driver.record(at, { type: 'SUBSCRIPTION_CANCELLED', attributes: { subscriptionId: 's-8' } });
    expect(partials(driver.totals, at)['brand all']).toMatchObject({ subscriptions: 7 });
  });

  test('a subscription that was cancelled begins anew with the next payment, also when the first one is told last', () => {
    const driver = new CustomerDriver(definitions({}));
    const at = T + 210 * DAY;
    driver.record(at, { type: 'SUBSCRIPTION_STARTED', occurredAt: T + 200 * DAY });
    driver.record(at, { type: 'SUBSCRIPTION_STARTED', occurredAt: T });
    const said = (now: number): object => partials(driver.silence(now).totals, now)['brand all'] ?? {};
    expect(said(at)).toMatchObject({ customers: 1, subscriptions: 1 });
    // Two periods of 30 days, then nothing until the second start.
    const [begun, ended, again] = [MIDNIGHT + 366 * DAY, MIDNIGHT + 426 * DAY, MIDNIGHT + 566 * DAY];
    for (const [now, has] of [
      [begun - 1, false],
      [begun, true],
      [ended - 1, true],
      [ended, false],
      [again, true],
    ] as const) {
      expect('customersAtStart' in said(now), String((now - T) / DAY)).toBe(has);
    }
  });

  test('times on pages, for the brand as a whole', () => {
    const driver = new CustomerDriver(definitions({}));
    const view = (pageViewId: string) => ({ type: 'PAGE_VIEW' as const, pageViewId });
    const report = (pageViewId: string, engagedMs: number) => {
      return { type: 'PAGE_ENGAGEMENT' as const, pageViewId, engagedMs };
    };
    driver.record(T, view('a')).record(T, view('b')).record(T, view('c'));
    expect(partials(driver.totals, T)['brand all']).toMatchObject({ unmeasuredViews: 3 });
    driver
      .record(T + 1000, report('a', 30_000))
      .record(T + 2000, report('a', 20_000))
      .record(T + 3000, report('b', 5000));
    expect(partials(driver.totals, T + 3000)['brand all']).toMatchObject({
      ...{ pageVisibleMs: 55_000, measuredViews: 2, longViews: 1, unmeasuredViews: 1 },
    });
    driver.silence(T + HOUR);
    expect(partials(driver.totals, T + HOUR)['brand all']).toMatchObject({ sessions: 1, engagedSessions: 1 });
  });

  test('moves with the customer from segment to segment, whole', () => {
    const driver = new CustomerDriver(definitions(SEGMENTS));
    driver.record(T, order('1', {}, true)).record(T + DAY, order('2'));
    expect(partials(driver.totals, T + DAY)['segment buyer']).toMatchObject({
      orders: 2,
      guestOrders: 1,
      purchasers: 1,
    });
    driver.silence(T + 25 * DAY);
    expect(partials(driver.totals, T + 25 * DAY)['segment lapsing']).toMatchObject({ orders: 2, repeatPurchasers: 1 });
    driver.silence(T + 40 * DAY);
    expect(partials(driver.totals, T + 40 * DAY)['segment buyer']).toEqual({});
  });

  test('is a function of the customer: whoever is taken out leaves nothing, and is counted again as before', () => {
    const { drivers, totals, until } = tangled();
    const before = everyPartial(totals, until);
    expect(before['brand all']?.['orders']).toBeGreaterThan(100);
    for (const driver of drivers) takeOut(driver);
    const without = everyPartial(totals, until);
    for (const [name, amounts] of Object.entries(without)) {
      if (/^(channel|campaign)/.test(name)) continue;
      const left = Object.keys(amounts).filter((amount) => !OF_THE_BRAND.has(amount.split(' ')[0] ?? ''));
      expect({ name, left }).toEqual({ name, left: [] });
    }
    // Every one of them has a deadline at last, with which it is counted again; the clock is that of the last one.
    for (const driver of drivers) driver.record(until + HOUR, { type: 'CUSTOM' });
    const { 'brand all': again } = everyPartial(totals, until + HOUR);
    const { drivers: others, totals: undisturbed } = tangled();
    for (const driver of others) driver.record(until + HOUR, { type: 'CUSTOM' });
    expect(again).toEqual(everyPartial(undisturbed, until + HOUR)['brand all']);
  });

  test('adds up to the same however customers are spread over partitions', () => {
    const one = tangled(1);
    const three = tangled(3);
    const sums: Record<string, Record<string, number>> = {};
    for (const totals of three.partitions) {
      for (const [name, amounts] of Object.entries(everyPartial(totals, three.until))) {
        const sum = (sums[name] ??= {});
        for (const [amount, value] of Object.entries(amounts)) sum[amount] = (sum[amount] ?? 0) + value;
      }
    }
    expect(sums).toEqual(everyPartial(one.totals, one.until));
  });
});

/** Everything that makes a fold branch, over a year, of the customers of some partitions. */
function tangled(partitions = 1) {
  const processor = createCustomer(definitions(SEGMENTS));
  const all = Array.from({ length: partitions }, () => processor.totals.initial());
  const drivers = new Map<string, CustomerDriver>();
  let until = 0;
  for (const { key, timestamp, value } of tangledInteractions(6000)) {
    let driver = drivers.get(key);
    if (driver === undefined) {
      driver = new CustomerDriver(processor, `u:${key}`, all[drivers.size % partitions]);
      driver.isRepacking = drivers.size % 5 === 0;
      drivers.set(key, driver);
    }
    driver.record(timestamp, value);
    until = Math.max(until, timestamp);
  }
  for (const driver of drivers.values()) driver.silence(until);
  const [totals] = all;
  if (totals === undefined) throw new Error('no partition');
  return { drivers: [...drivers.values()], totals, partitions: all, until };
}
