import { describe, expect, test } from 'vitest';
import type { MeasureDefinition } from '../../processors/core/definitions.ts';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { MEASURED, mergeMeasured, openMeasured } from '../../processors/customer/measured.ts';
import { OpenParts } from '../../processors/customer/parts.ts';
import { readFieldsWith, READ_FIELDS } from '../../processors/customer/read-fields.ts';
import { USER_MEASURES_MAX } from '../../processors/customer/user-measures.ts';
import { definitionsWith, measureOf, refusalOf } from '../harness/definition-sets.ts';
import { bytesOf, CustomerDriver, DAY, definitions, HOUR, MIDNIGHT } from './customer-fixture.ts';

type Rule = Record<string, unknown>;

const defined = (measures: readonly MeasureDefinition[], segments: Record<string, Rule> = {}, hash = 'one') => ({
  ...definitions(segments, hash),
  measures,
});
const order = (orderId: string, amountMinor: number) => ({
  orderId,
  amountMinor,
  currency: 'JPY',
  guest: false,
  items: [],
});
const product = (productId: string, category: string | null = null) => ({ productId, category, priceMinor: 500 });

describe('a measure of the brand’s own', () => {
  test('counts the events that pass its filter, and leaves a window by silence at the exact instant', () => {
    const shoes = measureOf('shoe-views', 'count', { type: 'PRODUCT_VIEW', 'product.category': 'shoes' });
    const driver = new CustomerDriver(defined([shoes], { keen: { 'traits.shoe-views.24h': { $gte: 2 } } }));
    driver.record(MIDNIGHT, { type: 'PRODUCT_VIEW', product: product('p1', 'shoes') });
    driver.record(MIDNIGHT + HOUR, { type: 'PRODUCT_VIEW', product: product('p2', 'hats') });
    driver.record(MIDNIGHT + 2 * HOUR, { type: 'PAGE_VIEW' });
    driver.record(MIDNIGHT + 3 * HOUR, { type: 'PRODUCT_VIEW', product: product('p3', 'shoes') });
    expect(driver.view(MIDNIGHT + 3 * HOUR).traits['shoe-views']).toMatchObject({ '1h': 1, '24h': 2, lifetime: 2 });
    driver.silence(MIDNIGHT + 10 * DAY);
    expect(driver.memberships.map(({ at, changes, cause }) => [at, changes, cause])).toEqual([
      [MIDNIGHT + 3 * HOUR, ['+keen'], 'EVENT'],
      [MIDNIGHT + 25 * HOUR, ['-keen'], 'TIME'],
    ]);
  });

  test('is published with the traits, and its age goes on', () => {
    const measures = [
      measureOf('spent', 'sum', { type: 'ORDER_PLACED' }, 'order.amountMinor'),
      measureOf('dearest', 'max', { type: 'ORDER_PLACED' }, 'order.amountMinor'),
      measureOf('shop', 'last', { type: 'ORDER_PLACED' }, 'touchpoint'),
      measureOf('brands', 'distinct', { type: 'PRODUCT_VIEW' }, 'product.productId'),
    ];
    const driver = new CustomerDriver(defined(measures, { resting: { 'ages.spent': { $gte: 3 } } }));
    driver.record(MIDNIGHT, { type: 'ORDER_PLACED', order: order('a', 700), touchpoint: 'ginza' });
    driver.record(MIDNIGHT + DAY, { type: 'ORDER_PLACED', order: order('b', 200) });
    expect(driver.traits.at(-1)?.traits.find(({ measure }) => measure === 'spent')).toMatchObject({
      last24h: 900,
      lifetime: 900,
      ageDays: 0,
    });
    expect(driver.traits.at(-1)?.values).toMatchObject([
      { measure: 'dearest', last1h: 200, last24h: 700, last30d: 700, lifetime: 700, ageDays: 0 },
      { measure: 'shop', last1h: null, last24h: 'ginza', lifetime: 'ginza', ageDays: 1 },
    ]);
    driver.silence(MIDNIGHT + 5 * DAY);
    expect(driver.memberships).toMatchObject([{ at: MIDNIGHT + 4 * DAY, changes: ['+resting'], cause: 'TIME' }]);
    const view = driver.view(MIDNIGHT + 5 * DAY);
    expect([view.traits['brands']?.['7d'], view.traits['dearest'], view.ages['spent']]).toEqual([
      0,
      { '7d': 700, '30d': 700, '90d': 700, '365d': 700, lifetime: 700 },
      4,
    ]);
  });

  test('counts an event once, in the tiles of its own time when it is late, and beyond the horizon since ever only', () => {
    const driver = new CustomerDriver(
      defined([measureOf('carts', 'count', { type: 'CART_ADD' })], { ever: { 'traits.carts.lifetime': { $gte: 3 } } }),
    );
    const now = MIDNIGHT + 400 * DAY;
    driver.record(now, { type: 'CART_ADD', eventId: 'a' }).record(now, { type: 'CART_ADD', eventId: 'a' });
    driver.record(now + HOUR, { type: 'CART_ADD', occurredAt: now - 3 * DAY });
    driver.record(now + HOUR, { type: 'CART_ADD', occurredAt: MIDNIGHT });
    driver.silence(now + HOUR);
    expect(driver.outcomes).toEqual(['apply', 'duplicate_event', 'apply', 'beyond_horizon']);
    expect(driver.view(now + HOUR).traits['carts']).toEqual({
      '1h': 1,
      '24h': 1,
      '7d': 2,
      '30d': 2,
      '90d': 2,
      '365d': 2,
      lifetime: 3,
    });
    expect(driver.memberships).toMatchObject([{ at: now + HOUR, changes: ['+ever'] }]);
  });

  test('takes numbers from attributes when they are whole numbers', () => {
    const driver = new CustomerDriver(defined([measureOf('stars', 'sum', { type: 'CUSTOM' }, 'attributes.stars')]));
    for (const stars of ['4', '-1', '2.5', 'many', '99999999999']) {
      driver.record(MIDNIGHT, { type: 'CUSTOM', attributes: { stars } });
    }
    driver.record(MIDNIGHT, { type: 'CUSTOM', attributes: {} });
    expect(driver.view(MIDNIGHT).traits['stars']?.lifetime).toBe(3);
  });

  test('that says something else starts anew, and one that is gone is forgotten', () => {
    const carts = measureOf('carts', 'count', { type: 'CART_ADD' });
    const removed = measureOf('removed', 'count', { type: 'CART_REMOVE' });
    const driver = new CustomerDriver(defined([carts, removed]));
    driver.record(MIDNIGHT, { type: 'CART_ADD' }).record(MIDNIGHT, { type: 'CART_REMOVE' });
    const { processor } = new CustomerDriver(
      defined([{ ...carts, where: { type: ['CART_ADD', 'x'][0] }, name: 'Carts' }], {}, 'two'),
    );
    driver.processor = processor;
    driver.record(MIDNIGHT + HOUR, { type: 'CART_ADD' });
    expect(driver.view(MIDNIGHT + HOUR).traits['carts']?.lifetime).toBe(2);
    const parts = bytesOf(driver, MEASURED);
    const other = { ...carts, where: { type: { $in: ['CART_ADD', 'SEARCH'] } } };
    driver.processor = new CustomerDriver(defined([other], {}, 'three')).processor;
    driver.record(MIDNIGHT + 2 * HOUR, { type: 'SEARCH' });
    expect(driver.view(MIDNIGHT + 2 * HOUR).traits['carts']?.lifetime).toBe(1);
    driver.processor = new CustomerDriver(defined([], {}, 'four')).processor;
    driver.record(MIDNIGHT + 3 * HOUR, { type: 'SEARCH' });
    expect([parts > 0, bytesOf(driver, MEASURED)]).toEqual([true, 0]);
  });

  test('is there for its brands only', () => {
    const theirs = measureOf('carts', 'count', {}, null, ['other']);
    const driver = new CustomerDriver(defined([theirs]));
    driver.record(MIDNIGHT, { type: 'CART_ADD' });
    expect([bytesOf(driver, MEASURED), driver.view(MIDNIGHT).traits['carts']]).toEqual([0, undefined]);
  });

  test('costs a customer no bytes while no event passed, and few after', () => {
    const types = ['PAGE_VIEW', 'PRODUCT_VIEW', 'CART_ADD', 'SEARCH'] as const;
    const measures = types.map((type) => measureOf(type.toLowerCase().replace('_', '-'), 'count', { type }));
    const driver = new CustomerDriver(defined(measures, { busy: { 'traits.search.30d': { $gte: 10 } } }));
    driver.record(MIDNIGHT, { type: 'COMPLAINT' });
    expect(bytesOf(driver, MEASURED)).toBe(0);
    driver.record(MIDNIGHT, { type: 'SEARCH' });
    const one = bytesOf(driver, MEASURED);
    for (let day = 1; day < 180; day++) driver.record(MIDNIGHT + day * DAY, { type: types[day % 4] ?? 'SEARCH' });
    expect(one).toBeLessThan(40);
    // Each count of two events a week for half a year.
    expect(bytesOf(driver, MEASURED) / 4).toBeLessThan(120);
  });
});

describe('a measure that cannot be served is refused with its place and the fix', () => {
  const faultsOf = (...measures: MeasureDefinition[]) => refusalOf({ ...definitionsWith({}), measures });

  test.each<[MeasureDefinition, string]>([
    [measureOf('orders', 'count', {}), 'measures/orders.json: id: "orders" is a measure of the product'],
    [measureOf('x', 'count', {}, 'type'), 'measures/x.json: value: is not for a count, which counts events'],
    [
      measureOf('x', 'sum', {}),
      'measures/x.json: value: is missing: sum needs a field of the event, for example "order.amountMinor"',
    ],
    [measureOf('x', 'sum', {}, 'order.amount'), 'measures/x.json: value: unknown field of an event "order.amount"'],
    [
      measureOf('x', 'max', {}, 'channel'),
      'measures/x.json: value: "channel" is no number: max takes one, or an attribute that holds whole numbers',
    ],
    [
      measureOf('x', 'count', { typ: 'CART_ADD' }),
      'measures/x.json: where["typ"]: unknown field of an event "typ"; did you mean "type"?',
    ],
    [
      measureOf('x', 'count', { 'traits.orders.30d': 1 }),
      'measures/x.json: where["traits.orders.30d"]: unknown field of an event "traits.orders.30d"',
    ],
    [
      measureOf('x', 'count', { 'order.amountMinor': { $lt: 0 } }),
      'measures/x.json: where: can never be true: "order.amountMinor" is a whole number, 0 or more or missing, so nothing is < 0',
    ],
  ])('%j', (measure, fault) => {
    expect(faultsOf(measure)).toEqual([fault]);
  });

  test('a misspelt type can never be true', () => {
    expect(faultsOf(measureOf('x', 'count', { type: 'CART_AD' }))).toEqual([
      expect.stringMatching(/^measures\/x.json: where: can never be true: "type" is one of PAGE_VIEW, /),
    ]);
  });

  test('more than are allowed', () => {
    const many = Array.from({ length: USER_MEASURES_MAX }, (_, index) => measureOf(`m${index}`, 'count', {}));
    expect(faultsOf(...many)).toEqual([]);
    expect(faultsOf(...many, measureOf('one-more', 'count', {}, null, ['acme']))).toEqual([
      'measures/: holds 65 for brand acme, and 64 are allowed',
    ]);
  });

  test('in a rule of a brand that does not have it, or beyond what it can be', () => {
    const measures = [
      measureOf('carts', 'count', {}, null, ['acme']),
      measureOf('kinds', 'distinct', {}, 'type'),
      measureOf('shop', 'last', {}, 'touchpoint'),
    ];
    const segments = {
      a: { 'traits.carts.30d': { $gte: 1 } },
      b: { 'traits.kinds.30d': { $gt: 64 } },
      c: { 'traits.shop.30d': { $gt: 5 } },
      d: { 'traits.cart.30d': 1 },
      e: { 'ages.kinds': { $lt: 2 }, 'traits.shop.lifetime': 'ginza' },
    };
    expect(refusalOf({ ...definitionsWith(segments), measures })).toEqual([
      'segments/b.json: where: can never be true: "traits.kinds.30d" is a whole number, 0 to 64, so nothing is > 64',
      'segments/c.json: where: can never be true: "traits.shop.30d" is a text or missing, so nothing is > 5',
      'segments/d.json: where["traits.cart.30d"]: unknown path "traits.cart.30d"; did you mean "traits.carts.30d"?',
      'segments/a.json: where: "traits.carts.30d": measure "carts" is for acme only; give both the same brands',
    ]);
  });
});

test('only what a definition asks for is decoded beside what is always read', () => {
  expect(new CustomerDriver(definitions({})).processor.reads).toEqual(READ_FIELDS);
  const asked = defined([
    measureOf('a', 'distinct', { 'order.currency': 'JPY', 'product.category': 'x' }, 'product.productId'),
    measureOf('b', 'count', { channel: 'WEB', 'attributes.plan': 'gold' }),
  ]);
  expect(new CustomerDriver(asked).processor.reads).toEqual({
    kind: true,
    identity: true,
    interaction: {
      ...READ_FIELDS.interaction,
      channel: true,
      product: { category: true, productId: true },
    },
  });
  expect(readFieldsWith([{ order: true }])).toMatchObject({ interaction: { order: true, attributes: true } });
});

test('what two customers gathered is merged measure by measure', () => {
  const measures = [measureOf('carts', 'count', { type: 'CART_ADD' }), measureOf('kinds', 'distinct', {}, 'type')];
  const { measures: own } = compileDefinitions(defined(measures))('acme');
  const gathered = (...types: ('CART_ADD' | 'SEARCH')[]) => {
    const driver = new CustomerDriver(defined(measures));
    for (const [hour, type] of types.entries()) driver.record(MIDNIGHT + hour * HOUR, { type });
    const parts = new OpenParts();
    parts.open(driver.state.parts);
    return parts.get(MEASURED);
  };
  const into = gathered('CART_ADD');
  mergeMeasured(into, gathered('SEARCH', 'CART_ADD', 'SEARCH'), own, MIDNIGHT + DAY);
  const values = own.map((measure) => {
    const { summary, lastAt } = openMeasured(into, measure);
    return [measure.gathering.valueIn(summary, null, MIDNIGHT + DAY), lastAt - MIDNIGHT];
  });
  expect(values).toEqual([
    [2, HOUR],
    [2, 2 * HOUR],
  ]);
});
