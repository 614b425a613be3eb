import { describe, expect, test } from 'vitest';
import { filterOf } from '../../processors/cli/dlq-filter.ts';
import { readRanges } from '../../processors/runtime/read-ranges.ts';
import { scanLetters } from '../../processors/cli/dlq-scan.ts';
import { DeadLetterWork, type WorkOptions } from '../../processors/cli/dlq-work.ts';
import { PipelineError } from '../../processors/core/errors.ts';
import { CLAIM_MS } from '../../processors/runtime/dead-letter-receipts.ts';
import { deadLetter } from '../../processors/runtime/dead-letter.ts';
import { MemoryEventLog } from '../../processors/runtime/memory/event-log.ts';
import type { Clock, Emitter, LogRecord, OutgoingRecord } from '../../processors/runtime/ports.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { MemoryReceipts } from '../harness/memory-receipts.ts';
import { CollectingEmitter, silentLog } from '../harness/runtime-fixture.ts';

const SOURCE = 'interactions.v1';
const GROUP = 'kizuna.intake.v1';
const LETTERS = `${SOURCE}.${GROUP}.dlq`;
const OTHER_LETTERS = 'customer-events.v1.kizuna.customer.v1.dlq';
const AT = Date.UTC(2026, 5, 1);
const PARTITIONS = 3;

function letterOf(offset: number): OutgoingRecord {
  const key = Buffer.from(`key-${offset}`);
  const refused: LogRecord = { offset, timestamp: AT + offset, key, value: Buffer.from([offset % 256]), headers: {} };
  const at = { topic: SOURCE, partition: 0, group: GROUP, stage: 'decode', deadLetterTopic: LETTERS } as const;
  return deadLetter(refused, { reason: 'undecodable', message: 'why' }, at);
}

const topics = TOPICS.filter(({ role }) => role === 'dead-letter').map(({ name }) => ({
  name,
  partitions: PARTITIONS,
}));

/** A log that holds these letters. */
async function holding(...letters: OutgoingRecord[]): Promise<MemoryEventLog> {
  const log = new MemoryEventLog({ topics, batchRecords: 7 });
  await log.emitter().send(letters);
  return log;
}

const many = (count: number) => Array.from({ length: count }, (_, offset) => letterOf(offset));

interface Redrive {
  readonly receipts?: MemoryReceipts;
  readonly emitter?: Emitter;
  readonly at?: number;
  readonly clock?: Clock;
  readonly rest?: (ms: number) => Promise<void>;
  readonly discard?: true;
}

/** One run of a command over the log. */
async function run(log: MemoryEventLog, name: string, options: Partial<WorkOptions> = {}, on: Redrive = {}) {
  const { receipts = new MemoryReceipts(), emitter = new CollectingEmitter(), at = AT } = on;
  const told: object[] = [];
  const audit = { ...silentLog, info: (message: string, fields = {}) => void told.push({ message, ...fields }) };
  const work = new DeadLetterWork(
    { receipts, emitter, clock: on.clock ?? { now: () => at }, rest: on.rest ?? (() => Promise.resolve()), audit },
    {
      ...{ dryRun: false, max: 1_000, perSecond: 100_000, again: false, signal: new AbortController().signal },
      ...{ stamp: { by: 'somebody', run: name, note: '' }, ...options },
    },
    on.discard ? null : { time: 'original', force: false, again: options.again ?? false, retentionMs: () => -1 },
  );
  const forgotten: string[] = [];
  const forgetGroup = (group: string) => Promise.resolve(void forgotten.push(group));
  await scanLetters({ log, receipts, forgetGroup }, filterOf({}, [], ''), work.onLetters, options.signal);
  return { work, told, forgotten };
}

describe('a reading', () => {
  test('brings each record between start and end once, in order, and commits nothing', async () => {
    const log = await holding(...many(60));
    const seen = new Map<number, number[]>();
    const whole = await log.ranges(LETTERS);
    const ranges = whole.map(({ partition, start, end }) => ({ partition, start: start + 2, end: end - 1 }));
    await readRanges(log, { topic: LETTERS, group: 'reader', ranges }, async (records, { partition }) => {
      seen.set(partition, [...(seen.get(partition) ?? []), ...records.map(({ offset }) => offset)]);
    });
    for (const { partition, start, end } of ranges) {
      expect(seen.get(partition)).toEqual(Array.from({ length: end - start }, (_, index) => start + index));
    }
    expect((await log.committed('reader', LETTERS)).every(({ offset }) => offset === null)).toBe(true);
    expect(await log.members('reader')).toBe(0);
  });

  test('of nothing ends at once; one that fails or falls silent tells', async () => {
    const log = await holding(...many(10));
    const ranges = await log.ranges(LETTERS);
    const never = () => Promise.reject(new Error('visited'));
    await readRanges(log, { topic: OTHER_LETTERS, group: 'a', ranges: await log.ranges(OTHER_LETTERS) }, never);
    await expect(readRanges(log, { topic: LETTERS, group: 'b', ranges }, never)).rejects.toThrow('visited');
    const beyond = ranges.map((range) => ({ ...range, end: range.end + 1 }));
    const silent = readRanges(log, { topic: LETTERS, group: 'c', ranges: beyond, silenceMs: 1 }, async () => undefined);
    await expect(silent).rejects.toMatchObject({ code: 'log_unavailable', retriable: true });
    expect(await log.members('c')).toBe(0);
  });
});

describe('a redrive', () => {
  test('sends each letter once, however often it was written, tells each, and a second run sends nothing', async () => {
    const log = await holding(...many(30), letterOf(5), letterOf(6));
    const receipts = new MemoryReceipts();
    const emitter = new CollectingEmitter();
    const first = await run(log, 'first', {}, { receipts, emitter });
    expect(emitter.sent).toHaveLength(30);
    expect(first.work.count).toBe(30);
    expect(first.told).toHaveLength(30);
    expect(first.told[0]).toMatchObject({ message: 'dead letter redriven', by: 'somebody', to: SOURCE });
    expect(first.forgotten).toHaveLength(1);
    const second = await run(log, 'second', {}, { receipts, emitter });
    expect(emitter.sent).toHaveLength(30);
    expect(second.work.done).toMatchObject({ before: 30, beyondMax: 0 });
  });

  test('on a dry run writes nothing and sends nothing', async () => {
    const receipts = new MemoryReceipts();
    const emitter = new CollectingEmitter();
    const { work, told } = await run(await holding(...many(9)), 'dry', { dryRun: true }, { receipts, emitter });
    expect([...work.done.taken.values()]).toEqual([{ reason: 'undecodable', target: SOURCE, letters: 9 }]);
    expect([receipts.kept.size, emitter.sent.length, told.length]).toEqual([0, 0, 0]);
  });

  test('stops at the cap and counts the rest, which the next run takes', async () => {
    const log = await holding(...many(25));
    const receipts = new MemoryReceipts();
    const emitter = new CollectingEmitter();
    expect((await run(log, 'one', { max: 10 }, { receipts, emitter })).work.done.beyondMax).toBe(15);
    expect(emitter.sent).toHaveLength(10);
    expect((await run(log, 'two', { max: 100 }, { receipts, emitter })).work.done).toMatchObject({ before: 10 });
    expect(new Set(emitter.sent.map(({ key }) => key?.toString())).size).toBe(25);
  });

  test('that fails leaves what it had in hand claimed, and a later run sends it', async () => {
    const log = await holding(...many(6));
    const receipts = new MemoryReceipts();
    const away = new PipelineError('log_unavailable', 'no broker', { retriable: true });
    const broken: Emitter = { send: () => Promise.reject(away), close: () => Promise.resolve() };
    await expect(run(log, 'broken', {}, { receipts, emitter: broken })).rejects.toBe(away);
    const claimed = [...receipts.kept.values()].filter(({ status }) => status === 'redriving').length;
    expect(claimed).toBeGreaterThan(0);
    const emitter = new CollectingEmitter();
    const soon = await run(log, 'soon', {}, { receipts, emitter });
    expect(soon.work.done.refused.get('claimed')).toBe(claimed);
    await run(log, 'later', {}, { receipts, emitter, at: AT + CLAIM_MS });
    expect(new Set(emitter.sent.map(({ key }) => key?.toString())).size).toBe(6);
    expect([...receipts.kept.values()].every(({ status }) => status === 'redriven')).toBe(true);
  });

  test('that loses the race for a letter leaves it to the winner', async () => {
    const receipts = new MemoryReceipts();
    const rival = { at: AT, by: 'a rival', run: 'rival', note: '' };
    const claim = receipts.claim.bind(receipts);
    receipts.claim = async (letters, ...rest) => {
      await claim(letters.slice(0, 1), 'redriving', rival, false);
      return claim(letters, ...rest);
    };
    const emitter = new CollectingEmitter();
    const { work } = await run(await holding(letterOf(1)), 'late', {}, { receipts, emitter });
    expect(emitter.sent).toEqual([]);
    expect(work.done.refused.get('claimed')).toBe(1);
  });

  test('sends at its pace, and what was slow is no credit', async () => {
    let now = AT + 3_600_000;
    const sentAt: number[] = [];
    const emitter = new CollectingEmitter();
    const send = emitter.send.bind(emitter);
    emitter.send = async (records) => {
      sentAt.push(...records.map(() => now));
      now += 40;
      await send(records);
    };
    const rest = (ms: number) => Promise.resolve(void (now += ms));
    await run(await holding(...many(90)), 'slow', { perSecond: 20 }, { emitter, clock: { now: () => now }, rest });
    expect(sentAt).toHaveLength(90);
    for (const start of sentAt) {
      expect(sentAt.filter((each) => each >= start && each < start + 1_000).length).toBeLessThanOrEqual(22);
    }
    expect(now - AT - 3_600_000).toBeGreaterThan(4_000);
  });

  test('that is interrupted ends after the letters in hand', async () => {
    const interrupt = new AbortController();
    const receipts = new MemoryReceipts();
    const emitter = new CollectingEmitter();
    const send = emitter.send.bind(emitter);
    emitter.send = async (records) => {
      await send(records);
      interrupt.abort();
    };
    await run(await holding(...many(60)), 'cut', { signal: interrupt.signal, perSecond: 20 }, { receipts, emitter });
    expect(emitter.sent).toHaveLength(2);
    expect([...receipts.kept.values()].map(({ status }) => status)).toEqual(['redriven', 'redriven']);
  });
});

test('a discard files letters away for good, and sends nothing', async () => {
  const log = await holding(...many(4));
  const receipts = new MemoryReceipts();
  const emitter = new CollectingEmitter();
  const { work, told } = await run(log, 'one', {}, { receipts, emitter, discard: true });
  expect(work.count).toBe(4);
  expect(told[0]).toMatchObject({ message: 'dead letter discarded' });
  expect([...receipts.kept.values()].map(({ status }) => status)).toEqual(Array(4).fill('discarded'));
  expect((await run(log, 'two', {}, { receipts, emitter })).work.done.before).toBe(4);
  expect(emitter.sent).toEqual([]);
});
