import kafkajs from 'kafkajs';
import { PipelineError } from '../../core/errors.ts';
import { partitionOfKey } from '../partitioner.ts';
import type { Emitter, Log, OutgoingRecord } from '../ports.ts';
import { GroupedRecords } from './grouped-records.ts';
import { ANSWER_WITHIN_MS, type KafkaClient } from './kafka-client.ts';
import { toPipelineError } from './kafka-errors.ts';
import type { PartitionCounts } from './partition-counts.ts';
import { ProducerPool } from './producer-pool.ts';

export interface KafkaEmitterOptions {
  /** Before every topic's name. */
  readonly prefix: string;
  /** As many as partitions folded at once. */
  readonly producers: number;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'zstd';
  /** How long one request may go without an answer. */
  readonly answerWithinMs?: number;
}

// One request holds one record batch for each partition, and a batch must fit the topic's max.message.bytes (1 MiB): even
// if the whole slice goes to one partition, it does. A larger record travels alone and compressed: the limit is that of the
// compressed batch, and what came in compressed may fit no other way.
const SLICE_BYTES = 900_000;
const SLICE_RECORDS = 5_000;
/** An upper bound of what the format adds to key, value and headers of a record. */
const RECORD_OVERHEAD_BYTES = 40;
const ALL_IN_SYNC_REPLICAS = -1;

const COMPRESSION = {
  none: kafkajs.CompressionTypes.None,
  gzip: kafkajs.CompressionTypes.GZIP,
  snappy: kafkajs.CompressionTypes.Snappy,
  zstd: kafkajs.CompressionTypes.ZSTD,
} as const;

interface Slice {
  readonly topics: Map<string, GroupedRecords>;
  /** One record larger than any slice. */
  readonly large: boolean;
}

export class KafkaEmitter implements Emitter {
  readonly #options: KafkaEmitterOptions;
  readonly #counts: PartitionCounts;
  readonly #pool: ProducerPool;
  readonly #inFlight = new Set<Promise<void>>();
  /** The next partition for records without a key. */
  #turn = 0;
  #closed = false;

  constructor(client: KafkaClient, counts: PartitionCounts, options: KafkaEmitterOptions, log: Log) {
    this.#options = options;
    this.#counts = counts;
    this.#pool = new ProducerPool(client, options.producers, log);
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed) throw new PipelineError('log_unavailable', 'the emitter is closed', { retriable: false });
    const sending = this.#send(records);
    this.#inFlight.add(sending);
    try {
      await sending;
    } finally {
      this.#inFlight.delete(sending);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#inFlight);
    await this.#pool.close();
  }

  async #send(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return;
    // kafkajs drops a message for a partition that does not exist without a word, so the numbers must be known first.
    await this.#counts.learn(records);
    const producer = await this.#pool.lend().catch((error: unknown) => {
      throw toPipelineError('connect a producer', error);
    });
    try {
      for (const slice of this.#slices(records)) {
        const sent = producer.sendBatch({
          acks: ALL_IN_SYNC_REPLICAS,
          compression: COMPRESSION[slice.large ? 'gzip' : this.#options.compression],
          // One entry for each topic: kafkajs would copy two entries of the same topic into a plain array.
          topicMessages: Array.from(slice.topics, ([topic, messages]) => ({ topic, messages })),
        });
        await answered(sent, this.#options.answerWithinMs ?? ANSWER_WITHIN_MS);
      }
    } catch (error) {
      this.#pool.discard(producer);
      const topics = new Set(records.map(({ topic }) => this.#options.prefix + topic));
      throw toPipelineError(`send records to ${[...topics].join(', ')}`, error);
    }
    this.#pool.giveBack(producer);
  }

  *#slices(records: readonly OutgoingRecord[]): Generator<Slice> {
    let topics: Slice['topics'] = new Map();
    let bytes = 0;
    let count = 0;
    for (const record of records) {
      const size = bytesOf(record);
      if (count > 0 && (bytes + size > SLICE_BYTES || count >= SLICE_RECORDS)) {
        yield { topics, large: bytes > SLICE_BYTES };
        topics = new Map();
        bytes = 0;
        count = 0;
      }
      this.#place(record, topics);
      bytes += size;
      count++;
    }
    if (count > 0) yield { topics, large: bytes > SLICE_BYTES };
  }

  #place(record: OutgoingRecord, topics: Slice['topics']): void {
    const topic = this.#options.prefix + record.topic;
    const partitions = this.#counts.known(record.topic);
    let grouped = topics.get(topic);
    if (grouped === undefined) topics.set(topic, (grouped = new GroupedRecords()));
    grouped.add(record, record.key === null ? this.#turn++ % partitions : partitionOfKey(record.key, partitions));
  }
}

/**
 * A connection that takes requests and never answers is no error to kafkajs: it would ask again over the same one for minutes.
 * Whoever sends again does so with another producer, and so over another connection.
 */
async function answered(sent: Promise<unknown>, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message = `the brokers did not answer within ${withinMs} ms`;
      reject(new PipelineError('log_unavailable', message, { retriable: true }));
    }, withinMs);
  });
  // What becomes of it later is of no use to anybody.
  sent.catch(() => undefined);
  try {
    await Promise.race([sent, overdue]);
  } finally {
    clearTimeout(timer);
  }
}

function bytesOf(record: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const name in record.headers) bytes += name.length * 3 + Buffer.byteLength(record.headers[name] ?? '') + 8;
  return bytes;
}
