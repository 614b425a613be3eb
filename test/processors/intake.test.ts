import { describe, expect, test } from 'vitest';
import { REJECT_REASONS } from '../../processors/core/reasons.ts';
import type { RejectReason } from '../../processors/core/reasons.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import type { Interaction, Score } from '../../schemas/types.ts';
import { interaction, NOW, ORDER } from './intake-fixture.ts';
import { definitionsWith } from '../harness/definition-sets.ts';

const intake = createIntake(definitionsWith({}));
const outcomeOf = (changes: Partial<Interaction>) => intake.onRecord(interaction(changes), NOW, 'interactions.v1');

/** The reason of a refusal or a skip; 'apply' for a record that passes. */
function fateOf(changes: Partial<Interaction>): string {
  const outcome = outcomeOf(changes);
  return outcome.kind === 'apply' ? 'apply' : outcome.reason;
}

function outputOf(changes: Partial<Interaction>) {
  const outcome = outcomeOf(changes);
  if (outcome.kind !== 'apply') throw new Error(`${outcome.kind} ${outcome.reason}`);
  return outcome.outputs[0];
}

const score = (metric: Score['metric'], value: number): Partial<Interaction> => ({
  type: 'SURVEY_ANSWERED',
  score: { metric, value, surveyId: null },
});
const order = (changes: object): Partial<Interaction> => ({ type: 'ORDER_PLACED', order: { ...ORDER, ...changes } });
const item = (changes: object) => ({ productId: 'p', category: null, quantity: 1, priceMinor: 5, ...changes });
const attributes = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`name-${index}`, 'value']));
/** Three bytes a character in UTF-8. */
const tea = (count: number) => '茶'.repeat(count);
const HASH = 'ab'.repeat(32);

describe('a valid record', () => {
  test('travels on whole, keyed by brand and subject, at the time of the record', () => {
    const input = interaction();
    expect(intake.onRecord(input, NOW, 'interactions.v1')).toEqual({
      kind: 'apply',
      outputs: [
        {
          topic: 'customer-events.v1',
          key: 'demo|u:123',
          value: { brandId: 'demo', subject: 'u:123', kind: 'INTERACTION', interaction: input, identity: null },
          timestamp: NOW,
        },
      ],
    });
  });

  test.each([
    ['user id before the others', { userId: 'U', emailHash: HASH, anonymousId: 'A' }, 'demo|u:U'],
    ['e-mail hash before the anonymous id', { userId: null, emailHash: HASH, anonymousId: 'A' }, `demo|e:${HASH}`],
    ['anonymous id', { userId: null, anonymousId: 'A' }, 'demo|a:A'],
    ['e-mail hash when the user id is junk', { userId: 'Guest', emailHash: HASH }, `demo|e:${HASH}`],
    [
      'anonymous id when the hash is of nothing',
      { userId: null, emailHash: '0'.repeat(64), anonymousId: 'A' },
      'demo|a:A',
    ],
    ['identifier kept byte for byte', { userId: ' Ünal|山田 ' }, 'demo|u: Ünal|山田 '],
  ])('subject: %s', (_, changes, key) => {
    expect(outputOf(changes)?.key).toBe(key);
  });

  test('an e-mail hash in capital letters is the same hash', () => {
    const output = outputOf({ userId: null, emailHash: HASH.toUpperCase() });
    expect(output?.key).toBe(`demo|e:${HASH}`);
    expect(output?.value).toMatchObject({ interaction: { emailHash: HASH } });
  });
});

describe('a junk identifier counts as absent', () => {
  const junk = [
    'null',
    'NIL',
    'None',
    '0',
    '000',
    'guest',
    'Anonymous',
    'undefined',
    'UNKNOWN',
    'blank',
    '',
    '  ',
    ' null ',
  ];
  const nilUuid = '00000000-0000-0000-0000-000000000000';
  const hashOfNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  test.each([...junk, nilUuid, hashOfNothing, hashOfNothing.toUpperCase()])('%j', (value) => {
    expect(fateOf({ userId: value })).toBe('no_identifier');
    expect(fateOf({ userId: null, anonymousId: value })).toBe('no_identifier');
    expect(fateOf({ userId: null, emailHash: value })).toBe('no_identifier');
  });

  test.each(['00a', 'nobody', 'guest-7', '10', '-', 'null null', 'none.'])('%j does not', (value) => {
    expect(fateOf({ userId: value })).toBe('apply');
  });
});

/** Every reason with the records it is given to, and beside them the nearest records that pass. */
const EXAMPLES: Partial<Record<RejectReason, { refused: Partial<Interaction>[]; passed: Partial<Interaction>[] }>> = {
  invalid_brand: {
    refused: ['', 'Demo', 'de mo', 'demo|x', 'ブランド', 'a'.repeat(65), 'demo\n'].map((brandId) => ({ brandId })),
    passed: ['d', 'demo-2', 'a'.repeat(64)].map((brandId) => ({ brandId })),
  },
  invalid_event_id: {
    refused: ['', 'e'.repeat(129), tea(43)].map((eventId) => ({ eventId })),
    passed: ['e', 'e'.repeat(128), tea(42)].map((eventId) => ({ eventId })),
  },
  invalid_identifier: {
    refused: [
      { userId: 'u'.repeat(257) },
      { userId: tea(86) },
      { userId: 'a\u0000b' },
      { userId: 'a\n' },
      { userId: 'a\u007f' },
      { userId: 'a\u0085' },
      { userId: 'half \ud83c' },
      { anonymousId: 'tab\t' },
      { anonymousId: 'a'.repeat(257) },
      { emailHash: 'someone@example.com' },
      { emailHash: `${HASH}0` },
      { emailHash: `${HASH.slice(1)}g` },
      { emailHash: `${HASH}\n` },
    ],
    passed: [
      { userId: 'u'.repeat(256) },
      { userId: tea(85) },
      { userId: '🍵' },
      { emailHash: HASH },
      { userId: 'a\u00a0b' },
    ],
  },
  no_identifier: { refused: [{ userId: null }, { userId: 'null', anonymousId: '' }], passed: [{}] },
  future_timestamp: {
    refused: [{ occurredAt: NOW + 300_001 }],
    passed: [{ occurredAt: NOW + 300_000 }, { occurredAt: 0 }],
  },
  missing_order: {
    refused: [{ type: 'ORDER_PLACED' }, { type: 'ORDER_CANCELLED' }, { type: 'ORDER_REFUNDED' }],
    passed: [order({}), { type: 'CHECKOUT_STARTED' }],
  },
  invalid_order: {
    refused: [
      order({ orderId: '' }),
      order({ amountMinor: -1 }),
      order({ amountMinor: 1_000_000_000_001 }),
      order({ currency: 'jpy' }),
      order({ currency: 'YEN' }),
      order({ currency: '' }),
      order({ items: Array.from({ length: 201 }, () => item({})) }),
      order({ items: [item({ quantity: -1 })] }),
      order({ items: [item({}), item({ priceMinor: -1 })] }),
      { type: 'CHECKOUT_STARTED', order: { ...ORDER, amountMinor: -1 } },
    ],
    passed: [
      order({ amountMinor: 0 }),
      order({ amountMinor: 1_000_000_000_000 }),
      order({ currency: 'USD' }),
      order({ items: Array.from({ length: 200 }, () => item({})) }),
      order({ items: [item({ quantity: 0, priceMinor: 0 })] }),
    ],
  },
  missing_score: { refused: [{ type: 'SURVEY_ANSWERED' }, { type: 'REVIEW_POSTED' }], passed: [{ type: 'COMPLAINT' }] },
  invalid_score: {
    refused: [
      ...[score('NPS', -1), score('NPS', 11), score('CSAT', 0), score('CSAT', 11)],
      ...[score('CES', 0), score('CES', 6), score('RATING', 0), score('RATING', 6)],
      { ...score('RATING', 6), type: 'PAGE_VIEW' },
    ],
    passed: [
      ...[score('NPS', 0), score('NPS', 10), score('CSAT', 1), score('CSAT', 10)],
      ...[score('CES', 1), score('CES', 5), score('RATING', 1), score('RATING', 5), score('UNKNOWN', 99)],
    ],
  },
  too_many_attributes: {
    refused: [{ attributes: attributes(33) }, { attributes: { ['n'.repeat(65)]: '', ...attributes(32) } }],
    passed: [{ attributes: attributes(32) }],
  },
  field_too_long: {
    refused: [
      { attributes: { ['n'.repeat(65)]: '' } },
      { attributes: { [tea(22)]: '' } },
      { attributes: { name: 'v'.repeat(1025) } },
      { text: 't'.repeat(32_769) },
      { text: tea(10_923) },
      ...(['touchpoint', 'campaignId', 'messageId', 'sessionId', 'pageViewId', 'language'] as const).map((field) => ({
        [field]: 'x'.repeat(257),
      })),
      { product: { productId: 'x'.repeat(257), category: null, priceMinor: null } },
      { product: { productId: 'x', category: tea(86), priceMinor: null } },
      order({ orderId: 'x'.repeat(257) }),
      order({ items: [item({}), item({ productId: 'x'.repeat(257) })] }),
      order({ items: [item({ category: 'x'.repeat(257) })] }),
      { type: 'SURVEY_ANSWERED', score: { metric: 'NPS', value: 3, surveyId: 'x'.repeat(257) } },
      { experiment: { experimentId: 'x'.repeat(257), variant: 'a' } },
      { experiment: { experimentId: 'x', variant: 'x'.repeat(257) } },
    ],
    passed: [
      { attributes: { ['n'.repeat(64)]: 'v'.repeat(1024) } },
      { text: 't'.repeat(32_768) },
      { touchpoint: 'x'.repeat(256), language: tea(85) },
      order({ orderId: 'x'.repeat(256), items: [item({ productId: tea(85), category: 'x'.repeat(256) })] }),
    ],
  },
};

/** The runtime decides these before a processor is called. */
const BEFORE_INTAKE: readonly RejectReason[] = ['undecodable', 'null_value', 'unknown_schema'];
const REASONS = REJECT_REASONS.filter((reason) => !BEFORE_INTAKE.includes(reason));

describe.each(REASONS)('%s', (reason) => {
  const { refused, passed } = EXAMPLES[reason] ?? { refused: [], passed: [] };

  test('is given to each broken record and to none of their valid neighbours', () => {
    expect(refused.map(fateOf)).toEqual(refused.map(() => reason));
    expect(passed.map(fateOf)).toEqual(passed.map(() => 'apply'));
    expect(Math.min(refused.length, passed.length)).toBeGreaterThan(0);
  });

  test('has a message that names a field and quotes no value', () => {
    for (const changes of refused) {
      const outcome = outcomeOf(changes);
      if (outcome.kind !== 'reject') throw new Error(`not refused: ${outcome.kind}`);
      expect(outcome.message).toMatch(/^[\w. ,]+: \S.*$/);
      expect(outcome.message).not.toMatch(/example\.com|xxxx|tttt|uuuu|YEN/);
    }
  });
});

test('the checks are made in the order of the public list', () => {
  // Faults that can stand together in one record, one for each reason, in the order of the list.
  const faults: Partial<Record<RejectReason, Partial<Interaction>>> = {
    invalid_brand: { brandId: 'Demo' },
    invalid_event_id: { eventId: '' },
    invalid_identifier: { emailHash: 'not a hash' },
    no_identifier: { userId: 'null' },
    future_timestamp: { occurredAt: NOW + 600_000 },
    missing_order: { type: 'ORDER_PLACED' },
    invalid_order: order({ amountMinor: -1 }),
    invalid_score: { score: { metric: 'NPS', value: 11, surveyId: null } },
    too_many_attributes: { attributes: attributes(33) },
    field_too_long: { touchpoint: 'x'.repeat(257) },
  };
  // A missing order cannot stand beside an invalid one, nor a missing score beside an invalid one or an order type.
  const withOrder = { ...faults, missing_order: {}, missing_score: {} };
  const withMissingOrder = { ...faults, invalid_order: {}, missing_score: {} };
  const withMissingScore = {
    ...faults,
    missing_order: {},
    invalid_score: {},
    missing_score: { type: 'REVIEW_POSTED' },
  };
  for (const set of [withOrder, withMissingOrder, withMissingScore] as Record<string, Partial<Interaction>>[]) {
    const present = REASONS.filter((reason) => Object.keys(set[reason] ?? {}).length > 0);
    const seen: string[] = [];
    for (let first = 0; first < present.length; first++) {
      const together: Partial<Interaction> = {};
      for (const reason of present.slice(first)) Object.assign(together, set[reason]);
      seen.push(fateOf(together));
    }
    expect(seen).toEqual(present);
  }
});

test('an unknown type is skipped, but only when nothing is wrong with the record', () => {
  expect(outcomeOf({ type: 'UNKNOWN' })).toEqual({ kind: 'skip', reason: 'unknown_type' });
  expect(fateOf({ type: 'UNKNOWN', touchpoint: 'x'.repeat(257) })).toBe('field_too_long');
});
