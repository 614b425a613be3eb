import { deadLetterTopic } from '../../topics/catalog.ts';
import type { Instant } from '../core/processor.ts';
import type { HeaderValue, LogRecord, OutgoingRecord, TopicPartition } from '../runtime/ports.ts';
import { POSITION_HEADER } from '../runtime/position.ts';

/** Where a refused record stood, and who refused it. */
export interface Origin extends TopicPartition {
  readonly offset: number;
  /** The record's own time; -1 when it had none. */
  readonly timestamp: Instant;
  readonly group: string;
}

/** A record of a dead-letter topic. Of the headers only what they say; the bytes stay in `record`. */
export interface Letter extends TopicPartition {
  /** The letter's time in its topic: that of the refused record. */
  readonly time: Instant;
  /** null: not written by a processor for this topic. */
  readonly origin: Origin | null;
  readonly stage: string;
  readonly reason: string;
  readonly message: string;
  /** How often it has been through already. */
  readonly redrives: number;
  /** What was too large for a letter: `key`, `headers`, `value`. */
  readonly truncated: readonly string[];
  readonly record: LogRecord;
}

const UNKNOWN = '(unknown)';
const KEPT = 'dlq.header.';
const REDRIVES = 'dlq.redrives';

export function readLetter({ topic, partition }: TopicPartition, record: LogRecord): Letter {
  const text = textsIn(record.headers);
  return {
    topic,
    partition,
    time: record.timestamp,
    origin: originOf(topic, record.headers),
    stage: text('stage') || UNKNOWN,
    reason: text('code') || UNKNOWN,
    message: text('message'),
    redrives: wholeOf(text('redrives')) ?? 0,
    truncated: text('truncated').split(',').filter(Boolean),
    record,
  };
}

/** Where the letter stands: `topic/partition/offset`. */
export function placeOf({ topic, partition, record }: Letter): string {
  return `${topic}/${partition}/${record.offset}`;
}

/** The headers that the refused record had. */
export function originalHeaders({ record }: Letter): Record<string, Buffer | string> {
  const headers: Record<string, Buffer | string> = {};
  for (const [name, value] of Object.entries(record.headers)) {
    const first = firstOf(value);
    if (name.startsWith(KEPT) && first !== undefined) headers[name.slice(KEPT.length)] = first;
  }
  return headers;
}

/**
 * The record that goes back to where it came from: same key, bytes and headers, one redrive more. Without `position`: the
 * reader would take it for the repeat that it is.
 */
export function redrivenRecord(letter: Letter, origin: Origin, timestamp: Instant): OutgoingRecord {
  const { key, value } = letter.record;
  const headers = originalHeaders(letter);
  delete headers[POSITION_HEADER];
  return {
    topic: origin.topic,
    key,
    value,
    timestamp: Math.max(0, timestamp),
    headers: { ...headers, [REDRIVES]: String(letter.redrives + 1) },
  };
}

/** Headers come from outside: a name that a topic's group does not give makes no origin. */
export function originOf(topic: string, headers: LogRecord['headers']): Origin | null {
  const text = textsIn(headers);
  const source = text('topic');
  const group = text('group');
  const partition = wholeOf(text('partition'));
  const offset = wholeOf(text('offset'));
  const timestamp = text('timestamp') === '-1' ? -1 : wholeOf(text('timestamp'));
  if (partition === null || offset === null || timestamp === null) return null;
  return deadLetterTopic(source, group) === topic ? { topic: source, partition, offset, timestamp, group } : null;
}

function textsIn(headers: LogRecord['headers']): (name: string) => string {
  return (name) => firstOf(headers[`dlq.${name}`])?.toString() ?? '';
}

function wholeOf(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function firstOf(value: HeaderValue): Buffer | string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
