import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { KafkaAdmin } from '../../processors/runtime/kafka/kafka-admin.ts';
import { createKafkaClient } from '../../processors/runtime/kafka/kafka-client.ts';
import { KafkaTopicAdmin } from '../../processors/runtime/kafka/topic-admin.ts';
import type { Log } from '../../processors/runtime/ports.ts';
import { applyTopics, planOf } from '../../topics/apply.ts';
import { TOPICS } from '../../topics/catalog.ts';
import '../harness/vitest-services.ts';

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

describe.skipIf(inject('kizunaServices') === null)('topics on Kafka', () => {
  const prefix = `topics-${randomBytes(5).toString('hex')}.`;
  const options = { prefix, partitions: 4, replication: 1, retentionMs: null };
  const EVENTS = `${prefix}customer-events.v1`;
  let admin: KafkaAdmin;
  let topics: KafkaTopicAdmin;

  beforeAll(() => {
    const brokers = inject('kizunaServices')?.kafkaBrokers ?? [];
    admin = new KafkaAdmin(createKafkaClient({ brokers, clientId: 'kizuna-contract', ssl: false, sasl: null }, silent));
    topics = new KafkaTopicAdmin(admin);
  });

  afterAll(async () => {
    await topics.delete(TOPICS.map(({ name }) => prefix + name));
    await admin.close();
  });

  it('creates the catalog, with a leader for every partition, and then has nothing to do', async () => {
    const done = await applyTopics(topics, TOPICS, options);
    expect(done).toMatchObject({ applied: true, refusals: [] });
    expect(done.changes.map(({ kind }) => kind)).toEqual(TOPICS.map(() => 'create'));
    const connected = await admin.connected();
    const { topics: metadata } = await connected.fetchTopicMetadata({
      topics: TOPICS.map(({ name }) => prefix + name),
    });
    for (const { partitions } of metadata) expect(partitions.every(({ leader }) => leader >= 0)).toBe(true);
    const again = await planOf(topics, TOPICS, options);
    expect([again.changes, again.refusals, again.extras]).toEqual([[], [], []]);
  });

  it('mends one setting and keeps the overrides that it does not know', async () => {
    const { overrides } = (await topics.state([EVENTS])).topics.get(EVENTS) ?? { overrides: {} };
    await topics.replaceOverrides(EVENTS, { ...overrides, 'retention.ms': '60000', 'segment.ms': '600000' });
    const drift = await planOf(topics, TOPICS, options);
    expect(drift.changes).toEqual([
      { kind: 'configure', topic: EVENTS, settings: [{ name: 'retention.ms', from: '60000', to: '-1' }] },
    ]);
    expect(drift.extras).toEqual([{ topic: EVENTS, name: 'segment.ms', value: '600000' }]);
    await applyTopics(topics, TOPICS, options);
    const after = (await topics.state([EVENTS])).topics.get(EVENTS)?.overrides;
    expect(after).toEqual({ ...overrides, 'segment.ms': '600000' });
  });

  it('refuses another number of partitions, and touches nothing', async () => {
    const before = await topics.state([EVENTS]);
    const outcome = await applyTopics(topics, TOPICS, { ...options, partitions: 6, retentionMs: -1 });
    expect(outcome.applied).toBe(false);
    expect(outcome.refusals.map(({ topic }) => topic)).toContain(EVENTS);
    expect(await topics.state([EVENTS])).toEqual(before);
  });

  it('creating what somebody else has created meanwhile is no error', async () => {
    const [creation] = (await planOf(topics, TOPICS, { ...options, prefix: `${prefix}late.` })).changes;
    if (creation?.kind !== 'create') throw new Error('a creation was expected');
    await topics.create([creation]);
    await topics.create([creation]);
    await topics.delete([creation.topic]);
  });

  it('a setting that the broker refuses fails for good', async () => {
    await expect(topics.replaceOverrides(EVENTS, { 'cleanup.policy': 'burn' })).rejects.toMatchObject({
      code: 'log_unavailable',
      retriable: false,
    });
  });
});
