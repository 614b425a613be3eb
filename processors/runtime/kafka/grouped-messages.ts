import type { Message } from 'kafkajs';
import { recordBytes } from './record-bytes.ts';

/** A message whose partition and time are decided. */
export interface PlacedMessage extends Message {
  readonly partition: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: string;
  readonly headers?: Record<string, Buffer | string>;
}

/**
 * Messages of one topic, already grouped by partition. kafkajs groups them itself by `messages.reduce(...)`, copying the
 * group's array for each message: 20,000 messages to one partition take 1.5 s. This answers that one call with what is
 * known; test/unit/kafka-grouped-messages.test.ts pins it.
 */
export class GroupedMessages extends Array<PlacedMessage> {
  readonly #groups: Record<number, PartitionMessages> = {};

  add(message: PlacedMessage): void {
    this.push(message);
    (this.#groups[message.partition] ??= new PartitionMessages()).push(message);
  }

  /** Not a reduction: the messages by partition, whatever is asked. */
  override reduce<Groups>(): Groups {
    // kafkajs asks for no other reduction, and its type parameter is the caller's wish, not ours to check.
    return this.#groups as Groups;
  }
}

/** What kafkajs takes as the encoder of one record. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

const NO_BYTES = Buffer.alloc(0);
const NO_RECORD: Encoded = { buf: NO_BYTES, buffer: NO_BYTES };
/** kafkajs sorts times as texts: only of equal lengths that is an order. 2^53 has as many digits. */
const TIME_DIGITS = 16;

/**
 * The messages for one partition. To encode them kafkajs asks twice, by `map`: for each one's time, of which it keeps the
 * first and the last, and for each one's record. Both are answered for all at once, the records as the bytes of one and
 * the nothing of the others; test/unit/kafka-record-bytes.test.ts compares the requests that come of it.
 */
class PartitionMessages extends Array<PlacedMessage> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** Not a mapping: what kafkajs wants to know, told by how many parameters it asks with. */
  override map<Answer>(callback: (message: PlacedMessage, index: number, all: PlacedMessage[]) => Answer): Answer[] {
    let first = Number.POSITIVE_INFINITY;
    let last = 0;
    for (const { timestamp } of this) {
      first = Math.min(first, Number(timestamp));
      last = Math.max(last, Number(timestamp));
    }
    // kafkajs asks for nothing else, and its type parameter is the caller's wish, not ours to check.
    if (callback.length === 1) return [first, last].map((time) => String(time).padStart(TIME_DIGITS, '0')) as Answer[];
    const bytes = recordBytes(this, first);
    return Array.from(this, (_, index): Encoded =>
      index === 0 ? { buf: bytes, buffer: bytes } : NO_RECORD,
    ) as Answer[];
  }
}
