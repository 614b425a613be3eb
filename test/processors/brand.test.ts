import { describe, expect, test } from 'vitest';
import { createBrand } from '../../processors/brand/processor.ts';
import type { BrandState } from '../../processors/brand/state.ts';
import type { BrandAddition, BrandTotals } from '../../processors/brand/totals.ts';
import type { BrandDefinition, Definitions } from '../../processors/core/definitions.ts';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
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

  /** `shorter` as in the schema: over 24 hours, 7, 30 and 90 days. */
  partial(at: number, partition: number, amounts: Record<string, number>, shorter: BrandPartial['shorter'] = {}): this {
    const { brandId, dimension, value } = this.state;
    return this.take(at, { brandId, dimension, value, partition, asOf: at, amounts, shorter });
  }

  /** `measure: numerator/denominator` of what came since the last look. */
  get published(): Record<string, string> {
    const kpis = this.outputs.splice(0).map(({ value }) => value as BrandKpi);
    return Object.fromEntries(
      kpis.map(({ measure, window, numerator, denominator }) => [
        window === '365d' || window === 'now' ? measure : `${measure} ${window}`,
        `${numerator}/${denominator}`,
      ]),
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

  test('publishes each window by itself, and only those that changed', () => {
    const driver = new Driver().partial(T, 0, { orders: 9, customers: 4 }, { orders: [1, 2, 4, 9] });
    const keys = driver.outputs.map(({ key }) => key).filter((key) => key?.includes('|orders|') === true);
    expect(keys).toEqual(['24h', '7d', '30d', '90d', '365d'].map((window) => `acme|brand|all|orders|${window}`));
    expect(driver.published).toMatchObject({ customers: '4/null' });
    // An hour later nothing is left of the day.
    driver.partial(T + 20 * SECOND, 0, { orders: 9, customers: 4 }, { orders: [0, 2, 4, 9] });
    expect(driver.published).toEqual({
      'orders 24h': '0/null',
      'guest_checkout_rate 24h': '0/0',
      'purchase_frequency 24h': '0/0',
      'average_order_value 24h': '0/0',
    });
  });

  test('spends as much a customer as orders are worth times how often one orders, in each window', () => {
    const shorter = { orders: [3, 5, 8, 9], purchasers: [2, 4, 5, 5], revenueMinor: [700, 900, 4000, 4100] };
    const driver = new Driver().partial(T, 0, { orders: 11, purchasers: 6, revenueMinor: 5100 }, shorter);
    const kpis = driver.outputs.map(({ value }) => value as BrandKpi);
    for (const window of ['24h', '7d', '30d', '90d', '365d']) {
      const of = (name: string) => kpis.find((each) => each.measure === name && each.window === window)?.value ?? -1;
      const product = of('average_order_value') * of('purchase_frequency');
      expect(of('revenue_per_customer')).toBeCloseTo(product, 9);
      expect(product).toBeGreaterThan(0);
    }
  });

  test('has gauges of a year of 20 brands, and of shorter windows of as many of them as there is room for', () => {
    const { totals } = createBrand(definitionsWith({}));
    const add = (brands: number) => {
      const own = totals.initial();
      for (let brand = 0; brand < brands; brand++) {
        for (const window of ['24h', '7d', '30d', '90d', '365d', 'now']) {
          for (let measure = 0; measure < 40; measure++) {
            totals.contribute(own, { brandId: `brand-${brand}`, measure: `m-${measure}`, window, value: 1 });
          }
        }
      }
      const writer = new ByteWriter();
      totals.pack(own, writer);
      return [...totals.gauges(totals.unpack(new ByteReader(writer.copy())))];
    };
    expect(add(2)).toHaveLength(2 * 6 * 40);
    const many = add(10);
    expect(many).toHaveLength(10 * 80 + 160);
    expect(
      new Set(many.filter(({ labels }) => labels['window'] === '7d').map(({ labels }) => labels['brand'])),
    ).toEqual(new Set(['brand-0']));
  });

  test('says null again when nothing is left, and its gauge goes', () => {
    const driver = new Driver().partial(T, 0, { orders: 4, guestOrders: 1 });
    const gauge = () =>
      [...driver.processor.totals.gauges(driver.totals)].find(({ labels }) => labels['kpi'] === 'guest_checkout_rate');
    expect(gauge()).toEqual({
      name: 'brand_kpi',
      labels: { brand: 'acme', kpi: 'guest_checkout_rate', window: '365d' },
      value: 0.25,
    });
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
