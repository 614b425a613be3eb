import { describe, expect, test } from 'vitest';
import { createCustomer } from '../../processors/customer/processor.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, everyPartial, takeOut } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR + 1;
const WINDOWS = ['24h', '7d', '30d', '90d', '365d'];
/** When the hour, or day, of T leaves each of them. */
const LEAVES = [T + 25 * HOUR - 1, T + 169 * HOUR - 1, MIDNIGHT + 31 * DAY, MIDNIGHT + 91 * DAY, MIDNIGHT + 366 * DAY];

function order(orderId: string, changes: object = {}) {
  const placed = { orderId, amountMinor: 1000, currency: 'JPY', guest: false, items: [], ...changes };
  return { type: 'ORDER_PLACED' as const, order: placed };
}

/** What is said at `now` of one amount, by window, shortest first. */
function over({ totals }: CustomerDriver, now: number, name: string, of = 'brand all'): number[] {
  const said = everyPartial(totals, now)[of] ?? {};
  return WINDOWS.map((window) => said[window === '365d' ? name : `${name} ${window}`] ?? 0);
}

describe('a customer in windows of a brand', () => {
  test.each(['active', 'purchasers', 'referrers', 'orders', 'revenueMinor', 'interactions'])(
    'is in %s of each window until the exact end, without a deadline of its own',
    (name) => {
      const driver = new CustomerDriver(definitions({})).record(T, order('1')).record(T, { type: 'REFERRAL_SENT' });
      const by = { revenueMinor: 1000, interactions: 2 }[name] ?? 1;
      for (const [index, leaves] of LEAVES.entries()) {
        const isIn = (each: number) => (each >= index ? by : 0);
        expect(over(driver, leaves - 1, name)).toEqual(WINDOWS.map((_each, each) => isIn(each)));
      }
      expect(over(driver, LEAVES[4] ?? 0, name)).toEqual([0, 0, 0, 0, 0]);
    },
  );

  test.each([60, 70])('begins with the first order, however few of %d orders are remembered', (count) => {
    const driver = new CustomerDriver(definitions({}));
    for (let index = 0; index < count; index++) driver.record(T + index * 60_000, order(`${index}`));
    // The window of 24 hours begins in the morning before the first order.
    const morning = MIDNIGHT + DAY + 5 * HOUR;
    expect(over(driver, morning, 'customersAtStart')).toEqual([0, 0, 0, 0, 0]);
    expect(over(driver, morning + 7 * HOUR, 'customersAtStart')).toEqual([1, 0, 0, 0, 0]);
  });

  test('bought again in each window that holds the order before the last', () => {
    const driver = new CustomerDriver(definitions({})).record(T, order('1')).record(T + 2 * DAY, order('2'));
    expect(over(driver, T + 2 * DAY, 'repeatPurchasers')).toEqual([0, 1, 1, 1, 1]);
    driver.record(T + 3 * DAY, order('3'));
    expect(over(driver, T + 3 * DAY, 'repeatPurchasers')).toEqual([1, 1, 1, 1, 1]);
    driver.record(T + 3 * DAY, { ...order('2'), type: 'ORDER_CANCELLED' });
    expect(over(driver, T + 3 * DAY, 'repeatPurchasers')).toEqual([0, 1, 1, 1, 1]);
    driver.record(T + 3 * DAY, { ...order('3'), type: 'ORDER_CANCELLED' });
    expect(over(driver, T + 3 * DAY, 'repeatPurchasers')).toEqual([0, 0, 0, 0, 0]);
    expect(over(driver, T + 3 * DAY, 'purchasers')).toEqual([0, 1, 1, 1, 1]);
  });

  test('counts where it happened when it comes late, and once when it comes twice', () => {
    const late = new CustomerDriver(definitions({})).record(T + 40 * DAY, { type: 'PAGE_VIEW' });
    late.record(T + 40 * DAY, { ...order('1'), occurredAt: T + 38 * DAY, eventId: 'one' });
    late.record(T + 40 * DAY, { ...order('1'), occurredAt: T + 38 * DAY, eventId: 'one' });
    late.record(T + 40 * DAY, { ...order('2'), occurredAt: T });
    expect(over(late, T + 40 * DAY, 'orders')).toEqual([0, 1, 1, 2, 2]);
    expect(over(late, T + 40 * DAY, 'repeatPurchasers')).toEqual([0, 0, 0, 1, 1]);
    // An earlier thing makes nobody active then who was active later.
    expect(over(late, T + 40 * DAY, 'active')).toEqual([1, 1, 1, 1, 1]);
    // So much too late that nothing follows at once: it is taken from every window that held it.
    late.record(T + 41 * DAY, { ...order('1'), type: 'ORDER_CANCELLED', occurredAt: T - 400 * DAY });
    expect(late.outcomes.at(-1)).toBe('beyond_horizon');
    expect(over(late, T + 41 * DAY, 'orders')).toEqual([0, 0, 0, 1, 1]);
    expect(over(late, T + 41 * DAY, 'purchasers')).toEqual([0, 0, 0, 1, 1]);
  });

  test('is the same in any order of its events', () => {
    const events = [
      { at: T, changes: order('1') },
      { at: T + 5 * DAY, changes: order('2') },
      { at: T + 5 * DAY + HOUR, changes: { type: 'REFERRAL_SENT' as const } },
      { at: T + 20 * DAY, changes: order('3', { guest: true }) },
      { at: T + 26 * DAY, changes: { ...order('3'), type: 'ORDER_CANCELLED' as const } },
    ];
    const now = T + 27 * DAY;
    const said = [
      [0, 1, 2, 3, 4],
      [4, 3, 2, 1, 0],
      [2, 4, 0, 3, 1],
    ].map((places) => {
      const driver = new CustomerDriver(definitions({})).record(now, { type: 'PAGE_VIEW' });
      for (const place of places) {
        const { at = 0, changes = {} } = events[place] ?? {};
        driver.record(now, { ...changes, occurredAt: at, eventId: `e-${place}` });
      }
      return everyPartial(driver.silence(now).totals, now);
    });
    expect(said[1]).toEqual(said[0]);
    expect(said[2]).toEqual(said[0]);
    expect(said[0]?.['brand all']).toMatchObject({ 'orders 30d': 2, 'purchasers 30d': 1, 'repeatPurchasers 30d': 1 });
  });

  test('was one at the start of each window, and is lost in those during which it was lost', () => {
    const driver = new CustomerDriver(definitions({})).record(T, order('1'));
    const lostAt = T + 90 * DAY;
    expect(over(driver, T, 'customersAtStart')).toEqual([0, 0, 0, 0, 0]);
    // An hour that began with the customer is the start of the shortest window 24 hours later.
    expect(over(driver, T + 25 * HOUR - 2, 'customersAtStart')).toEqual([0, 0, 0, 0, 0]);
    expect(over(driver, T + 25 * HOUR - 1, 'customersAtStart')).toEqual([1, 0, 0, 0, 0]);
    const before = lostAt - 1;
    driver.silence(before);
    expect(over(driver, before, 'customersAtStart')).toEqual([1, 1, 1, 0, 0]);
    expect(over(driver, before, 'lost')).toEqual([0, 0, 0, 0, 0]);
    driver.silence(lostAt);
    expect(over(driver, lostAt, 'lostOfStart')).toEqual([1, 1, 1, 0, 0]);
    expect(over(driver, lostAt, 'lost')).toEqual([1, 1, 1, 1, 1]);
    expect(over(driver, lostAt + 2 * DAY, 'lost')).toEqual([0, 1, 1, 1, 1]);
    expect(over(driver, lostAt + 2 * DAY, 'lostOfStart')).toEqual([0, 1, 1, 1, 0]);
    // Back again: lost in none, and still a customer of each start that it was one at.
    driver.record(lostAt + 3 * DAY, order('2'));
    expect(over(driver, lostAt + 3 * DAY, 'lost')).toEqual([0, 0, 0, 0, 0]);
    expect(over(driver, lostAt + 3 * DAY, 'lostOfStart')).toEqual([0, 0, 0, 0, 0]);
    expect(over(driver, lostAt + 3 * DAY, 'customersAtStart')).toEqual([0, 1, 1, 1, 0]);
  });

  test('goes into a segment, and out of it, with everything of every window', () => {
    const driver = new CustomerDriver(definitions({ quiet: { 'ages.interactions': { $gte: 2, $lt: 40 } } }));
    driver.record(T, order('1', { guest: true })).record(T, { type: 'MESSAGE_SENT', channel: 'EMAIL' });
    const inside = T + 3 * DAY;
    driver.silence(inside);
    const { 'segment quiet': segment = {}, 'brand all': brand = {} } = everyPartial(driver.totals, inside);
    expect(segment).toMatchObject({ 'orders 7d': 1, 'guestOrders 7d': 1, 'messagesSent 7d': 1, 'active 30d': 1 });
    for (const [name, amount] of Object.entries(segment)) expect([name, brand[name]]).toEqual([name, amount]);
    driver.silence(T + 41 * DAY);
    expect(everyPartial(driver.totals, T + 41 * DAY)['segment quiet']).toEqual({});
  });

  test('leaves nothing at any later instant once it is taken out, whatever has left a window meanwhile', () => {
    for (const after of [0, HOUR, 30 * HOUR, 8 * DAY, 50 * DAY, 100 * DAY, 300 * DAY, 370 * DAY, 500 * DAY]) {
      const driver = new CustomerDriver(
        createCustomer(definitions({ all: { 'traits.orders.lifetime': { $gte: 1 } } })),
      );
      driver.record(T, order('1', { guest: true })).record(T + 30 * HOUR, order('2'));
      driver.record(T + 30 * HOUR, { type: 'REFERRAL_SENT' });
      const now = T + 30 * HOUR + after;
      driver.silence(now);
      // Somebody else lets the clock go on further than the customer's.
      new CustomerDriver(driver.processor, 'u:2', driver.totals).record(now + 3 * HOUR, { type: 'IDENTIFIED' });
      takeOut(driver);
      for (const later of [now + 3 * HOUR, now + 40 * HOUR, now + 40 * DAY]) {
        const said = everyPartial(driver.totals, later);
        const left = Object.entries(said).flatMap(([of, amounts]) =>
          Object.keys(amounts)
            .filter((name) => !/essions|awareness/.test(name))
            .map((name) => `${of} ${name}`),
        );
        expect({ after, left }).toEqual({ after, left: [] });
      }
    }
  });
});
