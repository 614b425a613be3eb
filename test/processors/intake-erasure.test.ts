import { describe, expect, test } from 'vitest';
import { HOUR_MS } from '../../processors/core/event-time.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import type { Command, CustomerEvent } from '../../schemas/types.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { interaction, NOW } from './intake-fixture.ts';

const HASH = 'ab'.repeat(32);
const intake = createIntake(definitionsWith({}));

const order = (changes: Partial<Command> = {}): Command => ({
  ...{ commandId: 'c-1', brandId: 'demo', kind: 'ERASE', issuedAt: NOW - 1, issuedBy: 'mika' },
  ...{ subject: 'u:1', target: null, reason: null, ...changes },
});
const outcomeOf = (changes: Partial<Command>) => intake.onRecord(order(changes), NOW, 'commands.v1');

describe('an order to erase', () => {
  test('goes to the customer, with the time at which it was given', () => {
    const identity = { subject: 'u:1', via: null, state: null, at: NOW - 1 };
    const value = { brandId: 'demo', subject: 'u:1', kind: 'ERASE', interaction: null, identity };
    const output = { topic: 'customer-events.v1', key: 'demo|u:1', value, timestamp: NOW };
    expect(outcomeOf({})).toEqual({ kind: 'apply', outputs: [output] });
  });

  test('with a touchpoint goes to the customer’s case there alone, whatever the name holds', () => {
    const outcome = outcomeOf({ target: 'a|b' });
    const value = {
      touchpoint: 'a|b',
      subject: 'u:1',
      kind: 'ERASE',
      eventId: 'c-1',
      occurredAt: NOW - 1,
      caseId: null,
    };
    expect(outcome).toMatchObject({
      kind: 'apply',
      outputs: [{ topic: 'touchpoint-events.v1', key: 'demo|a%7Cb|u:1', value, timestamp: NOW }],
    });
    expect(outcomeOf({ target: ' ' })).toMatchObject({ outputs: [{ key: 'demo|unnamed|u:1' }] });
  });

  test.each<[Partial<Command>, string]>([
    [{ subject: null }, 'no_identifier'],
    [{ subject: '' }, 'no_identifier'],
    [{ subject: '1' }, 'invalid_identifier'],
    [{ subject: 'a:guest' }, 'invalid_identifier'],
    [{ subject: `e:${HASH.toUpperCase()}` }, 'invalid_identifier'],
    [{ target: 'x'.repeat(257) }, 'invalid_identifier'],
    [{ issuedAt: NOW + HOUR_MS }, 'future_timestamp'],
    [{ brandId: 'Demo' }, 'invalid_brand'],
    [{ subject: `e:${HASH}` }, 'apply'],
  ])('%j: %s', (changes, fate) => {
    const outcome = outcomeOf(changes);
    expect(outcome.kind === 'apply' ? 'apply' : outcome.reason).toBe(fate);
  });
});

test('links and their ends carry the time that an erasure is compared with', () => {
  const told = intake.onRecord(interaction({ anonymousId: 'A', occurredAt: NOW - 5 }), NOW, 'interactions.v1');
  const steps = told.kind === 'apply' ? told.outputs.map((output) => output?.value as CustomerEvent) : [];
  expect(steps.find(({ kind }) => kind === 'LINK')?.identity?.at).toBe(NOW - 5);
  const ended = outcomeOf({ kind: 'UNLINK', target: 'a:A' });
  expect(ended).toMatchObject({ outputs: [{ value: { kind: 'UNLINK', identity: { at: NOW - 1 } } }] });
});
