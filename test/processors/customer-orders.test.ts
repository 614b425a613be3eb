import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Interaction, Order } from '../../schemas/types.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR;

function order(orderId: string, amountMinor = 1000, currency = 'JPY'): Order {
  return { orderId, amountMinor, currency, guest: false, items: [] };
}

const placed = (id: string, amount?: number, currency?: string): Partial<Interaction> => ({
  type: 'ORDER_PLACED',
  order: order(id, amount, currency),
});
const cancelled = (id: string): Partial<Interaction> => ({ type: 'ORDER_CANCELLED', order: order(id) });
const refunded = (id: string, amount: number): Partial<Interaction> => ({
  type: 'ORDER_REFUNDED',
  order: order(id, amount),
});

function sums(driver: CustomerDriver, at = driver.state.at) {
  const { traits, ages } = driver.view(at);
  return {
    orders: traits.orders['30d'],
    revenue: traits.revenue['30d'],
    refunds: traits.refunds['30d'],
    lifetime: traits.revenue.lifetime,
    age: ages.orders,
  };
}

describe('orders', () => {
  test('another currency counts as an order, not as revenue', () => {
    const driver = new CustomerDriver(definitions({})).record(T, placed('a', 500, 'USD')).record(T, placed('b', 700));
    expect(sums(driver)).toEqual({ orders: 2, revenue: 700, refunds: 0, lifetime: 700, age: 0 });
  });

  test('a repeated order id counts once, whatever its event is called', () => {
    const driver = new CustomerDriver(definitions({})).record(T, placed('a')).record(T + 40 * DAY, placed('a'));
    expect(driver.outcomes).toEqual(['apply', 'duplicate_order']);
    expect(driver.view(T + 40 * DAY).traits.orders.lifetime).toBe(1);
  });

  test('a cancelled order leaves orders, revenue and churn, with what was refunded of it', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, placed('a', 1000))
      .record(T + DAY, placed('b', 300))
      .record(T + 2 * DAY, refunded('b', 100))
      .record(T + 3 * DAY, cancelled('b'))
      .record(T + 4 * DAY, refunded('b', 200))
      .record(T + 5 * DAY, cancelled('b'));
    expect(sums(driver)).toEqual({ orders: 1, revenue: 1000, refunds: 2, lifetime: 1000, age: 5 });
    const alone = new CustomerDriver(definitions({})).record(T, placed('a', 1000)).silence(T + 5 * DAY);
    expect(driver.view(T + 5 * DAY).churn).toEqual(alone.view(T + 5 * DAY).churn);
  });

  test('a cancellation before its order leaves a mark; the order then never counts', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, cancelled('a'))
      .record(T + 1, placed('a'))
      .record(T + 2, placed('a'));
    expect(driver.outcomes).toEqual(['apply', 'apply', 'duplicate_order']);
    expect(sums(driver)).toEqual({ orders: 0, revenue: 0, refunds: 0, lifetime: 0, age: undefined });
    expect(driver.churn).toEqual([]);
  });

  test('a refund may come before its order', () => {
    const driver = new CustomerDriver(definitions({})).record(T, refunded('a', 400)).record(T + 1, placed('a', 1000));
    expect(sums(driver)).toEqual({ orders: 1, revenue: 600, refunds: 1, lifetime: 600, age: 0 });
    expect(sums(driver.record(T + 2, cancelled('a'))).revenue).toBe(0);
  });

  test('an unknown order is skipped once 64 are remembered', () => {
    const driver = new CustomerDriver(definitions({}));
    for (let index = 0; index < 65; index++) driver.record(T + index * DAY, placed(`o${index}`));
    driver.record(T + 66 * DAY, cancelled('o0')).record(T + 66 * DAY, cancelled('o1'));
    expect(driver.outcomes.slice(65)).toEqual(['unknown_order', 'apply']);
    expect(driver.view(T + 66 * DAY).traits.orders['365d']).toBe(64);
  });

  test('only the newest 16 marks are kept', () => {
    const driver = new CustomerDriver(definitions({}));
    for (let index = 0; index < 17; index++) driver.record(T + index, cancelled(`o${index}`));
    driver.record(T + 20, placed('o0')).record(T + 21, placed('o1'));
    expect(sums(driver).orders).toBe(1);
  });

  test('an order too late for any window still counts for churn, at once', () => {
    const driver = new CustomerDriver(definitions({}))
      .record(T, placed('new'))
      .record(T + 1, { ...placed('old'), occurredAt: T - 500 * DAY })
      .silence(T + 1);
    expect(driver.outcomes).toEqual(['apply', 'beyond_horizon']);
    expect(driver.churn.map(({ occurredAt, cause }) => [occurredAt - T, cause])).toEqual([
      [0, 'EVENT'],
      [1, 'EVENT'],
    ]);
    expect(driver.churn[1]?.probability).not.toBe(driver.churn[0]?.probability);
  });

  test('more than 64 orders keep first, last and distinct days', () => {
    const many = new CustomerDriver(definitions({}));
    for (let index = 0; index < 200; index++) many.record(T + index * 12 * HOUR, placed(`o${index}`));
    // The same days, one order each: 100 of them, still more than are remembered.
    const few = new CustomerDriver(definitions({}));
    for (let index = 0; index < 100; index++) few.record(T + index * DAY, placed(`o${index}`));
    few.record(T + 199 * 12 * HOUR, placed('last'));
    const at = T + 120 * DAY;
    expect(many.view(at).churn).toEqual(few.view(at).churn);
    expect(many.state.body.length).toBeLessThan(3000);
  });
});

const steps: [string, Partial<Interaction>][] = [
  ['placed a', { ...placed('a', 1000), occurredAt: T }],
  ['refunded a', { ...refunded('a', 300), occurredAt: T + DAY }],
  ['cancelled a', { ...cancelled('a'), occurredAt: T + 2 * DAY }],
  ['refunded a again', { ...refunded('a', 700), occurredAt: T + 3 * DAY }],
  ['placed b', { ...placed('b', 50), occurredAt: T + 4 * DAY }],
  ['refunded b', { ...refunded('b', 20), occurredAt: T + 5 * DAY }],
];

test('placed, refunded and cancelled in any order end the same', () => {
  const now = T + 10 * DAY;
  const play = (order: readonly number[]): CustomerDriver => {
    const driver = new CustomerDriver(definitions({}));
    for (const index of order) driver.record(now, { eventId: `e${index}`, ...steps[index]?.[1] });
    return driver;
  };
  const straight = play([0, 1, 2, 3, 4, 5]);
  expect(sums(straight)).toEqual({ orders: 1, revenue: 30, refunds: 3, lifetime: 30, age: 6 });
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }), (order) => {
      expect(play(order).view(now)).toEqual(straight.view(now));
    }),
    { numRuns: 200 },
  );
});
