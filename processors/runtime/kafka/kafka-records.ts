import type { Batch, KafkaMessage } from 'kafkajs';
import type { PipelineError } from '../../core/errors.ts';
import type { LogBatch, LogRecord } from '../ports.ts';
import { fetchedRecords } from './fetch-response.ts';

/** What kafkajs does not tell in its types. */
interface RawBatch extends Batch {
  readonly rawMessages: readonly KafkaMessage[];
  /** The offset that was asked for. */
  readonly fetchedOffset: string;
}

/** What was fetched, with numbers as numbers: offsets and times stay far below 2^53. */
export function toLogBatch(topic: string, batch: Batch): LogBatch {
  return {
    topic,
    partition: batch.partition,
    records: recordsOf(batch),
    next: Number(batch.lastOffset()) + 1,
    logEnd: Number(batch.highWatermark),
  };
}

/** Why nothing of what was fetched can be read; undefined when it can. */
export function unreadableOf(batch: Batch): PipelineError | undefined {
  return fetchedRecords((batch as RawBatch).rawMessages)?.unreadable;
}

function recordsOf(batch: Batch): readonly LogRecord[] {
  // The class that kafkajs makes of each partition's answer: test/unit/kafka-fetch-response.test.ts pins it.
  const { rawMessages, fetchedOffset } = batch as RawBatch;
  const fetched = fetchedRecords(rawMessages);
  if (fetched === undefined) return batch.messages.map(toLogRecord);
  // A broker answers with whole batches, the first of which may begin before what was asked for.
  const first = Number(fetchedOffset);
  const { records } = fetched;
  return (records[0]?.offset ?? first) >= first ? records : records.filter(({ offset }) => offset >= first);
}

function toLogRecord({ offset, timestamp, key, value, headers }: KafkaMessage): LogRecord {
  return { offset: Number(offset), timestamp: Number(timestamp), key, value, headers: headers ?? {} };
}
