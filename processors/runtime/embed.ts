import { createCodec } from '../../schemas/codec.ts';
import { registerSchemas } from '../../schemas/register.ts';
import type { SchemaTopic } from '../../schemas/registry.ts';
import { MemoryEventLog } from './memory/event-log.ts';
import { createMemoryRegistry } from './memory/registry.ts';
import { createMemoryStore, type MemoryStore } from './memory/store.ts';
import type { Clock } from './ports.ts';
import type { Services } from './services.ts';

/** A topic as the embedded log needs it: a row of topics/catalog.ts. */
export type EmbeddedTopic = SchemaTopic & { readonly readers: readonly string[]; readonly maxMessageBytes: number };

export interface EmbedOptions {
  readonly topics: readonly EmbeddedTopic[];
  readonly partitions: number;
  readonly clock: Clock;
  /** How many records of a topic are kept beyond what its readers still need. */
  readonly keepRecords: number;
}

/** As any services, and the store can list what it keeps. */
export interface EmbeddedServices extends Services {
  readonly store: MemoryStore;
}

/** The whole world in this process's memory, provisioned. It keeps nothing. */
export async function embedServices(options: EmbedOptions): Promise<EmbeddedServices> {
  const { topics, partitions, clock, keepRecords } = options;
  const log = new MemoryEventLog({ topics: topics.map((topic) => ({ ...topic, partitions })), keepRecords });
  const emitter = log.emitter();
  const store = createMemoryStore();
  const registry = createMemoryRegistry();
  await registerSchemas(registry, topics);
  const codec = createCodec({ registry, topics, clock });
  return {
    description: 'embedded: log, store and schemas in memory, nothing is kept',
    log,
    emitter,
    store,
    registry,
    codec,
    async [Symbol.asyncDispose]() {
      await log.close();
      await emitter.close();
      await store.close();
    },
  };
}
