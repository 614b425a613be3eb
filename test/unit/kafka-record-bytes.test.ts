import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registerCodecs } from '../../processors/runtime/kafka/codecs.ts';
import { GroupedMessages, type PlacedMessage } from '../../processors/runtime/kafka/grouped-messages.ts';
import { produceRequest } from '../harness/kafkajs-internals.ts';

const NONE = 0;
const ZSTD = 4;
const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), bytes);
const message = fc.record({
  partition: fc.constant(0),
  key: fc.option(bytes),
  value: fc.option(bytes),
  // As many digits as times of today have: kafkajs itself confuses others.
  timestamp: fc.integer({ min: 1e12, max: 9_999_999_999_999 }).map(String),
  headers: fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), text, { maxKeys: 3 }),
});

/** The bytes of a request with these messages for one partition. */
async function requestOf(messages: readonly PlacedMessage[], compression = NONE): Promise<Buffer> {
  const partitions = [{ partition: 0, firstSequence: 7, messages }];
  const request = produceRequest({
    acks: -1,
    timeout: 30_000,
    compression,
    topicData: [{ topic: 'any.v1', partitions }],
  });
  return (await request.encode()).buffer;
}

function grouped(plain: readonly PlacedMessage[]): readonly PlacedMessage[] {
  const all = new GroupedMessages();
  for (const each of plain) all.add(each);
  return all.reduce<Record<number, PlacedMessage[]>>()[0] ?? [];
}

function record(changes: Partial<PlacedMessage>): PlacedMessage {
  return { partition: 0, key: null, value: null, timestamp: '1767225600000', headers: {}, ...changes };
}

describe('the bytes of records', () => {
  it('are those that kafkajs writes itself, whatever the records hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), async (messages) => {
        expect(await requestOf(grouped(messages))).toEqual(await requestOf(messages));
      }),
      { numRuns: 200 },
    );
  });

  it('are those of kafkajs where lengths and numbers get another byte', async () => {
    for (const size of [0, 1, 62, 63, 64, 65, 8190, 8191, 8192, 8193, 1_048_576]) {
      const messages = [record({ value: Buffer.alloc(size, 1) }), record({ key: Buffer.alloc(size, 2) })];
      expect(await requestOf(grouped(messages))).toEqual(await requestOf(messages));
    }
    const many = Array.from({ length: 9_000 }, (_, index) => record({ value: Buffer.from(String(index)) }));
    expect(await requestOf(grouped(many))).toEqual(await requestOf(many));
  });

  it('are compressed as those of kafkajs are', async () => {
    registerCodecs();
    const messages = Array.from({ length: 50 }, (_, index) => record({ value: Buffer.from(`value ${index}`) }));
    expect(await requestOf(grouped(messages), ZSTD)).toEqual(await requestOf(messages, ZSTD));
  });

  it('order times by their value, where kafkajs would order them by their digits', async () => {
    const old = '999999999999';
    const times = ['1000000000000', old, '1767225600000'];
    const request = await requestOf(grouped(times.map((timestamp) => record({ timestamp }))));
    const longs = Array.from({ length: request.length - 8 }, (_, at) => request.readBigInt64BE(at));
    const at = longs.indexOf(BigInt(old));
    expect(at).toBeGreaterThan(0);
    expect(longs[at + 8]).toBe(1_767_225_600_000n);
  });

  it('are the same when kafkajs asks again, to try again', async () => {
    const messages = grouped([record({ value: Buffer.from('one') }), record({ value: Buffer.from('two') })]);
    expect(await requestOf(messages)).toEqual(await requestOf(messages));
  });
});
