import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AffinitySettings } from '../../processors/core/affinity-settings.ts';
import type { Definitions } from '../../processors/core/definitions.ts';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { AFFINITY, mergeAffinity } from '../../processors/customer/affinity.ts';
import { affinityPlanOf } from '../../processors/customer/affinity-plan.ts';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { OpenParts } from '../../processors/customer/parts.ts';
import { readFieldsWith } from '../../processors/customer/read-fields.ts';
import type { Interaction, OrderItem } from '../../schemas/types.ts';
import { affinityOf } from '../harness/definition-sets.ts';
import { bytesOf, CustomerDriver, DAY, definitions, HOUR, MIDNIGHT } from './customer-fixture.ts';

const T = MIDNIGHT + 20 * HOUR;

function packedOf({ state }: CustomerDriver): ByteReader {
  const parts = new OpenParts();
  parts.open(state.parts);
  const writer = new ByteWriter();
  AFFINITY.write(parts.get(AFFINITY), writer);
  return new ByteReader(writer.copy());
}

function followed(
  settings: Partial<AffinitySettings> = {},
  segments: Record<string, Record<string, unknown>> = {},
  hash = 'one',
): Definitions {
  return { ...definitions(segments, hash), affinities: new Map([['acme', affinityOf(settings)]]) };
}

const view = (category: string, productId = category): Partial<Interaction> => {
  return { type: 'PRODUCT_VIEW', product: { productId, category, priceMinor: null } };
};
const cart = (category: string): Partial<Interaction> => ({ ...view(category), type: 'CART_ADD' });
const buy = (orderId: string, ...categories: (string | null)[]): Partial<Interaction> => {
  const items = categories.map((category): OrderItem => {
    return { productId: `${category}-1`, category, quantity: 2, priceMinor: 100 };
  });
  return { type: 'ORDER_PLACED', order: { orderId, amountMinor: 100, currency: 'JPY', guest: false, items } };
};

describe('what a customer turns to', () => {
  test('is the category, product, channel and hour of most weight, for rules and traits', () => {
    const driver = new CustomerDriver(
      followed({}, { shoes: { 'affinity.category': 'shoes' }, night: { 'affinity.hour': { $gte: 20 } } }),
    );
    driver
      .record(T, view('hats'))
      .record(T + 1, view('shoes'))
      .record(T + 2, view('hats'));
    expect(driver.view(T + 2).affinity).toEqual({ channel: 'WEB', hour: 20 });
    driver.record(T + 3, { ...cart('shoes'), channel: 'APP' }).record(T + 4, view('hats'));
    expect(driver.view(T + 4).affinity).toEqual({ category: 'shoes', product: 'shoes', channel: 'WEB', hour: 20 });
    driver.silence(T + (100_000 * DAY) / 100);
    expect(driver.memberships.map(({ at, changes, cause }) => [at, changes, cause])).toEqual([
      [T + 2, ['+night'], 'EVENT'],
      [T + 3, ['+shoes'], 'EVENT'],
    ]);
    // Silence changes nothing: the weights are those of the newest event.
    const traits = driver.traits.at(-1)?.affinities;
    expect(traits?.map(({ dimension, lastAt }) => [dimension, lastAt])).toEqual([
      ['category', T + 4],
      ['product', T + 4],
      ['channel', T + 4],
      ['hour', T + 4],
    ]);
    expect(traits?.[0]?.keys.map(({ key, weight }) => [key, Number(weight.toFixed(3))])).toEqual([
      ['shoes', 4],
      ['hats', 3],
    ]);
    expect(driver.view(T + 900 * DAY).affinities?.[0]).toMatchObject({ lastAt: new Date(T + 4).toISOString() });
  });

  test('weighs half after each half-life, so that an event turns the order and silence does not', () => {
    const driver = new CustomerDriver(
      followed({ halfLifeDays: 10, minimumWeight: 1 }, { hats: { 'affinity.category': 'hats' } }),
    );
    driver.record(T, buy('o1', 'hats')).record(T + 30 * DAY - 1, view('shoes'));
    expect(driver.view(T + 30 * DAY - 1).affinity?.['category']).toBe('shoes');
    expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([
      [T, ['+hats']],
      [T + 30 * DAY - 1, ['-hats']],
    ]);
    driver.record(T + 31 * DAY, view('hats'));
    expect(driver.memberships.at(-1)).toMatchObject({ at: T + 31 * DAY, changes: ['+hats'] });
  });

  test('counts a product of an order once, and nothing of a machine, of no channel, of no category', () => {
    const driver = new CustomerDriver(followed({ minimumWeight: 0 }));
    driver.record(T, buy('o1', 'hats', 'hats', 'shoes', null, ''));
    driver.record(T, { type: 'MESSAGE_OPENED', channel: 'EMAIL', machineGenerated: true });
    driver.record(T, { type: 'MESSAGE_DELIVERED', channel: 'EMAIL' });
    driver.record(T, { type: 'PAGE_VIEW', channel: 'UNKNOWN', product: view('coats').product ?? null });
    const told = driver.view(T).affinities ?? [];
    const weights = told.map(({ dimension, keys }) => [
      dimension,
      ...keys.map(({ key, weight }) => `${key} ${weight}`),
    ]);
    expect(weights).toEqual([
      ['category', 'hats 5', 'shoes 5'],
      ['product', '-1 5', 'hats-1 5', 'null-1 5'],
      ['channel', 'WEB 1'],
      ['hour', '20 2'],
    ]);
  });

  test('takes what comes late by its own time, beyond every window too, and what comes twice once', () => {
    const driver = new CustomerDriver(followed({ minimumWeight: 0 }, { coats: { 'affinity.category': 'coats' } }));
    driver.record(T, { ...view('hats'), eventId: 'a' }).record(T + HOUR, { ...view('hats'), eventId: 'a' });
    driver.record(T + HOUR, { ...buy('o1', 'coats'), occurredAt: T - 60 * DAY });
    expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([[T + HOUR, ['+coats']]]);
    driver.record(T + HOUR, { ...buy('o2', 'shoes'), occurredAt: T - 400 * DAY }).silence(T + HOUR);
    driver.record(T + HOUR, { ...buy('o1', 'hats'), eventId: 'again' });
    expect(driver.outcomes).toEqual(['apply', 'duplicate_event', 'apply', 'beyond_horizon', 'duplicate_order']);
    const keys = driver.view(T + HOUR).affinities?.[0]?.keys.map(({ key, weight }) => [key, weight.toFixed(4)]);
    expect(keys).toEqual([
      ['coats', '1.2500'],
      ['hats', '1.0000'],
      ['shoes', '0.0005'],
    ]);
  });

  test('is the same in whatever order events come', () => {
    const happened = [view('hats'), cart('shoes'), buy('o1', 'coats', 'hats'), view('shoes'), buy('o2', 'shoes')];
    const inOrder = (order: readonly number[]): Buffer => {
      const driver = new CustomerDriver(followed());
      for (const each of order) {
        const changes = { ...happened[each], eventId: `e${each}`, occurredAt: T + each * 9 * DAY };
        driver.record(T + 40 * DAY, changes).record(T + 40 * DAY, changes);
      }
      driver.silence(T + 41 * DAY);
      return Buffer.from(JSON.stringify([driver.view(T + 41 * DAY).affinities, bytesOf(driver, AFFINITY)]));
    };
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (order) => {
        expect(inOrder(order)).toEqual(inOrder([0, 1, 2, 3, 4]));
      }),
    );
  });

  test('of a brand without settings is nothing, and asks for no field; with `default` every brand has it', () => {
    const driver = new CustomerDriver(definitions({ shoes: { 'affinity.category': { $exists: true } } }));
    driver.record(T, view('shoes')).record(T, cart('shoes'));
    expect([bytesOf(driver, AFFINITY), driver.view(T).affinity, driver.memberships]).toEqual([0, undefined, []]);
    expect(compileDefinitions(definitions({})).asks).toEqual([]);
    const all = { ...definitions({}), affinities: new Map([['default', affinityOf({ id: 'default' })]]) };
    const other = new CustomerDriver(all).record(T, cart('shoes'));
    expect(other.view(T).affinity).toEqual({ category: 'shoes', product: 'shoes' });
  });

  test('is decoded where it is followed', () => {
    const { asks } = compileDefinitions(followed({ dimensions: ['category', 'hour'] }));
    expect(readFieldsWith(asks)['interaction']).toMatchObject({
      product: { category: true },
      order: { orderId: true, items: { category: true } },
    });
  });

  test('goes by the clock of the brand', () => {
    const set = followed({ minimumWeight: 0, dimensions: ['hour'] });
    const brand = { id: 'acme', currency: 'JPY', timeZone: 'Asia/Tokyo', lostAfterDays: 90, socialReach: null };
    const driver = new CustomerDriver({ ...set, brands: new Map([['acme', brand]]) }).record(T, {});
    expect(driver.view(T).affinity).toEqual({ hour: 5 });
  });

  test('starts anew by another half-life, is judged anew by another minimum, and forgets what is not followed', () => {
    const driver = new CustomerDriver(followed({}, {}, 'one')).record(T, cart('hats')).record(T, cart('shoes'));
    const under = (set: Definitions): unknown => {
      driver.processor = new CustomerDriver(set).processor;
      driver.record(T + HOUR, view('shoes'));
      return driver.view(T + HOUR).affinity;
    };
    expect(under(followed({ minimumWeight: 3.9 }, {}, 'two'))).toEqual({ category: 'shoes', product: 'shoes' });
    expect(under(followed({ dimensions: ['category'] }, {}, 'three'))).toEqual({ category: 'shoes' });
    expect(under(followed({ halfLifeDays: 7, minimumWeight: 2 }, {}, 'four'))).toBeUndefined();
    expect(under(definitions({}, 'five'))).toBeUndefined();
    expect(bytesOf(driver, AFFINITY)).toBe(0);
  });

  test('takes a bounded number of bytes, whatever comes', () => {
    const driver = new CustomerDriver(followed());
    driver.isRepacking = false;
    const name = (index: number): string => `${index}`.padEnd(256, 'x');
    for (let index = 0; index < 400; index++) {
      driver.record(T + index * HOUR, {
        ...view(name(index % 97), name(index)),
        channel: index % 2 === 0 ? 'WEB' : 'APP',
      });
    }
    expect(bytesOf(driver, AFFINITY)).toBeLessThan(2 * 8 * (256 + 26) + 41 * 22);
    const typical = new CustomerDriver(followed());
    for (let day = 0; day < 90; day++)
      typical.record(T + day * 2 * DAY + (day % 5) * HOUR, view(`shelf-${day % 5}`, `sku-${day % 20}`));
    expect(bytesOf(typical, AFFINITY)).toBeLessThan(500);
  });
});

test('two customers who are one turn to what both turned to; what was counted by another half-life is left out', () => {
  const set = followed();
  const plan = affinityPlanOf(compileDefinitions(set)('acme'));
  const partOf = (...events: Partial<Interaction>[]) => {
    const driver = new CustomerDriver(set);
    driver.isRepacking = false;
    for (const [index, each] of events.entries()) driver.record(T + index, each);
    return AFFINITY.read(packedOf(driver), 0);
  };
  const into = partOf(view('hats'), view('hats'));
  mergeAffinity(into, partOf(cart('shoes')), plan);
  expect(into.rankings[0]?.entries.map(({ key }) => key)).toEqual(['shoes', 'hats']);
  expect(into.rankings[0]?.told).toBe(1);
  mergeAffinity(into, { ...partOf(cart('coats')), halfLifeDays: 7 }, plan);
  mergeAffinity(into, AFFINITY.initial(), plan);
  expect(into.rankings[0]?.entries).toHaveLength(2);
  mergeAffinity(into, partOf(cart('coats')), null);
  expect(into).toEqual(AFFINITY.initial());
});
