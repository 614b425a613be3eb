import { createCodec } from '../../schemas/codec.ts';
import type { SchemaTopic } from '../../schemas/registry.ts';
import type { Config, KafkaConfig } from './config.ts';
import { KafkaAdmin } from './kafka/kafka-admin.ts';
import { createKafkaClient, type KafkaSettings } from './kafka/kafka-client.ts';
import { KafkaEmitter } from './kafka/kafka-emitter.ts';
import { KafkaEventLog } from './kafka/kafka-log.ts';
import { PartitionCounts } from './kafka/partition-counts.ts';
import { openMongoStore } from './mongo/store.ts';
import type { Meter } from './meter.ts';
import type { Clock, Log } from './ports.ts';
import { connectRegistry } from './registry/registry.ts';
import type { Services } from './services.ts';

export interface Wiring {
  readonly topics: readonly SchemaTopic[];
  /** What the store will be asked for: `customer.v1`. */
  readonly stores: readonly string[];
  /** Of these, whose documents of other revisions will be looked for. Default: none. */
  readonly revised?: readonly string[];
  readonly clock: Clock;
  readonly logger: Log;
  readonly meter: Meter;
}

/** Opens Kafka, MongoDB and the registry in order; what was opened is closed again when a later one fails. */
export async function connectServices(
  config: Config,
  services: NonNullable<Config['services']>,
  wiring: Wiring,
): Promise<Services> {
  const { prefix } = config;
  await using stack = new AsyncDisposableStack();
  const { kafka, counts, log } = openLog(services.kafka, prefix, wiring.logger.child({ part: 'kafka' }), stack);
  const emitterOptions = { prefix, producers: services.kafka.producers, compression: 'none' } as const;
  const emitter = stack.adopt(new KafkaEmitter(kafka, counts, emitterOptions, wiring.logger), (each) => each.close());
  const store = stack.adopt(
    await openMongoStore(
      { ...services.store, processors: wiring.stores, revised: wiring.revised ?? [] },
      wiring.logger.child({ part: 'store' }),
      wiring.meter,
    ),
    (each) => each.close(),
  );
  const { url, ca, credentials } = services.registry;
  const registry = stack.adopt(connectRegistry({ url, ca, ...credentials }), (each) => each.close());
  const codec = createCodec({ registry, topics: wiring.topics, prefix, clock: wiring.clock });
  const opened = stack.move();
  const description = `Kafka ${services.kafka.brokers.join(',')}, MongoDB database ${services.store.database}, schema registry ${withoutLogin(url)}`;
  return { description, log, emitter, store, registry, codec, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Connects nothing yet. What it opens is closed with `stack`. */
export function openLog(config: KafkaConfig, prefix: string, logger: Log, stack: AsyncDisposableStack) {
  const kafka = createKafkaClient(kafkaSettings(config), logger);
  const admin = stack.adopt(new KafkaAdmin(kafka), (each) => each.close());
  // Of its own: asking for one topic's metadata makes an admin client of kafkajs forget the topics it knew.
  const metadata = stack.adopt(new KafkaAdmin(kafka), (each) => each.close());
  const counts = new PartitionCounts(metadata, prefix);
  const log = stack.adopt(new KafkaEventLog(kafka, admin, counts, logOptions(config, prefix)), (each) => each.close());
  return { kafka, counts, log };
}

function withoutLogin(url: string): string {
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}

/** The part of the configuration that the Kafka client takes. */
export function kafkaSettings(kafka: KafkaConfig): KafkaSettings {
  const { ssl } = kafka;
  const files = ssl === null ? null : Object.fromEntries(Object.entries(ssl).filter(([, pem]) => pem !== null));
  return { brokers: kafka.brokers, clientId: kafka.clientId, ssl: files ?? false, sasl: kafka.sasl };
}

function logOptions(kafka: KafkaConfig, prefix: string): ConstructorParameters<typeof KafkaEventLog>[3] {
  return {
    prefix,
    concurrency: kafka.partitionsConcurrent,
    bytesPerPartition: kafka.fetchBytes,
    fetchWaitMs: kafka.fetchWaitMs,
    sessionTimeoutMs: kafka.sessionTimeoutMs,
    heartbeatMs: kafka.heartbeatMs,
    rebalanceTimeoutMs: kafka.rebalanceTimeoutMs,
  };
}
