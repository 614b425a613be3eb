import { describe, expect, it } from 'vitest';
import { GroupedRecords, type PartitionRecords } from '../../processors/runtime/kafka/grouped-records.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import { groupMessagesPerPartition } from '../harness/kafkajs-internals.ts';

const partitionMetadata = [{}, {}, {}];

function numbered(count: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ topic: 'any.v1', key: null, value: Buffer.from(String(index)) },
    ...{ timestamp: 1_767_225_600_000, headers: {} },
  }));
}

function grouped(records: readonly OutgoingRecord[], partitionOf: (index: number) => number): GroupedRecords {
  const all = new GroupedRecords();
  records.forEach((record, index) => all.add(record, partitionOf(index)));
  return all;
}

describe('grouped records', () => {
  const partitionOf = (index: number): number => (index * 7) % 3;

  it('are to kafkajs the groups it would have made itself of as many messages', () => {
    const records = numbered(300);
    const messages = records.map(({ value }, index) => ({ value, partition: partitionOf(index) }));
    const partitioner = ({ message }: { message: { partition?: number } }): number => message.partition ?? -1;
    const request = { topic: 'any.v1', partitionMetadata, partitioner };
    const own = groupMessagesPerPartition({ ...request, messages });
    // kafkajs hands on what it is given.
    const ours = groupMessagesPerPartition({
      ...request,
      messages: grouped(records, partitionOf),
    }) as unknown as Record<number, PartitionRecords>;
    expect(Object.keys(ours)).toEqual(Object.keys(own));
    for (const partition of [0, 1, 2]) {
      expect(ours[partition]?.length).toBe(own[partition]?.length);
      expect(ours[partition]?.records.map(({ value }) => value)).toEqual(own[partition]?.map(({ value }) => value));
    }
  });

  it('take no copy for each record: kafkajs walks over one message, and asks for no partition', () => {
    const all = grouped(numbered(20_000), () => 0);
    const refuse = (): never => {
      throw new Error('asked for a partition');
    };
    const request = { topic: 'any.v1', partitionMetadata, partitioner: refuse };
    expect(groupMessagesPerPartition({ ...request, messages: all })[0]).toHaveLength(20_000);
    expect(all).toHaveLength(1);
    expect(all.find(({ value }) => value === undefined)).toBeUndefined();
  });
});
