import type { HeaderValue, LogRecord } from '../ports.ts';

/** What the head of a record batch says of its records. */
export interface BatchTimes {
  readonly firstOffset: number;
  readonly firstTimestamp: number;
  /** The time of every record when the broker set it (`message.timestamp.type=LogAppendTime`); else null. */
  readonly appendedAt: number | null;
}

const NO_HEADERS: Readonly<Record<string, HeaderValue>> = Object.freeze({});

/**
 * Reads the records of a record batch, version 2, out of its bytes: keys, values and headers as views of them, offsets and
 * times as numbers. kafkajs makes a decoder and a text for each number and copies the headers' object for each header:
 * three times the work of everything else that reading takes.
 *
 *   record: length, 0, timestamp delta, offset delta, key, value, headers; numbers are zigzag varints, −1 stands for null.
 *   Source: Apache Kafka protocol guide, "Record Batch".
 */
export class RecordReader {
  readonly #bytes: Buffer;
  #at: number;
  /** The last header's name, since most records of a topic have the same. */
  #name = '';
  #nameFrom = 0;
  #nameLength = 0;

  constructor(bytes: Buffer, from: number) {
    this.#bytes = bytes;
    this.#at = from;
  }

  /** Appends `count` records to `records`. Throws a RangeError when the bytes are fewer than they say. */
  read(count: number, { firstOffset, firstTimestamp, appendedAt }: BatchTimes, records: LogRecord[]): void {
    for (let index = 0; index < count; index++) {
      const length = this.#varint();
      const end = this.#at + length;
      if (length < 0 || end > this.#bytes.length) throw new RangeError('a record ends beyond its batch');
      // Attributes, of which there are none.
      this.#at += 1;
      const timestamp = firstTimestamp + this.#varint();
      const offset = firstOffset + this.#varint();
      const key = this.#view();
      const value = this.#view();
      const headers = this.#headers(end);
      if (this.#at > end) throw new RangeError('a record is longer than it says');
      this.#at = end;
      records.push({ offset, timestamp: appendedAt ?? timestamp, key, value, headers });
    }
  }

  #headers(end: number): Readonly<Record<string, HeaderValue>> {
    const count = this.#varint();
    if (count <= 0) return NO_HEADERS;
    let headers: Record<string, HeaderValue> | null = null;
    for (let index = 0; index < count; index++) {
      // Not only afterwards: a damaged count is told by its first header, not by its last.
      if (this.#at >= end) throw new RangeError('a record has fewer headers than it says');
      const name = this.#headerName();
      // A header without a value counts as one that is not there.
      const value = this.#view();
      if (value === null) continue;
      if (headers === null) headers = { [name]: value };
      else addHeader(headers, name, value);
    }
    return headers ?? NO_HEADERS;
  }

  #headerName(): string {
    const length = this.#varint();
    const from = this.#at;
    this.#at = from + length;
    const bytes = this.#bytes;
    if (length === this.#nameLength) {
      let same = 0;
      while (same < length && bytes[from + same] === bytes[this.#nameFrom + same]) same++;
      if (same === length) return this.#name;
    }
    this.#nameFrom = from;
    this.#nameLength = length;
    this.#name = bytes.toString('utf8', from, this.#at);
    return this.#name;
  }

  #view(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const from = this.#at;
    this.#at = from + length;
    return this.#bytes.subarray(from, this.#at);
  }

  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++] ?? 0;
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1);
    // Not by shifts: a difference of times may need more than 32 bits.
    let sum = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[this.#at++] ?? 0;
      sum += (byte & 127) * scale;
    }
    return sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2;
  }
}

/** Defined, not assigned: whoever writes a topic may call a header `__proto__`. */
function addHeader(headers: Record<string, HeaderValue>, name: string, value: Buffer): void {
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (Array.isArray(before)) {
    // Ours, made below. Copied each time, the headers of one large record would take minutes.
    before.push(value);
    return;
  }
  const all = before === undefined ? value : [before, value];
  Object.defineProperty(headers, name, { value: all, enumerable: true, writable: true, configurable: true });
}
