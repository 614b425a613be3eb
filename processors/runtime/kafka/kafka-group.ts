import type { Consumer } from 'kafkajs';
import type { KafkaClient } from './kafka-client.ts';

export interface KafkaGroupOptions {
  /** How many partitions are folded at once. */
  readonly concurrency: number;
  /** The most one fetch brings of a partition; a single larger record still comes. */
  readonly bytesPerPartition: number;
  /** How long a broker waits for the first byte: the latency of an idle partition, and of a clean leave. */
  readonly fetchWaitMs: number;
  /** A member silent for so long is evicted. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** How long a rebalance waits for members to give up their batches. */
  readonly rebalanceTimeoutMs: number;
}

export interface GroupToJoin extends KafkaGroupOptions {
  readonly prefix: string;
  readonly group: string;
  readonly topics: readonly string[];
  /** Of all the topics together. */
  readonly partitions: number;
}

/** The consumer of a member, not connected yet. */
export function consumerOf(client: KafkaClient, options: GroupToJoin): Consumer {
  return client.patient.consumer({
    groupId: options.prefix + options.group,
    sessionTimeout: options.sessionTimeoutMs,
    heartbeatInterval: options.heartbeatMs,
    rebalanceTimeout: options.rebalanceTimeoutMs,
    maxBytesPerPartition: options.bytesPerPartition,
    maxWaitTimeInMs: options.fetchWaitMs,
    allowAutoTopicCreation: false,
    // By default kafkajs restarts itself for ever: alive, and consuming nothing.
    retry: { restartOnFailure: () => Promise.resolve(false) },
  });
}
