import { expect, test } from 'vitest';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { OpenState } from '../../processors/customer/open-state.ts';
import { traitsOf } from '../../processors/customer/traits.ts';
import { packTraits } from '../../processors/customer/traits-packing.ts';
import { generatedSegments } from '../bench/segments.ts';
import { typeOf } from '../harness/avro-values.ts';
import { churnModel, CustomerDriver, definitions, MIDNIGHT } from './customer-fixture.ts';
import { tangledInteractions } from './published-input.ts';

const TRAITS = typeOf('CustomerTraits');
const open = new OpenState();

function bothOf({ state }: CustomerDriver, now: number): { packed: Buffer; asObject: Buffer } {
  const model = state.brandId === 'acme' ? churnModelOf(churnModel()) : null;
  open.open(state);
  const packed = packTraits(state, open, model, 'hash', now).bytes;
  open.open(state);
  return { packed, asObject: TRAITS.toBuffer(traitsOf(state, open, model, 'hash', now)) };
}

test('packed traits are the bytes that the schema makes of the profile view', () => {
  const drivers = [1, 2, 3].map((customer) => {
    const driver = new CustomerDriver(definitions(generatedSegments(60)), customer === 3 ? 'a:é' : `u:${customer}`);
    driver.isRepacking = false;
    return driver;
  });
  let index = 0;
  for (const { timestamp, value } of tangledInteractions(1_500)) {
    const driver = drivers[index++ % drivers.length];
    if (driver === undefined || value.occurredAt > timestamp) continue;
    driver.record(timestamp, { ...value, brandId: 'acme' });
    const { packed, asObject } = bothOf(driver, driver.state.at + (index % 7) * 40_000_000);
    expect(packed.equals(asObject)).toBe(true);
  }
  expect(drivers.every(({ outcomes }) => outcomes.length > 400)).toBe(true);
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
