import { expect, test } from 'vitest';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { OpenState } from '../../processors/customer/open-state.ts';
import { traitsOf } from '../../processors/customer/traits.ts';
import { packTraits } from '../../processors/customer/traits-packing.ts';
import { generatedSegments } from '../bench/segments.ts';
import type { Interaction } from '../../schemas/types.ts';
import { typeOf } from '../harness/avro-values.ts';
import { affinityOf, measureOf, ratioOf } from '../harness/definition-sets.ts';
import { CustomerDriver, definitions, MIDNIGHT } from './customer-fixture.ts';
import { tangledInteractions } from './published-input.ts';

const TRAITS = typeOf('CustomerTraits');
const open = new OpenState();
const OWN = [
  measureOf('big', 'sum', { 'order.amountMinor': { $gte: 1000 } }, 'order.amountMinor'),
  measureOf('dear', 'max', {}, 'order.amountMinor'),
  measureOf('kinds', 'distinct', {}, 'type'),
  measureOf('last-channel', 'last', {}, 'channel'),
];
const DEFINITIONS = {
  ...definitions(generatedSegments(60)),
  measures: OWN,
  ratios: [ratioOf('basket', 'revenue', 'orders'), ratioOf('big-share', 'big', 'revenue')],
  affinities: new Map([['acme', affinityOf()]]),
};
const rulesOf = compileDefinitions(DEFINITIONS);

function bothOf({ state }: CustomerDriver, now: number): { packed: Buffer; asObject: Buffer } {
  const rules = rulesOf(state.brandId);
  open.open(state);
  const packed = packTraits(state, open, rules, now).bytes;
  open.open(state);
  return { packed, asObject: TRAITS.toBuffer(traitsOf(state, open, rules, now)) };
}

/** Of every metric in turn. */
function scoreOf(index: number): Interaction['score'] {
  const metric = (['NPS', 'CSAT', 'CES', 'RATING'] as const)[index % 4] ?? 'NPS';
  return { metric, value: index % 5, surveyId: null };
}

test('packed traits are the bytes that the schema makes of the profile view', () => {
  const drivers = [1, 2, 3].map((customer) => {
    const driver = new CustomerDriver(DEFINITIONS, customer === 3 ? 'a:é' : `u:${customer}`);
    driver.isRepacking = false;
    return driver;
  });
  let index = 0;
  for (const { timestamp, value } of tangledInteractions(1_500)) {
    const driver = drivers[index++ % drivers.length];
    if (driver === undefined || value.occurredAt > timestamp) continue;
    driver.record(timestamp, { ...value, brandId: 'acme', score: value.score === null ? null : scoreOf(index) });
    const { packed, asObject } = bothOf(driver, driver.state.at + (index % 7) * 40_000_000);
    expect(packed.equals(asObject)).toBe(true);
  }
  expect(drivers.every(({ outcomes }) => outcomes.length > 400)).toBe(true);
  const [first] = drivers;
  expect(first?.traits.at(-1)?.ratios.map(({ ratio }) => ratio)).toContain('big-share');
  expect(first?.traits.at(-1)?.scores.length).toBeGreaterThan(0);
  expect(first?.traits.at(-1)?.affinities.length).toBeGreaterThan(1);
  expect(first?.traits.at(-1)?.values.map(({ measure }) => measure)).toEqual(['dear', 'last-channel']);
});

test('attributes of any name are packed in the order of an object', () => {
  const driver = new CustomerDriver(definitions({}));
  const attributes = Object.fromEntries([
    ['zebra', '1'],
    ['7', 'seven'],
    ['__proto__', 'odd'],
    ['12', 'twelve'],
    ['é', '長い'],
  ]) as Record<string, string>;
  driver.record(MIDNIGHT, { type: 'IDENTIFIED', attributes });
  const { packed, asObject } = bothOf(driver, MIDNIGHT);
  expect(packed).toEqual(asObject);
  expect(driver.traits[0]?.attributes['12']).toBe('twelve');
});
