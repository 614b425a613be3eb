import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { OutgoingRecord } from '../ports.ts';
import { CODECS } from './codecs.ts';
import { crc32c } from './crc32c.ts';
import { PartitionRecords } from './grouped-records.ts';
import { boundOfRecords, writeRecords } from './record-bytes.ts';

const require = createRequire(import.meta.url);

/** What a producer of kafkajs wants to send; `messages` are `PartitionRecords` when they come from our emitter. */
interface ProduceOptions {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  /** A text, or a number of kafkajs's own kind. */
  readonly producerId?: string | { toString(): string };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly TopicData[];
}

interface TopicData {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly firstSequence?: number; messages: unknown }[];
}

interface ProduceRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  encode(): Promise<{ readonly buffer: Buffer }>;
}

type MakeRequest = (options: ProduceOptions) => ProduceRequest;

const VERSION_3 = require.resolve('kafkajs/src/protocol/requests/produce/v3/request');

/**
 * Makes kafkajs write requests of `GroupedRecords` by `encodeProduceRequest`, for the whole process, and any others as ever.
 * Harmless when repeated. The later versions (5 to 7) are built on version 3 and differ in its number alone; they are loaded
 * with a producer's first request, so this must come before it.
 */
export function writeRequestsDirectly(): void {
  const plain = require(VERSION_3) as MakeRequest & { readonly direct?: true };
  const loaded = require.cache[VERSION_3];
  if (plain.direct === true || loaded === undefined) return;
  loaded.exports = Object.assign(directly(plain), { direct: true });
}

/** Answers as `plain` does, but for how our records are encoded. */
export function directly(plain: MakeRequest): MakeRequest {
  return (options) => {
    const request = plain(options);
    if (!options.topicData.every(({ partitions }) => partitions.every(isOurs))) return request;
    const encode = async (): Promise<{ buf: Buffer; buffer: Buffer }> => {
      const buffer = await encodeProduceRequest(options);
      return { buf: buffer, buffer };
    };
    return Object.assign(request, { encode });
  };
}

function isOurs({ messages }: { readonly messages: unknown }): boolean {
  return messages instanceof PartitionRecords;
}

// What the parts of a request and of a batch take beside texts and records.
const REQUEST_BOUND = 12;
const TOPIC_BOUND = 6;
const PARTITION_BOUND = 8;
const BATCH_HEAD_BYTES = 61;
// Where fields of a batch's head stand. Source: Apache Kafka protocol guide, "Record Batch".
const LENGTH_AT = 8;
const LENGTH_FROM = 12;
const CRC_AT = 17;
const CRC_FROM = 21;
const BATCH_VERSION = 2;
const TRANSACTIONAL = 16;

const gzip = promisify(zlib.gzip);

/**
 * The whole request in one buffer; kafkajs copies each record six times on its way there.
 * Source: Apache Kafka protocol guide, "Produce API", request version 3.
 */
async function encodeProduceRequest(options: ProduceOptions): Promise<Buffer> {
  const batches = await Promise.all(
    options.topicData.map(({ partitions }) => Promise.all(partitions.map(({ messages }) => bodyOf(messages, options)))),
  );
  let bound = REQUEST_BOUND + Buffer.byteLength(options.transactionalId ?? '');
  options.topicData.forEach(({ topic, partitions }, index) => {
    bound += TOPIC_BOUND + Buffer.byteLength(topic);
    partitions.forEach((_, at) => (bound += PARTITION_BOUND + BATCH_HEAD_BYTES + (batches[index]?.[at]?.bound ?? 0)));
  });
  // Filled from the front, cut to size: nothing of it is left unwritten.
  const writer = new RequestWriter(Buffer.allocUnsafe(bound));
  writer.text(options.transactionalId ?? null);
  writer.int16(options.acks);
  writer.int32(options.timeout);
  writer.int32(options.topicData.length);
  options.topicData.forEach(({ topic, partitions }, index) => {
    writer.text(topic);
    writer.int32(partitions.length);
    partitions.forEach(({ partition, firstSequence }, at) => {
      const body = batches[index]?.[at];
      writer.int32(partition);
      if (body !== undefined) writer.batch(body, firstSequence ?? 0, options);
    });
  });
  return writer.written();
}

/** The records of a batch: to be written in their place, or packed already. */
interface BatchBody {
  readonly records: readonly OutgoingRecord[];
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly packed: Buffer | null;
  readonly bound: number;
}

async function bodyOf(messages: unknown, { compression = 0 }: ProduceOptions): Promise<BatchBody> {
  const { records } = messages as PartitionRecords;
  let firstTimestamp = Number.POSITIVE_INFINITY;
  let maxTimestamp = 0;
  for (const { timestamp } of records) {
    firstTimestamp = Math.min(firstTimestamp, timestamp);
    maxTimestamp = Math.max(maxTimestamp, timestamp);
  }
  const bound = boundOfRecords(records);
  if (compression === 0) return { records, firstTimestamp, maxTimestamp, packed: null, bound };
  const plain = Buffer.allocUnsafe(bound);
  const buffer = plain.subarray(0, writeRecords(plain, 0, records, firstTimestamp));
  const packed = await compress(compression, buffer);
  return { records, firstTimestamp, maxTimestamp, packed, bound: packed.length };
}

function compress(codec: number, buffer: Buffer): Promise<Buffer> {
  switch (codec) {
    case 1:
      return gzip(buffer);
    case 2:
      return CODECS.snappy.compress({ buffer });
    case 4:
      return CODECS.zstd.compress({ buffer });
    default:
      return Promise.reject(new RangeError(`nothing is written with codec ${codec}`));
  }
}

class RequestWriter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  int16(value: number): void {
    this.#at = this.#bytes.writeInt16BE(value, this.#at);
  }

  int32(value: number): void {
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  text(value: string | null): void {
    if (value === null) return this.int16(-1);
    const length = this.#bytes.write(value, this.#at + 2);
    this.int16(length);
    this.#at += length;
  }

  /** A record batch with its length before it. */
  batch(body: BatchBody, firstSequence: number, options: ProduceOptions): void {
    const { records, firstTimestamp, maxTimestamp, packed } = body;
    const bytes = this.#bytes;
    const from = this.#at + 4;
    const transactional = typeof options.transactionalId === 'string' ? TRANSACTIONAL : 0;
    let at = bytes.writeBigInt64BE(0n, from);
    // Behind the length, which is not known yet: the leader's epoch, the version, the checksum.
    at = bytes.writeInt32BE(0, at + 4);
    at = bytes.writeInt8(BATCH_VERSION, at) + 4;
    at = bytes.writeInt16BE((options.compression ?? 0) | transactional, at);
    at = bytes.writeInt32BE(records.length - 1, at);
    at = bytes.writeBigInt64BE(BigInt(firstTimestamp), at);
    at = bytes.writeBigInt64BE(BigInt(maxTimestamp), at);
    at = bytes.writeBigInt64BE(BigInt(options.producerId?.toString() ?? '-1'), at);
    at = bytes.writeInt16BE(options.producerEpoch ?? 0, at);
    at = bytes.writeInt32BE(firstSequence, at);
    at = bytes.writeInt32BE(records.length, at);
    if (packed === null) {
      at = writeRecords(bytes, at, records, firstTimestamp);
    } else {
      bytes.set(packed, at);
      at += packed.length;
    }
    bytes.writeInt32BE(at - from, this.#at);
    bytes.writeInt32BE(at - from - LENGTH_FROM, from + LENGTH_AT);
    bytes.writeUInt32BE(crc32c(bytes.subarray(from + CRC_FROM, at)), from + CRC_AT);
    this.#at = at;
  }
}
