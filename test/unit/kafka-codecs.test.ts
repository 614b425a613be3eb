import lz4 from 'lz4js';
import { describe, expect, it } from 'vitest';
import { CODECS } from '../../processors/runtime/kafka/codecs.ts';

const SAMPLES = {
  nothing: Buffer.alloc(0),
  text: Buffer.from('interaction '.repeat(5_000)),
  // Bytes that do not compress: a linear congruence, so that the test is the same each time.
  noise: Buffer.from(Array.from({ length: 70_000 }, (_, n) => (Math.imul(n + 1, 2_654_435_761) >>> 13) & 0xff)),
};

const WRITERS = {
  snappy: (bytes: Buffer) => CODECS.snappy.compress({ buffer: bytes }),
  lz4: (bytes: Buffer) => Promise.resolve(Buffer.from(lz4.compress(bytes))),
  zstd: (bytes: Buffer) => CODECS.zstd.compress({ buffer: bytes }),
};

describe.each(['snappy', 'lz4', 'zstd'] as const)('%s', (name) => {
  const codec = CODECS[name];

  it.each(Object.entries(SAMPLES))('gives %s back', async (_sample, bytes) => {
    const packed = await WRITERS[name](bytes);
    const back = await codec.decompress(packed);
    expect(Buffer.isBuffer(back)).toBe(true);
    expect(back.equals(bytes)).toBe(true);
  });

  it('rejects what it did not write', async () => {
    await expect((async () => codec.decompress(Buffer.from('no frame at all')))()).rejects.toThrow();
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
