import { beforeAll, describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { HOUR_MS } from '../../processors/core/event-time.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import { embedServices, type EmbeddedServices } from '../../processors/runtime/embed.ts';
import { FIRST_EPOCH } from '../../processors/runtime/position.ts';
import { runStateless } from '../../processors/runtime/run-stateless.ts';
import { SaidLately } from '../../processors/runtime/said-lately.ts';
import type { Command, CustomerEvent, Interaction } from '../../schemas/types.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { CollectingEmitter, memoryPorts } from '../harness/runtime-fixture.ts';
import { interaction, NOW } from './intake-fixture.ts';

const INPUT = 'interactions.v1';
const HASH = 'ab'.repeat(32);
const intake = createIntake(definitionsWith({}));

function linksOf(changes: Partial<Interaction>) {
  const outcome = intake.onRecord(interaction(changes), NOW, INPUT);
  if (outcome.kind !== 'apply') throw new Error(outcome.reason);
  const events = outcome.outputs.map((output) => output?.value as CustomerEvent);
  return events
    .filter(({ kind }) => kind === 'LINK')
    .map(({ subject, identity }) => `${subject} to ${identity?.subject}`);
}

describe('an interaction', () => {
  test.each<[string, Partial<Interaction>, string[]]>([
    ['one identifier', {}, []],
    ['two', { anonymousId: 'A' }, ['a:A to u:123']],
    ['all three', { emailHash: HASH, anonymousId: 'A' }, [`e:${HASH} to u:123`, 'a:A to u:123']],
    ['no user', { userId: null, emailHash: HASH.toUpperCase(), anonymousId: 'A' }, [`a:A to e:${HASH}`]],
    ['junk beside', { emailHash: '0'.repeat(64), anonymousId: ' Guest ' }, []],
    ['a junk user', { userId: 'null', emailHash: HASH, anonymousId: 'A' }, [`a:A to e:${HASH}`]],
    ['an anonymous id alone', { userId: null, anonymousId: 'A' }, []],
  ])('with %s links the weaker ones to the strongest', (_, changes, links) => {
    expect(linksOf(changes)).toEqual(links);
  });

  test('is first, whatever follows from it', () => {
    const outcome = intake.onRecord(interaction({ anonymousId: 'A', type: 'COMPLAINT' }), NOW, INPUT);
    const topics = outcome.kind === 'apply' ? outcome.outputs.map((output) => output?.topic) : [];
    expect(topics).toEqual([
      ...['customer-events.v1', 'touchpoint-events.v1', 'touchpoint-events.v1', 'customer-events.v1'],
    ]);
  });
});

describe('an order to unlink', () => {
  const order = (changes: Partial<Command> = {}): Command => ({
    ...{ commandId: 'c-1', brandId: 'demo', kind: 'UNLINK', issuedAt: NOW, issuedBy: 'mika' },
    ...{ subject: 'u:1', target: 'a:1', reason: null, ...changes },
  });

  test('goes to the weaker subject', () => {
    const outcome = intake.onRecord(order(), NOW, 'commands.v1');
    const value = { brandId: 'demo', subject: 'a:1', kind: 'UNLINK', interaction: null };
    const identity = { subject: 'u:1', via: null, state: null, at: NOW };
    const output = { topic: 'customer-events.v1', key: 'demo|a:1', value: { ...value, identity }, timestamp: NOW };
    expect(outcome).toEqual({ kind: 'apply', outputs: [output] });
  });

  test.each<[Partial<Command>, string]>([
    [{ subject: null }, 'no_identifier'],
    [{ target: '' }, 'no_identifier'],
    [{ subject: '1' }, 'invalid_identifier'],
    [{ target: 'a:guest' }, 'invalid_identifier'],
    [{ target: 'e:someone' }, 'invalid_identifier'],
    [{ target: `a:${'x'.repeat(257)}` }, 'invalid_identifier'],
    [{ target: 'u:2' }, 'invalid_identifier'],
    [{ subject: 'a:1', target: `e:${HASH}` }, 'invalid_identifier'],
    [{ issuedAt: NOW + HOUR_MS }, 'future_timestamp'],
    [{ subject: `e:${HASH}` }, 'apply'],
  ])('%j: %s', (changes, fate) => {
    const outcome = intake.onRecord(order(changes), NOW, 'commands.v1');
    expect(outcome.kind === 'apply' ? 'apply' : outcome.reason).toBe(fate);
  });
});

describe('a link', () => {
  let services: EmbeddedServices;
  beforeAll(async () => {
    services = await embedServices({ topics: TOPICS, partitions: 1, clock: { now: () => 0 }, keepRecords: 0 });
    await services.codec.prepare([INPUT, ...intake.outputs]);
  });

  /** What one batch says: interactions of a device at these times, from an offset on. */
  async function said(lately: SaidLately, offset: number, times: readonly number[], fails = false) {
    const emitter = new CollectingEmitter();
    if (fails) {
      emitter.send = () => Promise.reject(new PipelineError('log_unavailable', 'away', { retriable: true }));
    }
    const records = times.map((timestamp, index) => {
      const value = services.codec.encode(INPUT, interaction({ occurredAt: timestamp, anonymousId: 'A' }));
      return { offset: offset + index, timestamp, key: null, value, headers: {} };
    });
    const next = offset + records.length;
    const batch = { topic: INPUT, partition: 0, records, next, logEnd: next };
    const ports = memoryPorts({ codec: services.codec, emitter });
    await runStateless(intake, batch, ports, FIRST_EPOCH, lately);
    return emitter.sent.map(
      ({ key, headers }) => `${key?.toString()} ${String(headers['position']).split(':').at(-1)}`,
    );
  }

  test('is said once while this process knows that it was acknowledged, its place in the numbering kept', async () => {
    const lately = new SaidLately();
    expect(await said(lately, 0, [NOW, NOW])).toEqual(['demo|u:123 0.0', 'demo|a:A 0.1', 'demo|u:123 1.0']);
    expect(await said(lately, 2, [NOW])).toEqual(['demo|u:123 2.0']);
    expect(await said(new SaidLately(), 0, [NOW, NOW])).toEqual(['demo|u:123 0.0', 'demo|a:A 0.1', 'demo|u:123 1.0']);
  });

  test('that did not arrive is said again', async () => {
    const lately = new SaidLately();
    await expect(said(lately, 0, [NOW], true)).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(await said(lately, 0, [NOW])).toContain('demo|a:A 0.1');
  });

  test('is said again after an hour of record time', async () => {
    const lately = new SaidLately();
    await said(lately, 0, [NOW]);
    expect(await said(lately, 1, [NOW + HOUR_MS - 1])).toHaveLength(1);
    expect(await said(lately, 2, [NOW + HOUR_MS])).toHaveLength(2);
  });

  test('is remembered among so many', () => {
    const lately = new SaidLately();
    const words = (from: number) =>
      new Map(Array.from({ length: 50_000 }, (_each, index) => [`${from + index}`, NOW] as const));
    lately.note(new Map([['first', NOW]]));
    lately.note(words(0));
    expect(lately.has('first', NOW)).toBe(true);
    lately.note(words(50_000));
    expect([lately.has('first', NOW), lately.has('99999', NOW)]).toEqual([false, true]);
  });
});
