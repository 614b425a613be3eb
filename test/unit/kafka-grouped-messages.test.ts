import { describe, expect, it } from 'vitest';
import { GroupedMessages, type PlacedMessage } from '../../processors/runtime/kafka/grouped-messages.ts';
import { groupMessagesPerPartition } from '../harness/kafkajs-internals.ts';

const partitionMetadata = [{}, {}, {}];
const partitioner = ({ message }: { message: { partition?: number } }): number => message.partition ?? -1;

function messages(count: number, partitionOf: (index: number) => number): PlacedMessage[] {
  return Array.from({ length: count }, (_, index) => ({
    key: null,
    value: Buffer.from(String(index)),
    timestamp: '1767225600000',
    partition: partitionOf(index),
  }));
}

function grouped(plain: readonly PlacedMessage[]): GroupedMessages {
  const all = new GroupedMessages();
  for (const message of plain) all.add(message);
  return all;
}

describe('grouped messages', () => {
  it('give kafkajs the very groups it would have made itself', () => {
    const plain = messages(300, (index) => (index * 7) % 3);
    const request = { topic: 'any.v1', partitionMetadata, partitioner };
    const own = groupMessagesPerPartition({ ...request, messages: plain });
    const ours = groupMessagesPerPartition({ ...request, messages: grouped(plain) });
    expect(ours).toEqual(own);
    expect(Object.keys(ours)).toEqual(['0', '1', '2']);
  });

  it('are otherwise the array that was added', () => {
    const plain = messages(10, () => 0);
    const all = grouped(plain);
    expect(all).toHaveLength(10);
    expect(all.find(({ value }) => value?.toString() === '7')).toBe(plain[7]);
  });

  it('take no copy for each message: kafkajs asks the array once, and asks no message', () => {
    const plain = messages(20_000, () => 0);
    let asked = 0;
    const counting = (choice: { message: { partition?: number } }): number => {
      asked++;
      return partitioner(choice);
    };
    const request = { topic: 'any.v1', partitionMetadata, partitioner: counting };
    const groups = groupMessagesPerPartition({ ...request, messages: grouped(plain) });
    expect(groups[0]).toHaveLength(20_000);
    expect(asked).toBe(0);
    // The plain array is walked message by message, copying the group each time.
    groupMessagesPerPartition({ ...request, messages: plain.slice(0, 100) });
    expect(asked).toBe(100);
  });
});
