import { randomBytes } from 'node:crypto';
import { topicOf } from '../../topics/catalog.ts';
import type { Codec, EventLog, LogRecord, TopicPartition } from '../runtime/ports.ts';
import { readRanges } from '../runtime/read-ranges.ts';
import { readLetter } from './dlq-letter.ts';

export interface TopicPorts {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'learn' | 'decode'>;
  forgetGroup(group: string): Promise<void>;
}

/** `value`: decoded; bytes that say nothing stay what they are; null for a tombstone. */
export type OnRecord = (record: LogRecord, value: object | null) => void;

/**
 * Gives every record that a topic holds now to `onRecord`, in order within each partition. Reads in a group that is gone
 * afterwards, and commits nothing.
 */
export async function readTopic(ports: TopicPorts, topic: string, onRecord: OnRecord): Promise<void> {
  const { log, codec } = ports;
  const group = `kizuna.erasure-read.${randomBytes(6).toString('hex')}`;
  let joined = false;
  try {
    await readRanges(log, { topic, group, ranges: await log.ranges(topic) }, async (records, at) => {
      joined = true;
      for (const [schema, from] of bySchema(records, at)) {
        const values = from.map(({ value }) => value);
        if (schema !== '') await codec.learn(schema, values);
        for (const record of from) onRecord(record, decoded(record.value, schema, codec));
      }
    });
  } finally {
    if (joined) await ports.forgetGroup(group);
  }
}

/** A value as an object, or as the bytes that it stays when nobody can read it. */
export function decoded(value: Buffer | null, topic: string, codec: Pick<Codec, 'decode'>): object | null {
  if (value === null || topic === '') return value;
  const read = codec.decode(topic, value);
  return typeof read === 'string' ? value : read;
}

/** Records by the topic whose schema they were written by, of dead letters the one that they were refused from; without: none. */
function bySchema(records: readonly LogRecord[], at: TopicPartition): Map<string, LogRecord[]> {
  const { role, schema } = topicOf(at.topic);
  if (role !== 'dead-letter') return new Map([[schema === null ? '' : at.topic, [...records]]]);
  return Map.groupBy(records, (record) => readLetter(at, record).origin?.topic ?? '');
}
