import { promisify } from 'node:util';
import zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import lz4 from 'lz4js';
import snappy from 'snappyjs';

/** kafkajs reads gzip alone: without these a batch of any other producer would end the consumer. */
export interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

const zstdCompress = promisify(zlib.zstdCompress);
const zstdDecompress = promisify(zlib.zstdDecompress);

// The Java client frames snappy as the xerial library does: this magic, two version numbers, then blocks with their length.
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

function unsnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappy.uncompress(bytes);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    const start = at + 4;
    const end = start + bytes.readUInt32BE(at);
    blocks.push(snappy.uncompress(bytes.subarray(start, end)));
    at = end;
  }
  return Buffer.concat(blocks);
}

/** A view of the same bytes, not a copy. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const CODECS: Readonly<Record<'snappy' | 'lz4' | 'zstd', Codec>> = {
  snappy: {
    compress: (encoder) => Promise.resolve(snappy.compress(encoder.buffer)),
    decompress: (bytes) => Promise.resolve(unsnappy(bytes)),
  },
  lz4: {
    // lz4js writes frames of linked blocks, which brokers refuse. A topic may still have compression.type=lz4.
    compress: () => Promise.reject(new Error('lz4 is read, not written: choose gzip, snappy or zstd')),
    decompress: (bytes) => Promise.resolve(asBuffer(lz4.decompress(bytes))),
  },
  zstd: {
    compress: (encoder) => zstdCompress(encoder.buffer),
    decompress: (bytes) => zstdDecompress(bytes),
  },
};

/** Registers all of them with kafkajs, for the whole process. Harmless when repeated. */
export function registerCodecs(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.Snappy] = () => CODECS.snappy;
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => CODECS.lz4;
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => CODECS.zstd;
}
