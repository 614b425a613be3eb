import { describe, expect, it, vi } from 'vitest';
import type { KafkaClient } from '../../processors/runtime/kafka/kafka-client.ts';
import type { GroupToJoin } from '../../processors/runtime/kafka/kafka-group.ts';
import { joinGroup } from '../../processors/runtime/kafka/kafka-membership.ts';
import type { GroupHandler } from '../../processors/runtime/ports.ts';

const OPTIONS: GroupToJoin = {
  ...{ prefix: '', group: 'g', topics: ['a.v1'], partitions: 1, concurrency: 1, bytesPerPartition: 1, fetchWaitMs: 1 },
  ...{ sessionTimeoutMs: 60_000, heartbeatMs: 1, rebalanceTimeoutMs: 60_000 },
};
const AT = { topic: 'a.v1', partition: 0 };

interface Running {
  readonly eachBatch: (payload: object) => Promise<void>;
}

/** Stands for kafkajs: the n-th run joins when the n-th answer is null, else it crashes with that error, as kafkajs tells it. */
async function joined(answers: readonly (object | null)[], options = OPTIONS) {
  const listeners = new Map<string, (event: { payload: unknown }) => void>();
  const emit = (name: string, payload: unknown): void => listeners.get(`consumer.${name}`)?.({ payload });
  const told: string[] = [];
  let running: Running | null = null;
  let runs = 0;
  const consumer = {
    on: (name: string, listener: (event: { payload: unknown }) => void) => void listeners.set(name, listener),
    connect: () => Promise.resolve(),
    subscribe: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    stop: () => Promise.resolve((told.push('stops'), emit('stop', {}))),
    pause: () => told.push('pauses'),
    commitOffsets: () => Promise.resolve(told.push('commits')),
    run: (options: Running) => {
      running = options;
      const error = answers[runs++] ?? null;
      if (error === null) emit('group_join', { memberAssignment: { 'a.v1': [0] } });
      else emit('crash', { error });
      return Promise.resolve();
    },
  };
  const handler: GroupHandler = {
    assigned: () => told.push('assigned'),
    revoked: () => told.push('revoked'),
    onBatch: () => Promise.resolve((told.push('batch'), 'done')),
    unreadable: ({ partition }, { code }) => told.push(`${partition}: ${code}`),
    crashed: ({ message }) => told.push(`crashed: ${message}`),
  };
  const member = await joinGroup({ patient: { consumer: () => consumer } } as unknown as KafkaClient, options, handler);
  await vi.waitFor(() => expect(told).toEqual(['assigned']));
  const receive = (): Promise<void> => running?.eachBatch({ batch: AT }) ?? Promise.resolve();
  return { member, told, emit, receive };
}

const lost = (type: string): Error => Object.assign(new Error('gone'), { type });

describe('a member that kafkajs gave up', () => {
  it('asks nothing of a consumer that has stopped, before it is told why', async () => {
    const { member, told, emit } = await joined([null, null]);
    emit('stop', {});
    // kafkajs throws when a stopped consumer is paused, resumed or sent elsewhere.
    member.pause(AT);
    member.resume(AT);
    member.seek(AT, 1);
    member.pause(AT);
    expect(told).toEqual(['assigned']);
    emit('crash', { error: lost('GROUP_COORDINATOR_NOT_AVAILABLE') });
    await vi.waitFor(() => expect(told.at(-1)).toBe('assigned'), { timeout: 10_000 });
    expect(told).toEqual(['assigned', 'revoked', 'pauses', 'assigned']);
  });

  it('joins again when the brokers were away, as often as it takes, and its pauses hold', async () => {
    const { member, told, emit } = await joined([null, lost('GROUP_COORDINATOR_NOT_AVAILABLE'), null]);
    member.pause(AT);
    emit('crash', { error: Object.assign(new Error('no broker'), { name: 'KafkaJSNoBrokerAvailableError' }) });
    await expect(member.commit(AT, 1, '')).rejects.toMatchObject({ code: 'rebalancing', retriable: true });
    await vi.waitFor(() => expect(told.at(-1)).toBe('assigned'), { timeout: 10_000 });
    expect(told).toEqual(['assigned', 'pauses', 'revoked', 'pauses', 'assigned']);
    await member.commit(AT, 1, '');
    expect(told.at(-1)).toBe('commits');
  });

  it('ends the process by what waiting does not mend, also while it is coming back', async () => {
    const denied = lost('GROUP_AUTHORIZATION_FAILED');
    const first = await joined([null]);
    first.emit('crash', { error: denied });
    expect(first.told.at(-1)).toContain('GROUP_AUTHORIZATION_FAILED');
    const second = await joined([null, denied]);
    second.emit('crash', { error: lost('GROUP_COORDINATOR_NOT_AVAILABLE') });
    await vi.waitFor(() => expect(second.told.at(-1)).toContain('crashed'), { timeout: 10_000 });
    expect(second.told.at(-1)).toContain('GROUP_AUTHORIZATION_FAILED');
  });
});

describe('a rejoin that failed', () => {
  it('is made up for by an idle member, which kafkajs lets fetch nothing for ever', async () => {
    const { told, emit } = await joined([null, null], { ...OPTIONS, sessionTimeoutMs: 10, rebalanceTimeoutMs: 10 });
    emit('rebalancing', {});
    await vi.waitFor(() => expect(told.at(-1)).toBe('assigned'), { timeout: 10_000 });
    expect(told).toEqual(['assigned', 'revoked', 'stops', 'assigned']);
  });

  it('is asked of kafkajs again when it goes on fetching in the generation that is over', async () => {
    const { told, emit, receive } = await joined([null]);
    emit('rebalancing', {});
    await expect(receive()).rejects.toMatchObject({ type: 'REBALANCE_IN_PROGRESS' });
    expect(told).toEqual(['assigned', 'revoked']);
  });
});
