import { ByteReader, type ByteWriter } from '../core/packing.ts';
import type { OutgoingRecord } from '../runtime/ports.ts';

const HAS_KEY = 1;
const HAS_VALUE = 2;

/** Appends a record in bytes, which another thread takes over without a copy. */
export function packRecord(writer: ByteWriter, { topic, key, value, timestamp, headers }: OutgoingRecord): void {
  writer.string(topic);
  writer.byte((key === null ? 0 : HAS_KEY) | (value === null ? 0 : HAS_VALUE));
  writer.int(timestamp);
  if (key !== null) writer.bytes(key);
  if (value !== null) writer.bytes(value);
  const names = Object.keys(headers);
  writer.uint(names.length);
  for (const name of names) {
    const header = headers[name] ?? '';
    writer.string(name);
    if (typeof header === 'string') writer.string(header);
    else writer.bytes(header);
  }
}

/** The records, as views into the bytes; header values are bytes, as those of a broker are. */
export function* unpackRecords(bytes: Uint8Array): Generator<OutgoingRecord> {
  const reader = new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  while (!reader.done) {
    const topic = reader.string();
    const flags = reader.byte();
    const timestamp = reader.int();
    const key = (flags & HAS_KEY) === 0 ? null : reader.bytes();
    const value = (flags & HAS_VALUE) === 0 ? null : reader.bytes();
    const headers: Record<string, Buffer> = {};
    for (let left = reader.uint(); left > 0; left--) headers[reader.string()] = reader.bytes();
    yield { topic, key, value, timestamp, headers };
  }
}
