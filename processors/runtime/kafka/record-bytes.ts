import type { PlacedMessage } from './grouped-messages.ts';

/**
 * Records in the bytes of Kafka's record batch, version 2, written at once. kafkajs makes two zeroed buffers of 512 bytes for
 * each record and two more for each header, and computes in 64-bit emulation: four times the work.
 *
 *   record: length, 0, timestamp delta, offset delta, key, value, headers; numbers are zigzag varints, −1 stands for null.
 *   Source: Apache Kafka protocol guide, "Record Batch".
 */
export function recordBytes(messages: readonly PlacedMessage[], firstTimestamp: number): Buffer {
  let bound = 0;
  for (const message of messages) bound += boundOf(message);
  // Filled from the front, cut to size: nothing of it is left unwritten.
  const bytes = Buffer.allocUnsafe(bound);
  let at = 0;
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index];
    if (message === undefined) continue;
    at = writeRecord(bytes, at, message, Number(message.timestamp) - firstTimestamp, index);
  }
  return bytes.subarray(0, at);
}

/** Of the varints of a record and of a header; at most 5 bytes a length, 10 a timestamp. */
const RECORD_BOUND = 40;
const HEADER_BOUND = 10;
const NULL = -1;

function boundOf({ key, value, headers }: PlacedMessage): number {
  let bound = RECORD_BOUND + lengthOf(key) + lengthOf(value);
  for (const name in headers) bound += HEADER_BOUND + Buffer.byteLength(name) + lengthOf(headers[name]);
  return bound;
}

function writeRecord(
  bytes: Buffer,
  from: number,
  message: PlacedMessage,
  timestampDelta: number,
  index: number,
): number {
  const { key, value, headers } = message;
  // The body is written behind the longest length there can be and moved up to the real one.
  const start = from + 5;
  let at = start;
  bytes[at++] = 0;
  at = writeVarint(bytes, at, timestampDelta);
  at = writeVarint(bytes, at, index);
  at = writeText(bytes, at, key);
  at = writeText(bytes, at, value);
  at = writeVarint(bytes, at, headers === undefined ? 0 : Object.keys(headers).length);
  for (const name in headers) {
    at = writeText(bytes, at, name);
    at = writeText(bytes, at, headers[name]);
  }
  const bodyFrom = writeVarint(bytes, from, at - start);
  bytes.copyWithin(bodyFrom, start, at);
  return bodyFrom + (at - start);
}

type Text = Buffer | string | null | undefined;

function lengthOf(text: Text): number {
  if (text === null || text === undefined) return 0;
  return typeof text === 'string' ? Buffer.byteLength(text) : text.length;
}

function writeText(bytes: Buffer, from: number, text: Text): number {
  if (text === null || text === undefined) return writeVarint(bytes, from, NULL);
  if (typeof text === 'string') {
    const at = writeVarint(bytes, from, Buffer.byteLength(text));
    return at + bytes.write(text, at);
  }
  const at = writeVarint(bytes, from, text.length);
  bytes.set(text, at);
  return at + text.length;
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
