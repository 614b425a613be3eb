import { describe, expect, it } from 'vitest';
import type { KafkaClient } from '../../processors/runtime/kafka/kafka-client.ts';
import type { GroupToJoin } from '../../processors/runtime/kafka/kafka-group.ts';
import { joinGroup } from '../../processors/runtime/kafka/kafka-membership.ts';
import type { GroupHandler } from '../../processors/runtime/ports.ts';

const OPTIONS: GroupToJoin = {
  ...{ prefix: '', group: 'g', topics: ['a.v1'], partitions: 1, concurrency: 1, bytesPerPartition: 1, fetchWaitMs: 1 },
  ...{ sessionTimeoutMs: 1, heartbeatMs: 1, rebalanceTimeoutMs: 1 },
};
const HANDLER: GroupHandler = {
  assigned: () => undefined,
  revoked: () => undefined,
  onBatch: () => Promise.resolve('done'),
  unreadable: () => undefined,
  crashed: () => undefined,
};

/** Stands for kafkajs: the n-th consumer's first join crashes with the n-th answer, as kafkajs tells it; null joins. */
function clientAnswering(answers: readonly (string | null)[]) {
  let joins = 0;
  const consumer = () => {
    const listeners = new Map<string, (event: { payload: unknown }) => void>();
    return {
      on: (name: string, listener: (event: { payload: unknown }) => void) => void listeners.set(name, listener),
      connect: () => Promise.resolve(),
      subscribe: () => Promise.resolve(),
      disconnect: () => Promise.resolve(),
      run: () => {
        const type = answers[joins++] ?? null;
        const error = Object.assign(new Error('no'), { type });
        if (type !== null) listeners.get('consumer.crash')?.({ payload: { error } });
        return Promise.resolve();
      },
    };
  };
  return { client: { patient: { consumer } } as unknown as KafkaClient, joins: () => joins };
}

describe('the first join of a group', () => {
  it('waits for a coordinator that has only just started', async () => {
    const kafka = clientAnswering(['GROUP_LOAD_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP', null]);
    await joinGroup(kafka.client, OPTIONS, HANDLER);
    expect(kafka.joins()).toBe(3);
  });

  it('gives up at once on any other answer, with that answer', async () => {
    const kafka = clientAnswering(['GROUP_AUTHORIZATION_FAILED', null]);
    await expect(joinGroup(kafka.client, OPTIONS, HANDLER)).rejects.toThrow('GROUP_AUTHORIZATION_FAILED');
    expect(kafka.joins()).toBe(1);
  });
});
