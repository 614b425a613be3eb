import { createRequire } from 'node:module';
import kafkajs, { type Batch, type Message } from 'kafkajs';

/** The insides of kafkajs that our adapter relies on or replaces, so that tests notice when they change. */
const require = createRequire(import.meta.url);

type GroupMessages = (request: {
  topic: string;
  partitionMetadata: readonly unknown[];
  messages: readonly Message[];
  partitioner: (choice: { message: Message }) => number;
}) => Record<number, Message[]>;

/** What a producer calls on the messages of one topic before each request. */
export const groupMessagesPerPartition = require('kafkajs/src/producer/groupMessagesPerPartition') as GroupMessages;

/** The partition that kafkajs's own default partitioner chooses: the Java client's rule. */
export function kafkajsPartitionOf(key: Buffer, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  const choose = kafkajs.Partitioners.DefaultPartitioner();
  return choose({ topic: 'any.v1', partitionMetadata, message: { key, value: null } });
}

interface ProduceRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  encode(): Promise<{ readonly buffer: Buffer }>;
}

export interface ProduceOptions {
  readonly acks: number;
  readonly timeout: number;
  readonly producerId?: string | { toString(): string };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly {
    readonly topic: string;
    /** `messages` are an array for kafkajs's own encoder. */
    readonly partitions: readonly { partition: number; firstSequence?: number; messages: unknown }[];
  }[];
}

type MakeRequest = (options: ProduceOptions) => ProduceRequest;

/** The request that a producer sends, as kafkajs writes it. Taken before our adapter puts its own in the place. */
export const produceRequest = require('kafkajs/src/protocol/requests/produce/v3/request') as MakeRequest;

/** The newest version, as it is when it is called. */
export const produceRequestOfVersion7: MakeRequest = (options) =>
  (require('kafkajs/src/protocol/requests/produce/v7/request') as MakeRequest)(options);

/** What kafkajs writes bytes with. */
interface Encoder {
  readonly buffer: Buffer;
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: number | string): Encoder;
  writeString(value: string): Encoder;
  writeBytes(value: Buffer): Encoder;
  writeArray(values: readonly Encoder[]): Encoder;
}

export const newEncoder = (): Encoder => new (require('kafkajs/src/protocol/encoder') as new () => Encoder)();

/** One record of a record batch. */
export const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[]>>;
}) => Encoder;

export const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(batch: {
    readonly firstOffset: number;
    readonly firstTimestamp: number;
    readonly maxTimestamp: number;
    readonly lastOffsetDelta: number;
    readonly compression: number;
    readonly transactional: boolean;
    readonly producerId: number;
    readonly records: readonly Encoder[];
  }): Promise<Encoder>;
};

/** A message set of version 1, as clients wrote before Kafka 0.11. */
export const encodeMessageSet = require('kafkajs/src/protocol/messageSet') as (set: {
  readonly messageVersion: number;
  readonly entries: readonly { key: Buffer | null; value: Buffer | null; timestamp: number; offset: number }[];
}) => Encoder;

type FetchedPartition = { readonly partition: number; readonly messages: readonly object[] };

/** How kafkajs itself reads the answer to a fetch. Taken before our adapter puts its own in the place. */
export const { decode: decodeFetchByKafkajs } = {
  ...(require('kafkajs/src/protocol/requests/fetch/v11/response') as {
    decode(bytes: Buffer): Promise<{
      readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
    }>;
  }),
};

/** What kafkajs makes of a partition of that answer, and hands to `eachBatch`. */
export const KafkajsBatch = require('kafkajs/src/consumer/batch') as new (
  topic: string,
  fetchedOffset: string,
  partition: FetchedPartition,
) => Batch & { isEmpty(): boolean };
