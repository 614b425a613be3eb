import { createRequire } from 'node:module';
import kafkajs, { type Message } from 'kafkajs';

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
  encode(): Promise<{ readonly buffer: Buffer }>;
}

/** The request that a producer sends, before the bytes of it are made. */
export const produceRequest = require('kafkajs/src/protocol/requests/produce/v3/request') as (request: {
  acks: number;
  timeout: number;
  compression: number;
  topicData: {
    topic: string;
    partitions: { partition: number; firstSequence: number; messages: readonly Message[] }[];
  }[];
}) => ProduceRequest;
