import { promisify } from 'node:util';
import zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import lz4 from 'lz4js';
import snappy from 'snappyjs';
import { BatchTooLarge, DECOMPRESSED_BYTES_MAX } from './batch-too-large.ts';
import { lz4Length } from './lz4-length.ts';

/** kafkajs reads gzip alone, and without a bound: without these a batch of any other producer would end the consumer. */
export interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  /** Rejects with a BatchTooLarge, before they are there, when they are more than `maxBytes`. */
  decompress(bytes: Buffer, maxBytes?: number): Promise<Buffer>;
}

const gzip = promisify(zlib.gzip);
const gunzip = promisify(zlib.unzip);
const zstdCompress = promisify(zlib.zstdCompress);
const zstdDecompress = promisify(zlib.zstdDecompress);

/** Makes of zlib's refusal ours. */
function bounded(maxBytes: number): (error: unknown) => never {
  return (error) => {
    const isTooLarge = error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw isTooLarge ? new BatchTooLarge(maxBytes, { cause: error }) : error;
  };
}

// The Java client frames snappy as the xerial library does: this magic, two version numbers, then blocks with their length.
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
const SNAPPY_LENGTH_BYTES = 5;

function unsnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return unsnappyBlock(bytes, maxBytes, maxBytes);
  const blocks: Buffer[] = [];
  let left = maxBytes;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    const start = at + 4;
    const end = start + bytes.readUInt32BE(at);
    const block = unsnappyBlock(bytes.subarray(start, end), left, maxBytes);
    left -= block.length;
    blocks.push(block);
    at = end;
  }
  return Buffer.concat(blocks);
}

/** A block begins with its length, as a varint, and holds no more: snappyjs writes nothing beyond it. */
function unsnappyBlock(block: Buffer, left: number, maxBytes: number): Buffer {
  let length = 0;
  for (let at = 0, scale = 1; at < SNAPPY_LENGTH_BYTES; at++, scale *= 128) {
    const byte = block[at] ?? 0;
    length += (byte & 127) * scale;
    if (byte < 128) break;
  }
  if (length > left) throw new BatchTooLarge(maxBytes);
  return snappy.uncompress(block);
}

/** A view of the same bytes, not a copy. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const CODECS: Readonly<Record<'gzip' | 'snappy' | 'lz4' | 'zstd', Codec>> = {
  gzip: {
    compress: (encoder) => gzip(encoder.buffer),
    decompress: (bytes, maxBytes = DECOMPRESSED_BYTES_MAX) =>
      gunzip(bytes, { maxOutputLength: maxBytes }).catch(bounded(maxBytes)),
  },
  snappy: {
    compress: (encoder) => Promise.resolve(snappy.compress(encoder.buffer)),
    decompress: async (bytes, maxBytes = DECOMPRESSED_BYTES_MAX) => unsnappy(bytes, maxBytes),
  },
  lz4: {
    // lz4js writes frames of linked blocks, which brokers refuse. A topic may still have compression.type=lz4.
    compress: () => Promise.reject(new Error('lz4 is read, not written: choose gzip, snappy or zstd')),
    decompress: async (bytes, maxBytes = DECOMPRESSED_BYTES_MAX) =>
      asBuffer(lz4.decompress(bytes, lz4Length(bytes, maxBytes))),
  },
  zstd: {
    compress: (encoder) => zstdCompress(encoder.buffer),
    decompress: (bytes, maxBytes = DECOMPRESSED_BYTES_MAX) =>
      zstdDecompress(bytes, { maxOutputLength: maxBytes }).catch(bounded(maxBytes)),
  },
};

/** Registers all of them with kafkajs, for the whole process. Harmless when repeated. */
export function registerCodecs(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP] = () => CODECS.gzip;
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.Snappy] = () => CODECS.snappy;
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => CODECS.lz4;
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => CODECS.zstd;
}
