import { describe, expect, it } from 'vitest';
import { Generations } from '../../processors/runtime/kafka/generations.ts';
import type { GroupHandler, TopicPartition } from '../../processors/runtime/ports.ts';

type Consumer = ConstructorParameters<typeof Generations>[0];

const nextMacrotask = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Stands for a kafkajs consumer: says what happens, at once, as kafkajs does. */
function setUp() {
  const listeners = new Map<string, (event: { payload: unknown }) => void>();
  const on = (name: string, listener: (event: { payload: unknown }) => void): void =>
    void listeners.set(name, listener);
  const told: string[] = [];
  const handler: Pick<GroupHandler, 'assigned' | 'revoked'> = {
    assigned: (partitions: readonly TopicPartition[]) =>
      told.push(`assigned ${partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(' ')}`),
    revoked: () => told.push('revoked'),
  };
  // Only `on` of the consumer is used.
  const generations = new Generations({ on } as unknown as Consumer, 'trial.', handler);
  const emit = (name: string, payload: unknown = {}): void => listeners.get(`consumer.${name}`)?.({ payload });
  const join = (partitions: number[]): void => emit('group_join', { memberAssignment: { 'trial.a.v1': partitions } });
  const opened = async (): Promise<void> => {
    generations.open();
    await generations.announced;
  };
  return { generations, told, emit, join, opened };
}

describe('generations', () => {
  it('tells the first assignment only after opening, with plain topic names', async () => {
    const { generations, told, join, opened } = setUp();
    join([0, 2]);
    expect(told).toEqual([]);
    await opened();
    expect(told).toEqual(['assigned a.v1/0 a.v1/2']);
    expect(generations.owns({ topic: 'a.v1', partition: 2 })).toBe(true);
    expect(generations.owns({ topic: 'a.v1', partition: 1 })).toBe(false);
  });

  it('tells the newest assignment, once, when the group joined twice before opening', async () => {
    const { told, join, opened } = setUp();
    join([0, 1]);
    join([1]);
    await opened();
    expect(told).toEqual(['assigned a.v1/1']);
  });

  it('says revoked once for each assignment: by a heartbeat, by kafkajs, or by the next join', async () => {
    const { generations, told, emit, join, opened } = setUp();
    join([0]);
    await opened();
    generations.lose();
    emit('rebalancing');
    join([1]);
    // An evicted member joins again without a word before.
    join([0]);
    expect(told).toEqual(['assigned a.v1/0', 'revoked', 'assigned a.v1/1', 'revoked', 'assigned a.v1/0']);
  });

  it('a generation stands until it is known to end, and is current until the next join', async () => {
    const { generations, join, opened } = setUp();
    join([0]);
    await opened();
    const first = generations.ofArrival() ?? -1;
    expect([generations.stands(first), generations.isCurrent(first)]).toEqual([true, true]);
    generations.lose();
    expect([generations.stands(first), generations.isCurrent(first)]).toEqual([false, true]);
    join([0]);
    expect([generations.stands(first), generations.isCurrent(first)]).toEqual([false, false]);
  });

  it('drops what one broker was asked for before another let the group join again', async () => {
    const { generations, emit, join, opened } = setUp();
    join([0]);
    await opened();
    emit('fetch_start', { nodeId: '1' });
    emit('fetch_start', { nodeId: '2' });
    join([0]);
    emit('fetch', { nodeId: '2' });
    expect(generations.ofArrival()).toBeNull();
    await nextMacrotask();
    emit('fetch_start', { nodeId: '2' });
    emit('fetch', { nodeId: '2' });
    expect(generations.ofArrival()).not.toBeNull();
    // The other broker's answer was still under way.
    emit('fetch', { nodeId: '1' });
    expect(generations.ofArrival()).toBeNull();
  });
});
