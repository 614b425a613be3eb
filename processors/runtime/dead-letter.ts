import { gzipSync } from 'node:zlib';
import type { RejectReason } from '../core/reasons.ts';
import type { BlockOutput } from './block.ts';
import type { HeaderValue, LogRecord } from './ports.ts';

export interface Refusal {
  readonly reason: RejectReason;
  /** Names the field and the limit, never a value. */
  readonly message: string;
}

/** Where a refused record came from. */
export interface RefusedAt {
  readonly topic: string;
  readonly partition: number;
  readonly group: string;
  /** `decode` when the bytes said nothing, `fold` when the processor refused what they said. */
  readonly stage: 'decode' | 'fold';
  readonly deadLetterTopic: string;
  /** The letter goes straight to its topic, compressed when it is large: no journal block has to hold it as it is. */
  readonly straight?: boolean;
}

const ORIGINAL = 'dlq.header.';
const REDRIVES = 'dlq.redrives';

// A topic's limit holds for compressed batches: what was refused may be far larger than the limit of any topic. A letter
// that nobody takes would stop its partition for ever, so each part has a bound; together they fit the dead-letter topics
// of topics/catalog.ts (6 MiB and 64 KiB).
const KEY_BYTES_MAX = 16 * 1024;
/** With the names that they get here. */
const HEADERS_BYTES_MAX = 32 * 1024;
/** As it is; of a letter that goes straight to its topic, compressed. */
const VALUE_BYTES_MAX = 6 * 1024 * 1024;
/** Nothing larger is compressed to see whether it would fit: that takes a second. */
const COMPRESSED_FROM_MAX = 64 * 1024 * 1024;
/** An upper bound of what the lengths of a header take. */
const HEADER_OVERHEAD_BYTES = 10;

/**
 * The dead letter of a refused record: key and value bytes untouched, the original's headers kept under `dlq.header.`, and
 * where, when and why in `dlq.*`. What is beyond the bounds above is left out as a whole, and `dlq.truncated` names it
 * (`key`, `headers`, `value`, by commas), with its size in `dlq.key-bytes` or `dlq.value-bytes`. `dlq.failed-at` is the
 * record's own time, so that a batch that is folded again gives the same dead letter, byte for byte.
 */
export function deadLetter(record: LogRecord, refusal: Refusal, at: RefusedAt): BlockOutput {
  const { key, value } = record;
  const originals = originalHeaders(record);
  const hasKey = key === null || key.length <= KEY_BYTES_MAX;
  const hasHeaders = headerBytes(originals) <= HEADERS_BYTES_MAX;
  const hasValue = value === null || fits(value, at.straight === true);
  const truncated = [hasKey ? [] : 'key', hasHeaders ? [] : 'headers', hasValue ? [] : 'value'].flat();
  return {
    topic: at.deadLetterTopic,
    key: hasKey ? key : null,
    value: hasValue ? value : null,
    timestamp: Math.max(0, record.timestamp),
    headers: {
      ...(hasHeaders ? originals : {}),
      'dlq.topic': at.topic,
      'dlq.partition': String(at.partition),
      'dlq.offset': String(record.offset),
      'dlq.timestamp': String(record.timestamp),
      'dlq.group': at.group,
      'dlq.stage': at.stage,
      'dlq.code': refusal.reason,
      'dlq.message': refusal.message,
      'dlq.attempts': '1',
      'dlq.failed-at': String(Math.max(0, record.timestamp)),
      'dlq.redrives': redrivesOf(record),
      ...(truncated.length > 0 ? { 'dlq.truncated': truncated.join() } : {}),
      ...(hasKey ? {} : { 'dlq.key-bytes': String(key.length) }),
      ...(hasValue ? {} : { 'dlq.value-bytes': String(value.length) }),
    },
  };
}

/** About what a letter takes in a journal block. */
export function letterBytes({ key, value, headers }: BlockOutput): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headerBytes(headers);
}

function fits(value: Buffer, straight: boolean): boolean {
  if (value.length <= VALUE_BYTES_MAX) return true;
  return straight && value.length <= COMPRESSED_FROM_MAX && gzipSync(value).length <= VALUE_BYTES_MAX;
}

function originalHeaders(record: LogRecord): Record<string, Buffer | string> {
  const headers: Record<string, Buffer | string> = {};
  for (const [name, value] of Object.entries(record.headers)) {
    const first = firstValue(value);
    if (first !== undefined && name !== REDRIVES) headers[ORIGINAL + name] = first;
  }
  return headers;
}

function headerBytes(headers: BlockOutput['headers']): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

/** A count, or 0 for whatever else somebody wrote there. */
function redrivesOf(record: LogRecord): string {
  const redrives = firstValue(record.headers[REDRIVES])?.toString() ?? '';
  return /^\d{1,15}$/.test(redrives) ? redrives : '0';
}

function firstValue(value: HeaderValue): Buffer | string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

const DECODE_MESSAGES = {
  null_value: 'the value is null; this topic takes no tombstones',
  undecodable: 'the value is not a Confluent frame (magic 0, 4-byte schema id) around Avro that its schema can read',
  unknown_schema: 'the registry has no schema with this id that our schema can read',
} as const;

export function decodeRefusal(reason: keyof typeof DECODE_MESSAGES): Refusal {
  return { reason, message: DECODE_MESSAGES[reason] };
}
