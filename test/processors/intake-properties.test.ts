import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REJECT_REASONS } from '../../processors/core/reasons.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import { recordSchema } from '../../schemas/records.ts';
import type { AvroSchema } from '../../schemas/records.ts';
import type { CustomerEvent, Interaction } from '../../schemas/types.ts';
import { topicOf } from '../../topics/catalog.ts';
import { interaction, NOW } from './intake-fixture.ts';
import { definitionsWith } from '../harness/definition-sets.ts';

const intake = createIntake(definitionsWith({}));
const customerEvent = avro.Type.forSchema(recordSchema('CustomerEvent') as avro.Schema, { wrapUnions: false });

/** The Avro library writes whole numbers truly up to here. */
const LARGEST_LONG = 2 ** 52;

/** Values that pass or nearly pass, so that records get further than the first check. */
const LIKELY = ['demo', 'JPY', 'user-1', 'null', '0', 'ab'.repeat(32), 'e3', '茶'.repeat(85), 'x'.repeat(257), ''];

/** Any value of a schema, by its shape alone: what any writer of that schema may send. */
function anyValue(schema: AvroSchema): fc.Arbitrary<unknown> {
  if (typeof schema === 'string') return anyPrimitive(schema);
  if (!('type' in schema)) return fc.oneof(...schema.map(anyValue));
  switch (schema.type) {
    case 'record':
      return fc.record(Object.fromEntries(schema.fields.map(({ name, type }) => [name, anyValue(type)])));
    case 'enum':
      return fc.constantFrom(...schema.symbols);
    case 'array':
      return fc.array(anyValue(schema.items), { maxLength: 3 });
    case 'map':
      return fc.dictionary(fc.string({ maxLength: 70 }), anyValue(schema.values), { maxKeys: 40 });
    default:
      return anyPrimitive(schema.type);
  }
}

function anyPrimitive(type: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.oneof(fc.integer({ min: -1, max: 11 }), fc.integer());
    case 'long':
      return fc.oneof(fc.constantFrom(NOW, NOW + 1, 0, -1), fc.integer({ min: -LARGEST_LONG, max: LARGEST_LONG }));
    case 'string':
      return fc.oneof(fc.constantFrom(...LIKELY), fc.string({ unit: 'binary', maxLength: 300 }));
    default:
      throw new RangeError(`no arbitrary for the type ${type}`);
  }
}

const anyInteraction = anyValue(recordSchema('Interaction')) as fc.Arbitrary<Interaction>;
/** Arbitrary fields on a record that is valid otherwise. */
const nearlyValid = fc
  .tuple(anyInteraction, fc.subarray(Object.keys(interaction()) as (keyof Interaction)[], { maxLength: 4 }))
  .map(([drawn, fields]) => interaction(Object.fromEntries(fields.map((field) => [field, drawn[field]]))));

describe('any record of the right shape', () => {
  test('has exactly one outcome, the same each time, and is left as it was', () => {
    fc.assert(
      fc.property(fc.oneof(anyInteraction, nearlyValid), (value) => {
        const before = structuredClone(value);
        const outcome = intake.onRecord(value, NOW, 'interactions.v1');
        expect(value).toEqual(before);
        expect(intake.onRecord(value, NOW, 'interactions.v1')).toEqual(outcome);
        if (outcome.kind === 'reject') expect(REJECT_REASONS).toContain(outcome.reason);
        else if (outcome.kind === 'skip') expect(outcome.reason).toBe('unknown_type');
        else expect(outcome.outputs.filter((output) => output?.once === undefined)).toHaveLength(1);
      }),
      { numRuns: 1500, seed: 20261 },
    );
  });

  test('that passes has a key which splits into its brand and subject, and encodes', () => {
    let passed = 0;
    fc.assert(
      fc.property(nearlyValid, (value) => {
        const outcome = intake.onRecord(value, NOW, 'interactions.v1');
        if (outcome.kind !== 'apply' || !outcome.outputs[0]) return;
        passed++;
        const { key, value: event } = outcome.outputs[0] as { key: string; value: CustomerEvent };
        const bar = key.indexOf('|');
        expect([key.slice(0, bar), key.slice(bar + 1)]).toEqual([event.brandId, event.subject]);
        expect(event.subject).toMatch(/^[uea]:[^]+$/);
        expect(JSON.stringify(customerEvent.fromBuffer(customerEvent.toBuffer(event)))).toBe(JSON.stringify(event));
      }),
      { numRuns: 1500, seed: 20262 },
    );
    expect(passed).toBeGreaterThan(100);
  });
});

test('the largest valid record fits the internal topic after re-keying', () => {
  const name = (bytes: number) => '茶'.repeat(Math.floor(bytes / 3)) + 'x'.repeat(bytes % 3);
  const string = name(256);
  const largest: Interaction = {
    ...interaction(),
    eventId: name(128),
    brandId: 'b'.repeat(64),
    userId: string,
    anonymousId: string,
    emailHash: 'f'.repeat(64),
    type: 'SUBSCRIPTION_CANCELLED',
    touchpoint: string,
    campaignId: string,
    messageId: string,
    sessionId: string,
    pageViewId: string,
    product: { productId: string, category: string, priceMinor: LARGEST_LONG },
    order: {
      orderId: string,
      amountMinor: 1_000_000_000_000,
      currency: 'JPY',
      guest: true,
      items: Array.from({ length: 200 }, () => ({
        productId: string,
        category: string,
        quantity: 2 ** 31 - 1,
        priceMinor: LARGEST_LONG,
      })),
    },
    score: { metric: 'NPS', value: 10, surveyId: string },
    text: name(32 * 1024),
    language: string,
    engagedMs: LARGEST_LONG,
    experiment: { experimentId: string, variant: string },
    attributes: Object.fromEntries(
      Array.from({ length: 32 }, (_, index) => [`${String(index).padStart(2, '0')}${name(62)}`, name(1024)]),
    ),
  };
  const outcome = intake.onRecord(largest, NOW, 'interactions.v1');
  if (outcome.kind !== 'apply' || !outcome.outputs[0]) throw new Error(`not valid: ${JSON.stringify(outcome)}`);
  const { topic, key, value } = outcome.outputs[0];
  const bytes = customerEvent.toBuffer(value).length + Buffer.byteLength(key);
  // Room for the frame, the position header and the record batch around it.
  expect(bytes).toBeLessThan(topicOf(topic).maxMessageBytes - 4096);
  expect(bytes).toBeGreaterThan(150_000);
});
