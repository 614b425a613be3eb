import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registerCodecs } from '../../processors/runtime/kafka/codecs.ts';
import { crc32c } from '../../processors/runtime/kafka/crc32c.ts';
import { GroupedRecords } from '../../processors/runtime/kafka/grouped-records.ts';
import { directly, writeRequestsDirectly } from '../../processors/runtime/kafka/produce-request.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import { produceRequest, produceRequestOfVersion7, type ProduceOptions } from '../harness/kafkajs-internals.ts';

registerCodecs();
const ourRequest = directly(produceRequest);

const NONE = 0;
const GZIP = 1;
const ZSTD = 4;
const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), bytes);
const anyRecord = fc.record({
  topic: fc.constant('any.v1'),
  key: fc.option(bytes),
  value: fc.option(bytes),
  // As many digits as times of today have: kafkajs itself confuses others.
  timestamp: fc.integer({ min: 1e12, max: 9_999_999_999_999 }),
  headers: fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), text, { maxKeys: 3 }),
});

type Placed = readonly { readonly record: OutgoingRecord; readonly partition: number }[];

const RACK = { acks: -1, timeout: 30_000, producerId: '4711', producerEpoch: 3 };

function options(placed: Placed, compression: number, messagesOf: (partition: number) => unknown): ProduceOptions {
  const partitions = [...new Set(placed.map(({ partition }) => partition))].map((partition) => ({
    ...{ partition, firstSequence: 7 + partition },
    messages: messagesOf(partition),
  }));
  return { ...RACK, compression, topicData: [{ topic: 'any.v1', partitions }] };
}

/** The bytes that kafkajs makes of plain messages. */
async function theirs(placed: Placed, compression = NONE): Promise<Buffer> {
  const messagesOf = (partition: number): unknown =>
    placed
      .filter((each) => each.partition === partition)
      .map(({ record }) => ({ ...record, timestamp: String(record.timestamp) }));
  return Buffer.from((await produceRequest(options(placed, compression, messagesOf)).encode()).buffer);
}

async function ours(placed: Placed, compression = NONE): Promise<Buffer> {
  const all = new GroupedRecords();
  for (const { record, partition } of placed) all.add(record, partition);
  const groups = all.reduce<Record<number, unknown>>();
  const request = ourRequest(options(placed, compression, (partition) => groups[partition]));
  return (await request.encode()).buffer;
}

function record(changes: Partial<OutgoingRecord>): OutgoingRecord {
  return { topic: 'any.v1', key: null, value: null, timestamp: 1_767_225_600_000, headers: {}, ...changes };
}

const inOne = (records: readonly OutgoingRecord[]): Placed => records.map((each) => ({ record: each, partition: 0 }));

describe('the bytes of a request', () => {
  it('are those that kafkajs writes itself, whatever the records hold', async () => {
    const placed = fc.array(fc.record({ record: anyRecord, partition: fc.nat(2) }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(placed, async (each) => {
        expect(await ours(each)).toEqual(await theirs(each));
      }),
      { numRuns: 200 },
    );
  });

  it('are those of kafkajs where lengths and numbers get another byte', async () => {
    for (const size of [0, 1, 62, 63, 64, 65, 8190, 8191, 8192, 8193, 1_048_576]) {
      const records = [record({ value: Buffer.alloc(size, 1) }), record({ key: Buffer.alloc(size, 2) })];
      expect((await ours(inOne(records))).equals(await theirs(inOne(records)))).toBe(true);
    }
    const many = Array.from({ length: 9_000 }, (_, index) => record({ value: Buffer.from(String(index)) }));
    expect((await ours(inOne(many))).equals(await theirs(inOne(many)))).toBe(true);
  });

  it('are compressed as those of kafkajs are', async () => {
    const records = Array.from({ length: 50 }, (_, index) => record({ value: Buffer.from(`value ${index}`) }));
    for (const codec of [GZIP, ZSTD])
      expect(await ours(inOne(records), codec)).toEqual(await theirs(inOne(records), codec));
  });

  it('order times by their value, where kafkajs would order them by their digits', async () => {
    const old = 999_999_999_999;
    const times = [1_000_000_000_000, old, 1_767_225_600_000];
    const request = await ours(inOne(times.map((timestamp) => record({ timestamp }))));
    const longs = Array.from({ length: request.length - 8 }, (_, at) => request.readBigInt64BE(at));
    const at = longs.indexOf(BigInt(old));
    expect(at).toBeGreaterThan(0);
    expect(longs[at + 8]).toBe(1_767_225_600_000n);
  });

  it('are the same when kafkajs asks again, to try again', async () => {
    const groups = new GroupedRecords();
    groups.add(record({ value: Buffer.from('one') }), 0);
    const request = ourRequest(options([], NONE, () => null));
    const again = ourRequest({
      ...RACK,
      topicData: [
        { topic: 'any.v1', partitions: [{ partition: 0, messages: groups.reduce<Record<number, unknown>>()[0] }] },
      ],
    });
    expect((await again.encode()).buffer).toEqual((await again.encode()).buffer);
    expect(request).toMatchObject({ apiKey: 0, apiVersion: 3 });
  });

  it('are asked for by the newest version that kafkajs speaks, and left to it for other producers', async () => {
    writeRequestsDirectly();
    writeRequestsDirectly();
    const placed = inOne([record({ value: Buffer.from('old'), timestamp: 999_999_999_999 }), record({})]);
    const all = new GroupedRecords();
    for (const each of placed) all.add(each.record, 0);
    const groups = all.reduce<Record<number, unknown>>();
    const request = produceRequestOfVersion7(options(placed, NONE, () => groups[0]));
    expect(request).toMatchObject({ apiKey: 0, apiVersion: 7 });
    expect((await request.encode()).buffer).toEqual(await ours(placed));

    const messages = [{ key: 'k', value: 'v', headers: { many: ['1', '2'] }, timestamp: '1767225600000' }];
    const foreign = produceRequestOfVersion7(options(placed, NONE, () => messages));
    const plain = produceRequest(options(placed, NONE, () => messages));
    expect((await foreign.encode()).buffer).toEqual((await plain.encode()).buffer);
  });
});

describe('the checksum', () => {
  // RFC 3720, appendix B.4, and the check value that catalogues of checksums give.
  it.each([
    ['32 bytes of zeroes', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 bytes rising', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    ['32 bytes falling', Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
    ['the digits from 1 to 9', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s', (_name, given, expected) => {
    expect(crc32c(given)).toBe(expected);
  });
});
