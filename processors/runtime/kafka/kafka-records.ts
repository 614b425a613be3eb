import type { Batch } from 'kafkajs';
import type { LogBatch } from '../ports.ts';

/** What kafkajs fetched, with numbers as numbers: offsets and times stay far below 2^53. */
export function toLogBatch(topic: string, batch: Batch): LogBatch {
  return {
    topic,
    partition: batch.partition,
    records: batch.messages.map(({ offset, timestamp, key, value, headers }) => ({
      offset: Number(offset),
      timestamp: Number(timestamp),
      key,
      value,
      headers: headers ?? {},
    })),
    next: Number(batch.lastOffset()) + 1,
    logEnd: Number(batch.highWatermark),
  };
}
