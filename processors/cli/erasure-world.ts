import { TOPICS } from '../../topics/catalog.ts';
import { createProcessors } from '../catalog.ts';
import type { Processor } from '../core/processor.ts';
import { createCustomer, type CustomerProcessor } from '../customer/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import type { Config } from '../runtime/config.ts';
import { connectServices, kafkaSettings } from '../runtime/connect.ts';
import type { ErasureStore } from '../runtime/erasure-store.ts';
import { forgetGroup } from '../runtime/kafka/forget-group.ts';
import { KafkaAdmin } from '../runtime/kafka/kafka-admin.ts';
import { createKafkaClient } from '../runtime/kafka/kafka-client.ts';
import { KafkaTopicAdmin } from '../runtime/kafka/topic-admin.ts';
import { openErasureStore } from '../runtime/mongo/erasure-store.ts';
import { scanStates } from '../runtime/mongo/scan-states.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import type { Emitter, EventLog, Store, StoredState } from '../runtime/ports.ts';
import type { PreparedCodec } from '../../schemas/codec.ts';
import { commandLog, requireServices } from './connections.ts';
import { OutcomeMeter } from './outcome-meter.ts';

/** Processors that keep documents about customers. */
export const CUSTOMER = { name: 'customer', version: 1, input: 'customer-events.v1' } as const;
export const TOUCHPOINT = { name: 'touchpoint', version: 1, input: 'touchpoint-events.v1' } as const;
/** Processors with a journal: those without documents about customers hold dead letters of what they read about them. */
export const JOURNALED = [
  CUSTOMER,
  TOUCHPOINT,
  { name: 'brand', version: 1, input: 'brand-partials.v1' },
  { name: 'experiment', version: 1, input: 'experiment-events.v1' },
] as const;
export type Journaled = (typeof JOURNALED)[number];

/** What the commands about erasures need of the services. */
export interface ErasureWorld extends AsyncDisposable {
  readonly log: EventLog;
  readonly emitter: Emitter;
  readonly codec: PreparedCodec;
  readonly store: Store;
  readonly erasures: ErasureStore;
  /** Reads states; what it makes of them is no matter. */
  readonly customer: CustomerProcessor;
  /** Those of the pipeline, to see how far they are. */
  readonly processors: readonly Processor[];
  /** Every stored state whose key begins so. */
  states(processor: string, prefix: string): AsyncIterable<StoredState>;
  /** Removes what a reading left of its group. */
  forgetGroup(group: string): Promise<void>;
  /** Topics of the catalog that there are, with every setting in force. */
  settings(): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>>;
}

export async function openErasureWorld(config: Config): Promise<ErasureWorld> {
  const services = requireServices(config);
  const { prefix } = config;
  const logger = commandLog(config);
  const meter = new OutcomeMeter();
  const definitions = await loadDefinitions(config.definitionsFolder ?? shippedDefinitions);
  const customer = createCustomer(definitions);
  const processors = createProcessors(definitions);
  await using stack = new AsyncDisposableStack();
  const stores = JOURNALED.map(storeName);
  const wiring = { topics: TOPICS, stores, clock: { now: Date.now }, logger, meter };
  const { log, emitter, codec, store } = stack.use(await connectServices(config, services, wiring));
  const erasures = stack.adopt(await openErasureStore(services.store, meter), (each) => each.close());
  const client = createKafkaClient(kafkaSettings(services.kafka), logger);
  const admin = stack.adopt(new KafkaAdmin(client), (each) => each.close());
  const opened = stack.move();
  return {
    ...{ log, emitter, codec, store, erasures, customer, processors },
    states: (processor, prefix) => scanStates(services.store, processor, prefix),
    forgetGroup: (group) => forgetGroup(admin, prefix + group),
    settings: async () => {
      const settings = await new KafkaTopicAdmin(admin).settings(TOPICS.map(({ name }) => prefix + name));
      return new Map([...settings].map(([topic, each]) => [topic.slice(prefix.length), each]));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
