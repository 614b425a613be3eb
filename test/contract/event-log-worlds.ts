import { randomBytes } from 'node:crypto';
import { describe, inject } from 'vitest';
import { createKafkaClient } from '../../processors/runtime/kafka/kafka-client.ts';
import { KafkaAdmin } from '../../processors/runtime/kafka/kafka-admin.ts';
import { KafkaEmitter, type KafkaEmitterOptions } from '../../processors/runtime/kafka/kafka-emitter.ts';
import { KafkaEventLog, type KafkaLogOptions } from '../../processors/runtime/kafka/kafka-log.ts';
import { PartitionCounts } from '../../processors/runtime/kafka/partition-counts.ts';
import { KafkaTopicAdmin } from '../../processors/runtime/kafka/topic-admin.ts';
import { MemoryEventLog } from '../../processors/runtime/memory/event-log.ts';
import type { Emitter, EventLog, Log, TopicPartition } from '../../processors/runtime/ports.ts';
import { sendInTransaction } from '../harness/transactions.ts';
import '../harness/vitest-services.ts';

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly maxMessageBytes?: number;
  readonly compression?: string;
}

/** A log with its topics, empty and for one test alone. */
export interface World extends AsyncDisposable {
  readonly log: EventLog;
  readonly emitter: Emitter;
  /** Ends the session of a member whose handler holds its batch without heartbeats; a broker does so by itself. */
  evict(group: string, at: TopicPartition): void;
}

export interface KafkaWorld extends World {
  /** Sends values to partition 0 of a topic in one transaction of a foreign producer. */
  inTransaction(topic: string, values: readonly string[], end: 'commit' | 'abort'): Promise<void>;
}

export type OpenWorld = (topics: readonly TopicSpec[]) => Promise<World>;

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

function openMemory(topics: readonly TopicSpec[]): Promise<World> {
  const log = new MemoryEventLog({ topics, batchRecords: 100 });
  const emitter = log.emitter();
  return Promise.resolve({
    log,
    emitter,
    evict: (group: string, at: TopicPartition) => log.evict(group, at),
    async [Symbol.asyncDispose]() {
      await emitter.close();
      await log.close();
    },
  });
}

const OPTIONS: Omit<KafkaLogOptions, 'prefix'> = {
  concurrency: 4,
  bytesPerPartition: 512 * 1024,
  fetchWaitMs: 100,
  // The shortest session a broker takes, so that an eviction comes soon.
  sessionTimeoutMs: 6_000,
  heartbeatMs: 1_000,
  rebalanceTimeoutMs: 20_000,
};

/** Opens Kafka at the brokers of this run, in a corner of its own. */
export async function openKafka(
  topics: readonly TopicSpec[],
  compression: KafkaEmitterOptions['compression'] = 'none',
): Promise<KafkaWorld> {
  const services = inject('kizunaServices');
  if (services === null) throw new Error('no Kafka in this run');
  const prefix = `log-${randomBytes(5).toString('hex')}.`;
  const kafka = createKafkaClient(
    { brokers: services.kafkaBrokers, clientId: 'kizuna-contract', ssl: false, sasl: null },
    silent,
  );
  const admin = new KafkaAdmin(kafka);
  const topicAdmin = new KafkaTopicAdmin(admin);
  await topicAdmin.create(
    topics.map(({ name, partitions, maxMessageBytes, compression }) => ({
      kind: 'create',
      topic: prefix + name,
      partitions,
      replication: 1,
      config: {
        ...(maxMessageBytes === undefined ? {} : { 'max.message.bytes': String(maxMessageBytes) }),
        ...(compression === undefined ? {} : { 'compression.type': compression }),
        'retention.ms': '-1',
      },
    })),
  );
  const counts = new PartitionCounts(admin, prefix);
  const log = new KafkaEventLog(kafka, admin, counts, { ...OPTIONS, prefix });
  const emitter = new KafkaEmitter(kafka, counts, { prefix, producers: 2, compression }, silent);
  return {
    log,
    emitter,
    evict: () => undefined,
    inTransaction: (topic, values, end) => sendInTransaction(services.kafkaBrokers, prefix + topic, values, end),
    async [Symbol.asyncDispose]() {
      await emitter.close();
      await log.close();
      await topicAdmin.delete(topics.map(({ name }) => prefix + name));
      await admin.close();
    },
  };
}

/** Runs the same cases on the log in memory and on Kafka. */
export function onEveryLog(cases: (open: OpenWorld) => void): void {
  describe('in memory', () => cases(openMemory));
  describe.skipIf(inject('kizunaServices') === null)('on Kafka', () => cases((topics) => openKafka(topics)));
}
