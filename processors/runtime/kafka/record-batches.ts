import { PipelineError } from '../../core/errors.ts';
import type { LogRecord } from '../ports.ts';
import { DECOMPRESSED_BYTES_MAX } from './batch-too-large.ts';
import { CODECS, type Codec } from './codecs.ts';
import { RecordReader } from './record-reader.ts';

/** What one fetch brought of a partition. */
export interface FetchedRecords {
  /** In order of offset; without markers of transactions and what was written in aborted ones. */
  readonly records: LogRecord[];
  /** The last offset that the batches cover, whatever of it is shown. */
  readonly lastOffset: number;
  /** Why the first batch could not be read: then there are no records, and none of what follows may be taken before it. */
  readonly unreadable?: PipelineError;
}

/** How much may still be decompressed for one answer to a fetch. */
export interface Room {
  readonly batchBytesMax: number;
  /** Below 1, what is compressed is left for the next fetch. */
  bytesLeft: number;
}

export const newRoom = (bytes = DECOMPRESSED_BYTES_MAX): Room => ({ batchBytesMax: bytes, bytesLeft: bytes });

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** The only version of record batches that this reads; older message sets have 0 or 1. */
export const BATCH_VERSION = 2;

// Where the fields of a batch's head stand. Source: Apache Kafka protocol guide, "Record Batch".
const LENGTH_AT = 8;
const LENGTH_FROM = 12;
const VERSION_AT = 16;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const COUNT_AT = 57;
const HEAD_BYTES = 61;
const CODEC_MASK = 7;
const APPEND_TIME = 8;
const TRANSACTIONAL = 16;
const CONTROL = 32;
/** The type in a marker's key, behind its version, of a transaction that was given up. */
const ABORT_MARKER = 0;

/** By the number in a batch's attributes; 0 is none. */
const COMPRESSED: readonly (Codec | undefined)[] = [undefined, CODECS.gzip, CODECS.snappy, CODECS.lz4, CODECS.zstd];

/** The version of the first batch, or message, of what was fetched; null when not even that is whole. */
export function versionOf(bytes: Buffer): number | null {
  return bytes.length > VERSION_AT ? bytes.readInt8(VERSION_AT) : null;
}

/**
 * Reads every whole batch; the last may be cut off, since a fetch is bounded by bytes. `aborted` are the transactions that
 * were given up, in order of their first offset. Null when there is no whole batch, or no room for one. A batch that cannot be
 * read ends the reading before it; when it is the first, it is `unreadable`.
 */
export async function readBatches(
  bytes: Buffer,
  aborted: readonly AbortedTransaction[],
  room: Room = newRoom(),
): Promise<FetchedRecords | null> {
  const records: LogRecord[] = [];
  const abortedNow = new Set<bigint>();
  let nextAborted = 0;
  let lastOffset: number | null = null;
  for (let from = 0; from + HEAD_BYTES <= bytes.length;) {
    const end = from + LENGTH_FROM + bytes.readInt32BE(from + LENGTH_AT);
    if (end > bytes.length) break;
    const version = bytes.readInt8(from + VERSION_AT);
    if (version !== BATCH_VERSION) throw new RangeError(`a record batch of version ${version} among newer ones`);
    const batch = bytes.subarray(from, end);
    const attributes = batch.readInt16BE(ATTRIBUTES_AT);
    if ((attributes & CODEC_MASK) !== 0 && room.bytesLeft < 1) break;
    const firstOffset = int64(batch, 0);
    const before: number | null = lastOffset;
    lastOffset = firstOffset + batch.readInt32BE(LAST_OFFSET_DELTA_AT);
    const producerId = batch.readBigInt64BE(PRODUCER_ID_AT);
    for (let next = aborted[nextAborted]; next !== undefined && next.firstOffset <= lastOffset;) {
      abortedNow.add(next.producerId);
      next = aborted[++nextAborted];
    }
    if ((attributes & CONTROL) !== 0) {
      if (isAbortMarker(batch)) abortedNow.delete(producerId);
    } else if ((attributes & TRANSACTIONAL) === 0 || !abortedNow.has(producerId)) {
      const read = records.length;
      try {
        await readRecords(batch, attributes, firstOffset, records, room);
      } catch (error) {
        records.length = read;
        if (before !== null) return { records, lastOffset: before };
        return { records, lastOffset, unreadable: unreadable(firstOffset, error) };
      }
    }
    from = end;
  }
  return lastOffset === null ? null : { records, lastOffset };
}

/** Waiting helps once it is gone, or somebody has mended the broker: nobody but an operator may leave it out. */
function unreadable(offset: number, cause: unknown): PipelineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `the batch at offset ${offset} cannot be read: ${reason}`;
  return new PipelineError('batch_unreadable', message, { retriable: true, cause });
}

async function readRecords(
  batch: Buffer,
  attributes: number,
  firstOffset: number,
  records: LogRecord[],
  room: Room,
): Promise<void> {
  const times = {
    firstOffset,
    firstTimestamp: int64(batch, FIRST_TIMESTAMP_AT),
    appendedAt: (attributes & APPEND_TIME) === 0 ? null : int64(batch, MAX_TIMESTAMP_AT),
  };
  const count = batch.readInt32BE(COUNT_AT);
  const codec = attributes & CODEC_MASK;
  if (codec === 0) return new RecordReader(batch, HEAD_BYTES).read(count, times, records);
  // Compaction may leave a batch of nothing, and nothing cannot be decompressed.
  if (count === 0) return;
  const compressed = COMPRESSED[codec];
  if (compressed === undefined) throw new RangeError(`no codec has the number ${codec}`);
  const bytes = await compressed.decompress(batch.subarray(HEAD_BYTES), room.batchBytesMax);
  room.bytesLeft -= bytes.length;
  new RecordReader(bytes, 0).read(count, times, records);
}

/** Markers are never compressed. The one record of a marker: its length, attributes, two deltas, its key's length, its key. */
function isAbortMarker(batch: Buffer): boolean {
  const marker: LogRecord[] = [];
  const times = { firstOffset: 0, firstTimestamp: 0, appendedAt: null };
  new RecordReader(batch, HEAD_BYTES).read(batch.readInt32BE(COUNT_AT), times, marker);
  return marker.some(({ key }) => key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT_MARKER);
}

/** As a number: offsets and times stay far below 2^53. */
export function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
