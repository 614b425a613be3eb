import { describe, expect, test } from 'vitest';
import { createBrand } from '../../processors/brand/processor.ts';
import type { BrandState } from '../../processors/brand/state.ts';
import type { BrandAddition, BrandTotals } from '../../processors/brand/totals.ts';
import type { BrandDefinition, Definitions } from '../../processors/core/definitions.ts';
import type { BrandKpi, BrandPartial } from '../../schemas/types.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { DocumentDriver } from './document-driver.ts';

const T = Date.UTC(2026, 0, 1);
const SECOND = 1000;

/** One document of a brand. */
class Driver extends DocumentDriver<BrandState, BrandPartial, BrandTotals, BrandAddition> {
  constructor(key = 'acme|brand|all', definitions: Definitions = definitionsWith({})) {
    super(createBrand(definitions), key);
  }

  partial(at: number, partition: number, amounts: Record<string, number>): this {
    const { brandId, dimension, value } = this.state;
    return this.take(at, { brandId, dimension, value, partition, asOf: at, amounts });
  }

  /** `measure: numerator/denominator` of what came since the last look. */
  get published(): Record<string, string> {
    const kpis = this.outputs.splice(0).map(({ value }) => value as BrandKpi);
    return Object.fromEntries(
      kpis.map(({ measure, numerator, denominator }) => [measure, `${numerator}/${denominator}`]),
    );
  }
}

function withBrand(changes: Partial<BrandDefinition>): Definitions {
  const definitions = definitionsWith({});
  return { ...definitions, defaultBrand: { ...definitions.defaultBrand, ...changes }, brands: new Map() };
}

describe('a brand', () => {
  test('adds up what partitions say, of each the newest: what comes again counts once', () => {
    const driver = new Driver('acme|segment|vip');
    driver.partial(T, 0, { orders: 5, purchasers: 2 });
    expect(driver.published).toEqual({
      orders: '5/null',
      unique_customers: '2/null',
      guest_checkout_rate: '0/5',
      purchase_frequency: '5/2',
      average_order_value: '0/5',
      revenue_per_customer: '0/2',
      repeat_purchase_rate: '0/2',
    });
    driver.partial(T + 20 * SECOND, 1, { orders: 3, purchasers: 3 });
    expect(driver.published['purchase_frequency']).toBe('8/5');
    driver.partial(T + 40 * SECOND, 0, { orders: 6, purchasers: 2 });
    driver.partial(T + 60 * SECOND, 0, { orders: 6, purchasers: 2 });
    expect(driver.published['purchase_frequency']).toBe('9/5');
  });

  test('publishes at once, then at most once in ten seconds, what changed, and the last by itself', () => {
    const driver = new Driver().partial(T, 0, { orders: 1 });
    driver.outputs.length = 0;
    for (let second = 1; second <= 9; second++) driver.partial(T + second * SECOND, 0, { orders: 1 + second });
    expect(driver.published).toEqual({});
    driver.silence(T + 10 * SECOND);
    expect(driver.outputs[0]).toMatchObject({ timestamp: T + 10 * SECOND, key: 'acme|brand|all|orders|365d' });
    expect(driver.published).toMatchObject({
      orders: '10/null',
      guest_checkout_rate: '0/10',
      purchase_frequency: '10/0',
    });
    driver.partial(T + 21 * SECOND, 0, { orders: 10 });
    expect(driver.published).toEqual({});
  });

  test('says null again when nothing is left, and its gauge goes', () => {
    const driver = new Driver().partial(T, 0, { orders: 4, guestOrders: 1 });
    const gauge = () =>
      [...driver.processor.totals.gauges(driver.totals)].find(({ labels }) => labels['kpi'] === 'guest_checkout_rate');
    expect(gauge()).toEqual({ name: 'brand_kpi', labels: { brand: 'acme', kpi: 'guest_checkout_rate' }, value: 0.25 });
    driver.partial(T + 20 * SECOND, 0, {});
    const last = driver.outputs
      .map(({ value }) => value as BrandKpi)
      .findLast(({ measure }) => measure === 'guest_checkout_rate');
    expect(last).toMatchObject({ numerator: 0, denominator: 0, value: null, denominatorOf: 'orders' });
    expect(gauge()).toBeUndefined();
  });

  test('publishes everything anew under another definition', () => {
    const driver = new Driver('acme|brand|all', withBrand({ currency: 'JPY' })).partial(T, 0, { orders: 1, active: 3 });
    driver.outputs.length = 0;
    driver.processor = createBrand(withBrand({ currency: 'USD', socialReach: 500 }));
    driver.partial(T + 20 * SECOND, 0, { orders: 1, active: 3 });
    const kpis = driver.outputs.map(({ value }) => value as BrandKpi);
    expect(kpis.find(({ measure }) => measure === 'average_order_value')).toMatchObject({ currency: 'USD' });
    expect(driver.published['social_engagement_rate']).toBe('0/500');
  });

  test('a partial that is older than the document is applied at its clock', () => {
    const driver = new Driver().partial(T + 60 * SECOND, 0, { orders: 1 });
    driver.partial(T, 1, { orders: 2 }).silence(T + 70 * SECOND);
    expect(driver.published['orders']).toBe('3/null');
    expect(driver.state.at).toBe(T + 70 * SECOND);
  });

  test('is small, however many partitions there are', () => {
    const driver = new Driver();
    const many = Object.fromEntries(['orders', 'revenueMinor', 'interactions', 'active'].map((name) => [name, 1e9]));
    for (let partition = 0; partition < 48; partition++) driver.partial(T, partition, many);
    expect(driver.packed().length).toBeLessThan(48 * 60 + 200);
  });
});
