import { describe, expect, test } from 'vitest';
import type { RatioDefinition } from '../../processors/core/definitions.ts';
import type { Interaction } from '../../schemas/types.ts';
import { definitionsWith, measureOf, ratioOf, refusalOf } from '../harness/definition-sets.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT } from './customer-fixture.ts';

const order = (orderId: string, amountMinor: number): Partial<Interaction> => ({
  type: 'ORDER_PLACED',
  order: { orderId, amountMinor, currency: 'JPY', guest: false, items: [] },
});
const MEASURES = [
  measureOf('coupons', 'count', { type: 'ORDER_PLACED', campaignId: 'coupon' }),
  measureOf('spent', 'sum', { type: 'ORDER_PLACED' }, 'order.amountMinor'),
  measureOf('dearest', 'max', { type: 'ORDER_PLACED' }, 'order.amountMinor'),
  measureOf('theirs', 'count', {}, null, ['other']),
];

function driverOf(
  segments: Record<string, Record<string, unknown>>,
  ratios: readonly RatioDefinition[],
  hash = 'one',
): CustomerDriver {
  return new CustomerDriver({ ...definitions(segments, hash), measures: MEASURES, ratios });
}

describe('a ratio of the brand’s own', () => {
  test('is of the product’s measures, missing over zero, and turns by silence at the exact instant', () => {
    const driver = driverOf({ large: { 'ratios.basket.24h': { $gte: 500 } } }, [
      ratioOf('basket', 'revenue', 'orders'),
    ]);
    driver
      .record(MIDNIGHT)
      .record(MIDNIGHT + HOUR, order('a', 900))
      .record(MIDNIGHT + 3 * HOUR, order('b', 200));
    expect(driver.view(MIDNIGHT + 3 * HOUR).ratios['basket']).toMatchObject({ '1h': 200, '24h': 550, lifetime: 550 });
    driver.silence(MIDNIGHT + 10 * DAY);
    // The large order leaves first, and the small one stays.
    expect(driver.memberships.map(({ at, changes, cause }) => [at, changes, cause])).toEqual([
      [MIDNIGHT + HOUR, ['+large'], 'EVENT'],
      [MIDNIGHT + 26 * HOUR, ['-large'], 'TIME'],
    ]);
    expect(driver.view(MIDNIGHT + 10 * DAY).ratios['basket']).not.toHaveProperty('7d');
    expect(driver.traits.at(-1)?.ratios).toMatchObject([{ ratio: 'basket', last24h: 550 }]);
  });

  test('is of measures of the brand’s own, late, repeated and cancelled events included', () => {
    const ratios = [ratioOf('with-coupon', 'coupons', 'orders'), ratioOf('mean', 'spent', 'coupons')];
    const driver = driverOf({ hunter: { 'ratios.with-coupon.30d': { $gt: 0.5 } } }, ratios);
    const coupon = { ...order('a', 300), campaignId: 'coupon', eventId: 'a' };
    driver
      .record(MIDNIGHT, coupon)
      .record(MIDNIGHT + HOUR, coupon)
      .record(MIDNIGHT + HOUR, order('b', 100));
    expect(driver.view(MIDNIGHT + HOUR).ratios).toMatchObject({ 'with-coupon': { '7d': 0.5 }, mean: { '7d': 400 } });
    driver.record(MIDNIGHT + 2 * HOUR, { ...order('c', 50), campaignId: 'coupon', occurredAt: MIDNIGHT - 3 * DAY });
    driver.record(MIDNIGHT + 3 * HOUR, { ...order('b', 100), type: 'ORDER_CANCELLED' });
    driver.silence(MIDNIGHT + 60 * DAY);
    expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([
      [MIDNIGHT, ['+hunter']],
      [MIDNIGHT + HOUR, ['-hunter']],
      [MIDNIGHT + 2 * HOUR, ['+hunter']],
      [MIDNIGHT + 31 * DAY, ['-hunter']],
    ]);
  });

  test('is right at once for what was counted before it was defined', () => {
    const driver = driverOf({}, [], 'one')
      .record(MIDNIGHT, order('a', 700))
      .record(MIDNIGHT + 1, order('b', 100));
    const { processor } = driverOf(
      { big: { 'ratios.basket.90d': 400 } },
      [ratioOf('basket', 'revenue', 'orders')],
      'two',
    );
    driver.processor = processor;
    driver.record(MIDNIGHT + HOUR);
    expect(driver.memberships).toMatchObject([{ changes: ['+big'], cause: 'DEFINITION' }]);
  });

  test('is there for its brands only', () => {
    const driver = driverOf({}, [ratioOf('basket', 'revenue', 'orders', ['other'])]).record(MIDNIGHT, order('a', 5));
    expect(driver.view(MIDNIGHT).ratios).toEqual({});
  });
});

describe('a ratio that cannot be served is refused with its place and the fix', () => {
  const faultsOf = (ratios: readonly RatioDefinition[], segments: Parameters<typeof definitionsWith>[0] = {}) =>
    refusalOf({ ...definitionsWith(segments), measures: MEASURES, ratios });

  test.each<[RatioDefinition, string]>([
    [ratioOf('ctr', 'clicks', 'opens'), 'ratios/ctr.json: id: "ctr" is a ratio of the product'],
    [ratioOf('x', 'order', 'opens'), 'ratios/x.json: numerator: unknown measure "order"; did you mean "orders"?'],
    [ratioOf('x', 'orders', 'cupons'), 'ratios/x.json: denominator: unknown measure "cupons"; did you mean "coupons"?'],
    [
      ratioOf('x', 'orders', 'dearest'),
      'ratios/x.json: denominator: "dearest" is of max: a ratio is made of counts and sums',
    ],
    [
      ratioOf('x', 'theirs', 'orders', ['acme']),
      'ratios/x.json: numerator: measure "theirs" is for other only; give both the same brands',
    ],
  ])('%j', (ratio, fault) => {
    expect(faultsOf([ratio])).toEqual([fault]);
  });

  test('with more than 64 of a brand, and in rules that not all its brands have', () => {
    const many = Array.from({ length: 65 }, (_, index) => ratioOf(`r${index}`, 'orders', 'sessions'));
    expect(faultsOf(many)).toEqual(['ratios/: holds 65 for every brand, and 64 are allowed']);
    const own = [ratioOf('basket', 'revenue', 'orders', ['acme'])];
    expect(faultsOf(own, { big: { 'ratios.basket.30d': { $gte: 3 } } })).toEqual([
      'segments/big.json: where: "ratios.basket.30d": ratio "basket" is for acme only; give both the same brands',
    ]);
    expect(faultsOf(own, { big: { brands: ['acme'], where: { 'ratios.basket.31d': 1 } } })).toEqual([
      'segments/big.json: where["ratios.basket.31d"]: unknown path "ratios.basket.31d"; did you mean "ratios.basket.30d"?',
    ]);
    // A product's own measure that is never negative makes no ratio that is.
    expect(faultsOf([ratioOf('rate', 'orders', 'sessions')], { big: { 'ratios.rate.7d': { $lt: 0 } } })).toHaveLength(
      1,
    );
    expect(faultsOf(own, { big: { brands: ['acme'], where: { 'ratios.basket.7d': { $lt: 0 } } } })).toEqual([]);
  });
});
