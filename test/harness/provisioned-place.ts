import { registerSchemas } from '../../schemas/register.ts';
import { createCodec, type PreparedCodec } from '../../schemas/codec.ts';
import { applyTopics } from '../../topics/apply.ts';
import { TOPICS, type Topic } from '../../topics/catalog.ts';
import { startKizuna, type Kizuna, type StartOptions } from '../../processors/main.ts';
import { loadConfig, type Config } from '../../processors/runtime/config.ts';
import { kafkaSettings } from '../../processors/runtime/connect.ts';
import { KafkaAdmin } from '../../processors/runtime/kafka/kafka-admin.ts';
import { createKafkaClient } from '../../processors/runtime/kafka/kafka-client.ts';
import { KafkaEmitter } from '../../processors/runtime/kafka/kafka-emitter.ts';
import { PartitionCounts } from '../../processors/runtime/kafka/partition-counts.ts';
import { KafkaTopicAdmin } from '../../processors/runtime/kafka/topic-admin.ts';
import type { Emitter } from '../../processors/runtime/ports.ts';
import { connectRegistry } from '../../processors/runtime/registry/registry.ts';
import type { Place } from './place.ts';
import { silentLog } from './runtime-fixture.ts';

export interface PlaceOptions {
  readonly time: 'live' | 'record';
  /** Folder of definitions; the shipped set by default. */
  readonly definitions?: string;
  /** Of every topic but dead letters. */
  readonly partitions?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** A place with every topic and schema of the catalog, in which the whole pipeline can run. */
export interface ProvisionedPlace extends Place, AsyncDisposable {
  /** What a process needs in its environment to run here; it serves its metrics on a free port. */
  readonly environment: Readonly<Record<string, string>>;
  readonly config: Config;
  /** Knows every schema of the catalog, for whoever writes inputs or reads outputs. */
  readonly codec: PreparedCodec;
  /** For whoever writes inputs. */
  readonly emitter: Emitter;
  start(options?: Partial<StartOptions>): Promise<Kizuna>;
}

/**
 * Provisions a place as `kizuna simulate` does on real services, for records of any age: nothing is deleted by time, and
 * topics that are compacted in production keep every record, so that all of them can be compared.
 */
export async function provisionPlace(place: Place, options: PlaceOptions): Promise<ProvisionedPlace> {
  const environment = {
    KIZUNA_KAFKA_BROKERS: place.kafkaBrokers.join(','),
    KIZUNA_MONGODB_URI: place.mongodbUri,
    KIZUNA_MONGODB_DATABASE: place.database,
    KIZUNA_SCHEMA_REGISTRY_URL: place.schemaRegistryUrl,
    KIZUNA_PREFIX: place.prefix,
    KIZUNA_TIME: options.time,
    KIZUNA_HTTP_PORT: '0',
    ...(options.definitions !== undefined && { KIZUNA_DEFINITIONS: options.definitions }),
    ...options.settings,
  };
  const config = loadConfig(environment);
  if (config.services === null) throw new Error('a place for the pipeline needs the services');
  const registry = connectRegistry({ url: place.schemaRegistryUrl });
  const kafka = createKafkaClient(kafkaSettings(config.services.kafka), silentLog);
  const admin = new KafkaAdmin(kafka);
  await createTopics(admin, place.prefix, options.partitions ?? 4);
  await registerSchemas(registry, TOPICS, { prefix: place.prefix });
  const codec = createCodec({ registry, topics: TOPICS, prefix: place.prefix, clock: { now: Date.now } });
  await codec.prepare(TOPICS.filter(({ schema }) => schema !== null).map((topic) => topic.name));
  const emitterOptions = { prefix: place.prefix, producers: 1, compression: 'none' } as const;
  const emitter = new KafkaEmitter(kafka, new PartitionCounts(admin, place.prefix), emitterOptions, silentLog);
  const cleanup = async (): Promise<void> => {
    await Promise.all([emitter.close(), registry.close()]);
    await admin.close();
    await place.cleanup();
  };
  return {
    ...place,
    environment,
    config,
    codec,
    emitter,
    start: (start = {}) => startKizuna(config, { logger: silentLog, clock: { now: Date.now }, ...start }),
    cleanup,
    [Symbol.asyncDispose]: cleanup,
  };
}

async function createTopics(admin: KafkaAdmin, prefix: string, partitions: number): Promise<void> {
  const topics: Topic[] = TOPICS.map((topic) => ({ ...topic, cleanup: 'delete' }));
  const plan = await applyTopics(new KafkaTopicAdmin(admin), topics, {
    prefix,
    partitions,
    replication: 1,
    retentionMs: -1,
  });
  if (!plan.applied) throw new Error(`topics were not created: ${JSON.stringify(plan.refusals)}`);
}
