import { PipelineError } from '../core/errors.ts';
import type { EventLog, LogBatch, OffsetRange, TopicPartition } from './ports.ts';

/** What the log holds of one partition; undefined when it does not have it. */
export async function rangeOf({ topic, partition }: TopicPartition, log: EventLog): Promise<OffsetRange | undefined> {
  return (await log.ranges(topic)).find((range) => range.partition === partition);
}

/**
 * A batch that starts beyond `next` is either one behind a transaction marker, which takes an offset of its own, or behind
 * records that retention removed before they were folded. The log's own start tells which.
 */
export async function refuseGap(batch: LogBatch, next: number, log: EventLog): Promise<void> {
  if ((batch.records[0]?.offset ?? batch.next) <= next) return;
  const range = await rangeOf(batch, log);
  if (range !== undefined && range.start <= next) return;
  const message = `${batch.topic}/${batch.partition}: offset ${next} is next, but the log begins at ${range?.start ?? 'nowhere'}`;
  throw new PipelineError('input_lost', message, { retriable: false });
}
