import type { OutgoingRecord } from '../ports.ts';

/** At least as many bytes as `writeRecords` takes for these. */
export function boundOfRecords(records: readonly OutgoingRecord[]): number {
  let bound = 0;
  for (const { key, value, headers } of records) {
    bound += RECORD_BOUND + (key?.length ?? 0) + (value?.length ?? 0);
    for (const name in headers) bound += HEADER_BOUND + TEXT_BOUND * name.length + boundOf(headers[name] ?? '');
  }
  return bound;
}

/**
 * Records in the bytes of Kafka's record batch, version 2, written at once. kafkajs makes two zeroed buffers of 512 bytes for
 * each record and two more for each header, and computes in 64-bit emulation: four times the work. Answers where they end.
 *
 *   record: length, 0, timestamp delta, offset delta, key, value, headers; numbers are zigzag varints, −1 stands for null.
 *   Source: Apache Kafka protocol guide, "Record Batch".
 */
export function writeRecords(
  bytes: Buffer,
  from: number,
  records: readonly OutgoingRecord[],
  firstTimestamp: number,
): number {
  let at = from;
  for (let index = 0; index < records.length; index++) {
    const record = records[index];
    if (record !== undefined) at = writeRecord(bytes, at, record, record.timestamp - firstTimestamp, index);
  }
  return at;
}

/** Of the varints of a record and of a header; at most 5 bytes a length, 10 a timestamp. */
const RECORD_BOUND = 40;
const HEADER_BOUND = 10;
/** UTF-8 takes no more for a unit of a text. */
const TEXT_BOUND = 3;
const NULL = -1;

function boundOf(text: Buffer | string): number {
  return typeof text === 'string' ? TEXT_BOUND * text.length : text.length;
}

function writeRecord(
  bytes: Buffer,
  from: number,
  { key, value, headers }: OutgoingRecord,
  timestampDelta: number,
  index: number,
): number {
  // The body is written behind the longest length there can be and moved up to the real one.
  const start = from + 5;
  let at = start;
  bytes[at++] = 0;
  at = writeVarint(bytes, at, timestampDelta);
  at = writeVarint(bytes, at, index);
  at = writeBytes(bytes, at, key);
  at = writeBytes(bytes, at, value);
  at = writeVarint(bytes, at, Object.keys(headers).length);
  for (const name in headers) {
    at = writeText(bytes, at, name);
    const header = headers[name] ?? '';
    at = typeof header === 'string' ? writeText(bytes, at, header) : writeBytes(bytes, at, header);
  }
  const bodyFrom = writeVarint(bytes, from, at - start);
  bytes.copyWithin(bodyFrom, start, at);
  return bodyFrom + (at - start);
}

function writeBytes(bytes: Buffer, from: number, value: Buffer | null): number {
  if (value === null) return writeVarint(bytes, from, NULL);
  const at = writeVarint(bytes, from, value.length);
  bytes.set(value, at);
  return at + value.length;
}

/** Its length in bytes is not known before it is written: a text of ASCII, as almost all are, takes one for each unit. */
function writeText(bytes: Buffer, from: number, text: string): number {
  const at = writeVarint(bytes, from, text.length);
  const length = bytes.write(text, at);
  if (length === text.length) return at + length;
  return writeBytes(bytes, from, Buffer.from(text));
}

/** Zigzag varint of a whole number within ± 2^52. */
function writeVarint(bytes: Buffer, from: number, value: number): number {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  let at = from;
  while (rest > 127) {
    bytes[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}
