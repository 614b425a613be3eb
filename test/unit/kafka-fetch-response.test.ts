import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registerCodecs } from '../../processors/runtime/kafka/codecs.ts';
import { decodeFetchResponse } from '../../processors/runtime/kafka/fetch-response.ts';
import { toLogBatch, unreadableOf } from '../../processors/runtime/kafka/kafka-records.ts';
import { newRoom, readBatches } from '../../processors/runtime/kafka/record-batches.ts';
import type { LogBatch } from '../../processors/runtime/ports.ts';
import {
  decodeFetchByKafkajs,
  encodeBatch,
  encodeMessageSet,
  encodeRecord,
  KafkajsBatch,
  newEncoder,
} from '../harness/kafkajs-internals.ts';

registerCodecs();

const TOPIC = 'any.v1';
const ATTRIBUTES_AT = 21;
const APPEND_TIME = 8;
const CONTROL = 32;
const LOG_END = 1_000_000;

interface Written {
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly timestampDelta?: number;
  /** Compaction leaves gaps. */
  readonly gapBefore?: number;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[]>>;
}

interface WrittenBatch {
  readonly records: readonly Written[];
  readonly codec?: number;
  readonly attributes?: number;
  readonly transactional?: boolean;
  readonly producerId?: number;
  readonly firstTimestamp?: number;
  /** How many offsets the batch covers behind its last record. */
  readonly gapAfter?: number;
}

/** The bytes of batches, one behind the other, from an offset on; and the offset behind the last. */
async function written(batches: readonly WrittenBatch[], from = 0): Promise<{ bytes: Buffer; next: number }> {
  const parts: Buffer[] = [];
  let next = from;
  for (const batch of batches) {
    const firstTimestamp = batch.firstTimestamp ?? 1_767_225_600_000;
    let delta = 0;
    const records = batch.records.map(({ key, value, timestampDelta, gapBefore, headers }) => {
      delta += gapBefore ?? 0;
      const offsetDelta = delta++;
      const times = { offsetDelta, timestampDelta: timestampDelta ?? 0 };
      return encodeRecord({ ...times, key: key ?? null, value: value ?? null, headers: headers ?? {} });
    });
    delta += batch.gapAfter ?? 0;
    const encoded = await encodeBatch({
      ...{ firstOffset: next, firstTimestamp, maxTimestamp: firstTimestamp + 777, lastOffsetDelta: delta - 1, records },
      ...{ compression: batch.codec ?? 0, transactional: batch.transactional ?? false },
      producerId: batch.producerId ?? -1,
    });
    const bytes = Buffer.from(encoded.buffer);
    bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES_AT) | (batch.attributes ?? 0), ATTRIBUTES_AT);
    parts.push(bytes);
    next += delta;
  }
  return { bytes: Buffer.concat(parts), next };
}

function marker(type: 'abort' | 'commit', producerId: number): WrittenBatch {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  return { records: [{ key, value: Buffer.alloc(6) }], transactional: true, producerId, attributes: CONTROL };
}

type Aborted = readonly { readonly producerId: number; readonly firstOffset: number }[];

/** What a broker answers with these bytes as the records of partition 3. */
function answer(bytes: Buffer, aborted: Aborted = []): Buffer {
  const partition = newEncoder().writeInt32(3).writeInt16(0).writeInt64(LOG_END).writeInt64(LOG_END).writeInt64(0);
  const transactions = aborted.map((each) => newEncoder().writeInt64(each.producerId).writeInt64(each.firstOffset));
  partition.writeArray(transactions).writeInt32(-1).writeBytes(bytes);
  const topic = newEncoder().writeString(TOPIC).writeArray([partition]);
  return newEncoder().writeInt32(0).writeInt16(0).writeInt32(0).writeArray([topic]).buffer;
}

/** What the handler of a group would get; null when kafkajs would keep it to itself. */
async function batchBy(
  decode: typeof decodeFetchByKafkajs,
  response: Buffer,
  fetchedOffset: number,
): Promise<LogBatch | null> {
  const [topic] = (await decode(response)).responses;
  const [partition] = topic?.partitions ?? [];
  if (topic === undefined || partition === undefined) throw new Error('nothing was decoded');
  const batch = new KafkajsBatch(topic.topicName, String(fetchedOffset), partition);
  return batch.isEmpty() ? null : toLogBatch(TOPIC, batch);
}

const ours = (bytes: Buffer, fetchedOffset = 0, aborted: Aborted = []): Promise<LogBatch | null> =>
  batchBy(decodeFetchResponse, answer(bytes, aborted), fetchedOffset);
const kafkajss = (bytes: Buffer, fetchedOffset = 0, aborted: Aborted = []): Promise<LogBatch | null> =>
  batchBy(decodeFetchByKafkajs, answer(bytes, aborted), fetchedOffset);

/** Texts are compared at once, buffers byte by byte. */
const asTexts = (batch: LogBatch | null): unknown =>
  batch?.records.map(({ key, value, ...rest }) => [rest, key?.toString('latin1'), value?.toString('latin1')]);

const anyBytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
// kafkajs takes inherited names, as `toString`, for headers that are there already.
const headerName = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => !(name in {}));
const anyRecord = fc.record({
  key: fc.option(anyBytes),
  value: fc.option(anyBytes),
  timestampDelta: fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1e12 })),
  gapBefore: fc.nat(2),
  headers: fc.dictionary(headerName, fc.oneof(anyBytes, fc.array(anyBytes, { minLength: 2, maxLength: 3 })), {
    noNullPrototype: true,
    maxKeys: 3,
  }),
});
const anyBatch = fc.record({
  records: fc.array(anyRecord, { minLength: 1, maxLength: 8 }),
  codec: fc.constantFrom(0, 0, 1, 2, 4),
  attributes: fc.constantFrom(0, 0, APPEND_TIME),
  transactional: fc.boolean(),
  producerId: fc.nat(3),
});

describe('what a fetch brings', () => {
  it('is what kafkajs itself would make of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyBatch, { minLength: 1, maxLength: 4 }),
        fc.nat(40),
        fc.nat(20),
        async (batches, from, ahead) => {
          const { bytes, next } = await written(batches, from);
          const fetchedOffset = Math.min(from + ahead, next - 1);
          const batch = await ours(bytes, fetchedOffset);
          expect(batch).toEqual(await kafkajss(bytes, fetchedOffset));
          expect(batch?.next).toBe(next);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is the same up to the last whole batch, wherever it was cut off', async () => {
    const batches = [1, 2, 3].map((size) => ({
      records: [{ value: Buffer.alloc(size) }, { key: Buffer.alloc(size) }],
    }));
    const { bytes } = await written(batches, 7);
    for (let length = 0; length <= bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      // kafkajs looks for the version before it looks whether there is one.
      const expected = length <= 16 ? null : await kafkajss(cut, 7);
      expect(await ours(cut, 7)).toEqual(expected);
    }
  });

  it('is the same where lengths and numbers get another byte', async () => {
    for (const size of [0, 1, 62, 63, 64, 65, 8190, 8191, 8192, 8193, 1_048_576]) {
      const value = Buffer.alloc(size, 1);
      const { bytes } = await written([{ records: [{ value, timestampDelta: size * 1e6 }, { key: value }] }]);
      expect(asTexts(await ours(bytes))).toEqual(asTexts(await kafkajss(bytes)));
    }
  });

  it('keeps headers apart that look alike, and those that every object has', async () => {
    const value = Buffer.from('1');
    const names = ['é', 'éa', 'Ã', 'position', 'positiom', 'constructor', '__proto__'];
    const records = names.map((name) => ({ headers: Object.fromEntries([[name, value]]) }));
    const both = { headers: { a: value, ...Object.fromEntries([['__proto__', value]]), toString: 'own' } };
    const { bytes } = await written([{ records: [...records, ...records.toReversed(), both] }]);
    const batch = await ours(bytes);
    const seen = batch?.records.map(({ headers }) => Object.keys(headers)) ?? [];
    expect(seen).toEqual([...[...names, ...names.toReversed()].map((name) => [name]), ['a', '__proto__', 'toString']]);
    expect(batch?.records.at(-1)?.headers['toString']).toEqual(Buffer.from('own'));
  });

  it('leaves out markers and what was written in aborted transactions, as kafkajs does', async () => {
    const say = (text: string, producerId: number): WrittenBatch => ({
      records: [{ value: Buffer.from(text) }],
      ...{ transactional: true, producerId },
    });
    const { bytes, next } = await written([
      ...[say('a', 1), say('b', 2), say('c', 1), marker('abort', 1), say('d', 1), marker('commit', 2)],
      ...[say('e', 2), marker('abort', 2), marker('commit', 1), say('f', -1)],
    ]);
    const aborted = [
      { producerId: 1, firstOffset: 0 },
      { producerId: 2, firstOffset: 6 },
    ];
    const batch = await ours(bytes, 0, aborted);
    expect(batch).toEqual(await kafkajss(bytes, 0, aborted));
    expect(batch?.records.map(({ value }) => String(value))).toEqual(['b', 'd', 'f']);
    expect(batch?.next).toBe(next);
  });

  it('goes on behind what nobody is shown, where kafkajs tells nobody', async () => {
    const alone = await written([marker('commit', 1)], 12);
    expect(await kafkajss(alone.bytes, 12)).toBeNull();
    expect(await ours(alone.bytes, 12)).toMatchObject({ records: [], next: 13 });

    const aborted = await written([{ records: [{ value: Buffer.from('x') }], transactional: true, producerId: 4 }], 20);
    const given = await ours(aborted.bytes, 20, [{ producerId: 4, firstOffset: 20 }]);
    expect(given).toMatchObject({ records: [], next: 21 });
  });

  it('with a hundred thousand headers, of one name or of each its own, is read in one go', async () => {
    const values = Array.from({ length: 100_000 }, (_, n) => Buffer.from(String(n % 10)));
    const own = Object.fromEntries(values.map((value, n) => [`h${n}`, value]));
    const { bytes } = await written([{ records: [{ headers: { many: values } }, { headers: own }] }]);
    const batch = await ours(bytes);
    expect(batch?.records[0]?.headers['many']).toHaveLength(values.length);
    expect(Object.keys(batch?.records[1]?.headers ?? {})).toHaveLength(values.length);
  });

  it('goes on behind what compaction took', async () => {
    const gone = await written(
      [
        { records: [{ value: Buffer.from('x') }], gapAfter: 5 },
        { records: [], gapAfter: 3 },
      ],
      30,
    );
    expect(await ours(gone.bytes, 30)).toMatchObject({ records: [{ offset: 30 }], next: 39 });
    const empty = await written([{ records: [], gapAfter: 2, attributes: 4 }], 50);
    expect(await ours(empty.bytes, 50)).toMatchObject({ records: [], next: 52 });
  });

  it('is read by kafkajs when it is older than record batches', async () => {
    const entries = [0, 1, 2].map((offset) => ({
      ...{ key: Buffer.from('k'), value: Buffer.from(String(offset)) },
      ...{ timestamp: 1_767_225_600_000 + offset, offset },
    }));
    const { buffer: bytes } = encodeMessageSet({ messageVersion: 1, entries });
    const batch = await ours(bytes);
    expect(batch).toEqual(await kafkajss(bytes));
    expect(batch?.records).toHaveLength(3);
  });

  const GZIP = 1;
  const bomb = { records: [{ value: Buffer.alloc(5_000, 'x') }], codec: GZIP };
  const small = { records: [{ value: Buffer.from('small') }], codec: GZIP };

  it('is unreadable rather than read beyond a record, or by a codec that there is not', async () => {
    const { bytes } = await written([{ records: [{ value: Buffer.from('value') }] }], 7);
    const broken = Buffer.from(bytes);
    broken[61] = 126;
    const code = 'batch_unreadable';
    const damaged = await readBatches(broken, []);
    expect(damaged).toMatchObject({ records: [], lastOffset: 7, unreadable: { code, retriable: true } });
    expect(damaged?.unreadable?.message).toContain('the batch at offset 7 cannot be read: a record ends beyond');
    const codec = Buffer.from(bytes);
    codec.writeInt16BE(7, ATTRIBUTES_AT);
    expect((await readBatches(codec, []))?.unreadable?.message).toContain('no codec has the number 7');
  });

  it('of which a batch decompresses to too much is read up to there, and then no further', async () => {
    const { bytes } = await written([small, small, bomb, small], 10);
    const before = await readBatches(bytes, [], newRoom(1_000));
    expect(before).toMatchObject({ records: [{ offset: 10 }, { offset: 11 }], lastOffset: 11 });
    expect(before?.unreadable).toBeUndefined();
    const { bytes: rest } = await written([bomb, small], 12);
    const at = await readBatches(rest, [], newRoom(1_000));
    expect(at).toMatchObject({ records: [], lastOffset: 12, unreadable: { code: 'batch_unreadable' } });
    expect(at?.unreadable?.message).toContain('offset 12 cannot be read: it decompresses to more than 1000 bytes');
  });

  it('leaves for the next fetch what one answer has no room for', async () => {
    const { bytes } = await written([bomb, bomb, small], 0);
    const room = newRoom(6_000);
    expect(await readBatches(bytes, [], room)).toMatchObject({
      records: [{ offset: 0 }, { offset: 1 }],
      lastOffset: 1,
    });
    // Another partition of the same answer.
    expect(await readBatches((await written([small])).bytes, [], room)).toBeNull();
    expect(await readBatches((await written([{ ...small, codec: 0 }])).bytes, [], room)).toMatchObject({
      lastOffset: 0,
    });
  });

  it('tells the member of a group why, and gives it nothing to fold', async () => {
    const { bytes } = await written([{ records: [{ value: Buffer.from('value') }] }], 3);
    bytes.writeInt16BE(7, ATTRIBUTES_AT);
    const [topic] = (await decodeFetchResponse(answer(bytes))).responses;
    const [partition] = topic?.partitions ?? [];
    if (partition === undefined) throw new Error('nothing was decoded');
    const batch = new KafkajsBatch(TOPIC, '3', partition);
    expect(batch.isEmpty()).toBe(false);
    expect(unreadableOf(batch)).toMatchObject({ code: 'batch_unreadable' });
  });
});
