import lz4 from 'lz4js';
import { describe, expect, it } from 'vitest';
import { BatchTooLarge } from '../../processors/runtime/kafka/batch-too-large.ts';
import { CODECS } from '../../processors/runtime/kafka/codecs.ts';

const BYTES_MAX = 1 << 20;

const SAMPLES = {
  nothing: Buffer.alloc(0),
  text: Buffer.from('interaction '.repeat(5_000)),
  // Bytes that do not compress: a linear congruence, so that the test is the same each time.
  noise: Buffer.from(Array.from({ length: 70_000 }, (_, n) => (Math.imul(n + 1, 2_654_435_761) >>> 13) & 0xff)),
};

const WRITERS = {
  gzip: (bytes: Buffer) => CODECS.gzip.compress({ buffer: bytes }),
  snappy: (bytes: Buffer) => CODECS.snappy.compress({ buffer: bytes }),
  lz4: (bytes: Buffer) => Promise.resolve(Buffer.from(lz4.compress(bytes))),
  zstd: (bytes: Buffer) => CODECS.zstd.compress({ buffer: bytes }),
};

describe.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s', (name) => {
  const codec = CODECS[name];

  it.each(Object.entries(SAMPLES))('gives %s back', async (_sample, bytes) => {
    const packed = await WRITERS[name](bytes);
    const back = await codec.decompress(packed);
    expect(Buffer.isBuffer(back)).toBe(true);
    expect(back.equals(bytes)).toBe(true);
  });

  it('refuses a bomb before it is unpacked, and nothing that is just as large as may be', async () => {
    const bomb = await WRITERS[name](Buffer.alloc(BYTES_MAX + 1, 'x'));
    await expect(codec.decompress(bomb, BYTES_MAX)).rejects.toThrow(BatchTooLarge);
    const large = Buffer.alloc(BYTES_MAX, 'x');
    expect((await codec.decompress(await WRITERS[name](large), BYTES_MAX)).equals(large)).toBe(true);
  });

  it('rejects what it did not write', async () => {
    await expect((async () => codec.decompress(Buffer.from('no frame at all')))()).rejects.toThrow();
  });
});

describe('a bomb', () => {
  it('of many small snappy blocks is refused by their sum', async () => {
    const block = await CODECS.snappy.compress({ buffer: Buffer.alloc(BYTES_MAX / 4) });
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    const header = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const frame = (blocks: number): Buffer =>
      Buffer.concat([header, ...Array.from({ length: blocks }, () => Buffer.concat([length, block]))]);
    expect(await CODECS.snappy.decompress(frame(4), BYTES_MAX)).toHaveLength(BYTES_MAX);
    await expect(CODECS.snappy.decompress(frame(5), BYTES_MAX)).rejects.toThrow(BatchTooLarge);
  });

  it('of LZ4 that says to be small is refused by what it holds', async () => {
    const honest = Buffer.from(lz4.compress(Buffer.alloc(2 * BYTES_MAX)));
    const size = Buffer.alloc(8);
    size.writeUInt32LE(7);
    // The head with a size of the content in it; lz4js does not look at its checksum.
    const head = Buffer.from([...honest.subarray(0, 4), honest.readUInt8(4) | 8, honest.readUInt8(5)]);
    const liar = Buffer.concat([head, size, honest.subarray(6)]);
    await expect(CODECS.lz4.decompress(liar, BYTES_MAX)).rejects.toThrow(BatchTooLarge);
    expect(await CODECS.lz4.decompress(liar, 2 * BYTES_MAX)).toHaveLength(2 * BYTES_MAX);
  });
});

describe('the bytes of other clients', () => {
  it('reads the xerial frames of the Java client: several blocks, each with its length', async () => {
    const block = async (text: string): Promise<Buffer> => {
      const packed = await CODECS.snappy.compress({ buffer: Buffer.from(text) });
      const length = Buffer.alloc(4);
      length.writeUInt32BE(packed.length);
      return Buffer.concat([length, packed]);
    };
    const header = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const frame = Buffer.concat([header, await block('first, '), await block('second')]);
    expect((await CODECS.snappy.decompress(frame)).toString()).toBe('first, second');
  });

  it('reads the LZ4 frame of the reference program: independent blocks, checksum of the content', async () => {
    // printf 'kizuna kizuna kizuna kizuna' | lz4 -c
    const hex = '04224d186440a7100000007b6b697a756e6120070050697a756e610000000003799de7';
    const text = await CODECS.lz4.decompress(Buffer.from(hex, 'hex'));
    expect(text.toString()).toBe('kizuna kizuna kizuna kizuna');
  });

  it('refuses to write LZ4, which brokers would refuse', async () => {
    await expect(CODECS.lz4.compress({ buffer: Buffer.from('kizuna') })).rejects.toThrow('lz4 is read, not written');
  });

  it('writes and reads a Zstandard frame by the magic number of the format', async () => {
    const frame = await CODECS.zstd.compress({ buffer: Buffer.from('kizuna') });
    expect(frame.readUInt32LE(0)).toBe(0xfd2fb528);
  });
});
