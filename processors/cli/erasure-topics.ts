import { randomBytes } from 'node:crypto';
import { topicOf } from '../../topics/catalog.ts';
import type { BlockOutput } from '../runtime/block.ts';
import type { Codec, EventLog, LogRecord } from '../runtime/ports.ts';
import { readRanges } from '../runtime/read-ranges.ts';
import { originOf } from './dlq-letter.ts';

export interface TopicPorts {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'learn' | 'decode'>;
  forgetGroup(group: string): Promise<void>;
}

/**
 * `value`: decoded; bytes that say nothing stay what they are; null for a tombstone. `source`: the topic that it is a record of, of
 * a dead letter the one that it was refused from; empty when nobody knows.
 */
export type OnRecord = (record: LogRecord, value: object | null, source: string) => void;

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
      const bySource = Map.groupBy(records, ({ headers }) => sourceOf({ topic: at.topic, headers }));
      for (const [source, from] of bySource) {
        const values = from.map(({ value }) => value);
        if (hasSchema(source)) await codec.learn(source, values);
        for (const record of from) onRecord(record, decoded(record.value, source, codec), source);
      }
    });
  } finally {
    if (joined) await ports.forgetGroup(group);
  }
}

/** A value of `source` as an object, or as the bytes that it stays when nobody can read it. */
export function decoded(value: Buffer | null, source: string, codec: Pick<Codec, 'decode'>): object | null {
  if (value === null || !hasSchema(source)) return value;
  const read = codec.decode(source, value);
  return typeof read === 'string' ? value : read;
}

export function hasSchema(source: string): boolean {
  return source !== '' && topicOf(source).schema !== null;
}

/** The topic by whose schema a record was written, and by whose rule it is keyed. */
export function sourceOf({ topic, headers }: Pick<BlockOutput, 'topic'> & Pick<LogRecord, 'headers'>): string {
  return topicOf(topic).role === 'dead-letter' ? (originOf(topic, headers)?.topic ?? '') : topic;
}
