import { topicOf, TOPICS } from '../../topics/catalog.ts';
import type { Config } from '../runtime/config.ts';
import { connectServices, kafkaSettings } from '../runtime/connect.ts';
import type { DeadLetterReceipts } from '../runtime/dead-letter-receipts.ts';
import { forgetGroup } from '../runtime/kafka/forget-group.ts';
import { KafkaAdmin } from '../runtime/kafka/kafka-admin.ts';
import { createKafkaClient } from '../runtime/kafka/kafka-client.ts';
import { KafkaTopicAdmin } from '../runtime/kafka/topic-admin.ts';
import { openDeadLetterReceipts } from '../runtime/mongo/dead-letter-receipts.ts';
import type { Codec, Emitter, EventLog } from '../runtime/ports.ts';
import { commandLog, requireServices } from './connections.ts';
import { OutcomeMeter } from './outcome-meter.ts';

/** What the commands about dead letters need of the services. */
export interface DeadLetterWorld extends AsyncDisposable {
  readonly log: EventLog;
  readonly emitter: Emitter;
  readonly codec: Codec;
  readonly receipts: DeadLetterReceipts;
  /** Removes what a reading left of its group. */
  forgetGroup(group: string): Promise<void>;
  /** How long each of these topics keeps a record, counted from the record's time; -1 for ever. */
  retentions(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

export async function openDeadLetterWorld(config: Config): Promise<DeadLetterWorld> {
  const services = requireServices(config);
  const { prefix } = config;
  const logger = commandLog(config);
  const meter = new OutcomeMeter();
  await using stack = new AsyncDisposableStack();
  const wiring = { topics: TOPICS, stores: [], clock: { now: Date.now }, logger, meter };
  const { log, emitter, codec } = stack.use(await connectServices(config, services, wiring));
  const receipts = stack.adopt(await openDeadLetterReceipts(services.store, meter), (each) => each.close());
  const client = createKafkaClient(kafkaSettings(services.kafka), logger);
  const admin = stack.adopt(new KafkaAdmin(client), (each) => each.close());
  const opened = stack.move();
  return {
    log,
    emitter,
    codec,
    receipts,
    forgetGroup: (group) => forgetGroup(admin, prefix + group),
    retentions: async (topics) => {
      const { topics: states } = await new KafkaTopicAdmin(admin).state(topics.map((topic) => prefix + topic));
      return new Map(
        topics.map((topic) => {
          const set = states.get(prefix + topic)?.overrides['retention.ms'];
          return [topic, set === undefined ? topicOf(topic).retentionMs : Number(set)];
        }),
      );
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
