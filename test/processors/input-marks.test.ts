import { describe, expect, onTestFinished, test } from 'vitest';
import type { StatelessProcessor } from '../../processors/core/processor.ts';
import { consume } from '../../processors/runtime/consume.ts';
import { MemoryEventLog } from '../../processors/runtime/memory/event-log.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import type { Emitter, LogRecord, OutgoingRecord, Store } from '../../processors/runtime/ports.ts';
import { counting, type CountedRecord } from '../harness/counting-processor.ts';
import { memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';
import { waitUntil } from '../harness/wait-until.ts';

const AT = { topic: 'numbers.v1', partition: 0 };
const GROUP = 'kizuna.passing.v1';
const SOURCE = `${GROUP}@1/numbers.v1/0`;
const SOON = { withinMs: 20_000 };

const passing: StatelessProcessor<CountedRecord> = {
  kind: 'stateless',
  name: 'passing',
  version: 1,
  inputs: ['numbers.v1'],
  outputs: ['counts.v1'],
  onRecord: ({ amount }, timestamp) => ({
    kind: 'apply',
    outputs: [{ topic: 'counts.v1', key: 'b|u:1', value: { amount }, timestamp }],
  }),
};

/** A log with one partition a topic, and what the processor wrote in it. */
function world() {
  const topics = ['numbers.v1', 'counts.v1', 'numbers.v1.kizuna.counting.v1.dlq'];
  const log = new MemoryEventLog({ topics: topics.map((name) => ({ name, partitions: 1 })), batchRecords: 10 });
  const store = createMemoryStore();
  const written: string[] = [];
  const emitter = log.emitter();
  const watching: Emitter = {
    send: async (records: readonly OutgoingRecord[]) => {
      for (const record of records) written.push(String(record.headers['position']));
      await emitter.send(records);
    },
    close: () => emitter.close(),
  };
  return { log, store, emitter, watching, written };
}
type World = ReturnType<typeof world>;

async function send({ emitter }: World, from: number, count: number): Promise<void> {
  const records: LogRecord[] = Array.from({ length: count }, (_each, n) => numberRecord(n, 'k', from + n, 1_000 + n));
  await emitter.send(records.map((record) => ({ ...record, topic: 'numbers.v1', headers: {} })));
}

async function start({ log, watching }: World, store: Store, processor = passing as typeof passing | typeof counting) {
  const member = await consume(processor, memoryPorts({ log, store, emitter: watching }));
  let failure: unknown;
  member.failed.catch((error: unknown) => {
    failure = error;
  });
  onTestFinished(() => member.stop());
  return { member, failed: () => failure };
}

const committedOf = async ({ log }: World, group = GROUP): Promise<number | null> =>
  (await log.committed(group, 'numbers.v1'))[0]?.offset ?? null;

async function foldedTo(seen: World, offset: number, group = GROUP): Promise<void> {
  await waitUntil(
    `everything below ${offset} committed`,
    async () => ((await committedOf(seen, group)) === offset ? true : undefined),
    SOON,
  );
}

/** Starts, folds what there is up to `offset`, and stops cleanly. */
async function run(seen: World, offset: number): Promise<void> {
  const { member } = await start(seen, seen.store);
  await foldedTo(seen, offset);
  await member.stop();
}

async function expectLoss(seen: World, message: RegExp): Promise<void> {
  const before = seen.written.length;
  const { failed } = await start(seen, seen.store);
  const error = await waitUntil('the process stopped', () => failed(), SOON);
  expect(error).toMatchObject({ code: 'input_lost', retriable: false });
  expect(String(error)).toMatch(message);
  expect(seen.written.slice(before)).toEqual([]);
}

describe('a stateless processor', () => {
  test('remembers how far it is at a clean stop, and while it runs within a second or so', async () => {
    const seen = world();
    await send(seen, 1, 25);
    const { member } = await start(seen, seen.store);
    const marks = seen.store.inputMarks('passing.v1');
    await waitUntil('a mark', async () => ((await marks.read(AT))?.next === 25 ? true : undefined), SOON);
    await send(seen, 26, 5);
    await foldedTo(seen, 30);
    await member.stop();
    expect(await marks.read(AT)).toMatchObject({ epoch: 1, next: 30, last: { offset: 29, timestamp: 1_004 } });
  });

  test('remembers nothing of a group that never committed', async () => {
    const seen = world();
    const { member } = await start(seen, seen.store);
    await member.stop();
    expect(await seen.store.inputMarks('passing.v1').read(AT)).toBeNull();
  });

  test('goes on where it was', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    await send(seen, 21, 20);
    await run(seen, 40);
    expect(seen.written).toEqual(Array.from({ length: 40 }, (_each, offset) => `${SOURCE}:${offset}.0`));
  });

  test('notices an input that was created anew and is shorter', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    seen.log.renew('numbers.v1');
    await send(seen, 1, 5);
    await expectLoss(seen, /the log ends at 5/);
  });

  test('notices an input that was created anew and holds as many records again', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    seen.log.renew('numbers.v1');
    await send(seen, 2, 50);
    await expectLoss(seen, /holds other records/);
  });

  test('notices an input that is created anew while it runs', async () => {
    const seen = world();
    await send(seen, 1, 20);
    const { failed } = await start(seen, seen.store);
    await foldedTo(seen, 20);
    seen.log.renew('numbers.v1');
    await send(seen, 1, 5);
    const error = await waitUntil('the process stopped', () => failed(), SOON);
    expect(error).toMatchObject({ code: 'input_lost', retriable: false });
    expect(seen.written).toHaveLength(20);
  });

  test('notices that retention removed records that it did not read', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    await send(seen, 21, 30);
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 33 }]);
    await expectLoss(seen, /offset 20 is next, but the log begins at 33/);
  });

  test('notices the same while it runs', async () => {
    const seen = world();
    await send(seen, 1, 20);
    const { failed } = await start(seen, seen.store);
    await foldedTo(seen, 20);
    await send(seen, 21, 30);
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 33 }]);
    expect(await waitUntil('the process stopped', () => failed(), SOON)).toMatchObject({ code: 'input_lost' });
    expect(seen.written).toHaveLength(20);
  });

  test('notices the same of a version that remembered nothing, by what it committed', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    await send(seen, 21, 30);
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 33 }]);
    await expectLoss({ ...seen, store: createMemoryStore() }, /the log begins at 33/);
  });

  test('goes on where it was when the broker only forgot what the idle group had committed', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    seen.log.forgetCommits(GROUP, 'numbers.v1');
    const { member } = await start(seen, seen.store);
    await foldedTo(seen, 20);
    await send(seen, 21, 1);
    await foldedTo(seen, 21);
    await member.stop();
    expect(seen.written.slice(20)).toEqual([`${SOURCE}:20.0`]);
  });

  test('goes on by its commits when its marks are older or gone: nothing that it needs is lost with a database', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    await send(seen, 21, 5);
    const empty = createMemoryStore();
    const { member } = await start(seen, empty);
    await foldedTo(seen, 25);
    await member.stop();
    expect(await empty.inputMarks('passing.v1').read(AT)).toMatchObject({ epoch: 1, next: 25 });
    expect(seen.written).toHaveLength(25);
  });

  test('waits for the store before its first batch, and for nothing of it after', async () => {
    const seen = world();
    await send(seen, 1, 20);
    const marks = seen.store.inputMarks('passing.v1');
    const held = Promise.withResolvers<void>();
    const slow: Store = {
      ...seen.store,
      inputMarks: () => ({
        read: async (at) => {
          await held.promise;
          return marks.read(at);
        },
        raise: () => new Promise(() => undefined),
      }),
    };
    const { member } = await start(seen, slow);
    await new Promise(setImmediate);
    expect(seen.written).toEqual([]);
    held.resolve();
    await foldedTo(seen, 20);
    await send(seen, 21, 20);
    await foldedTo(seen, 40);
    await member.stop();
  });
});

test('a stateful processor notices an input that is created anew while it runs', async () => {
  const seen = world();
  await send(seen, 1, 20);
  const { failed } = await start(seen, seen.store, counting);
  await foldedTo(seen, 20, 'kizuna.counting.v1');
  seen.log.renew('numbers.v1');
  await send(seen, 1, 5);
  const error = await waitUntil('the process stopped', () => failed(), SOON);
  expect(error).toMatchObject({ code: 'input_lost', retriable: false });
});
