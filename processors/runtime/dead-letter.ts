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
}

const ORIGINAL = 'dlq.header.';

/**
 * The dead letter of a refused record: key and value bytes untouched, the original's headers kept under `dlq.header.`, and
 * where, when and why in `dlq.*`. `dlq.failed-at` is the record's own time, so that a batch that is folded again gives the
 * same dead letter, byte for byte.
 */
export function deadLetter(record: LogRecord, refusal: Refusal, at: RefusedAt): BlockOutput {
  const headers: Record<string, Buffer | string> = {};
  let redrives = '0';
  for (const [name, value] of Object.entries(record.headers)) {
    const first = firstValue(value);
    if (first === undefined) continue;
    if (name === 'dlq.redrives') redrives = first.toString();
    else headers[ORIGINAL + name] = first;
  }
  return {
    topic: at.deadLetterTopic,
    key: record.key,
    value: record.value,
    timestamp: Math.max(0, record.timestamp),
    headers: {
      ...headers,
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
      'dlq.redrives': redrives,
    },
  };
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
