import { describe, expect, test } from 'vitest';
import type { Processor } from '../../processors/core/processor.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import type { Store } from '../../processors/runtime/ports.ts';
import { ownPartition } from '../../processors/runtime/owned-partition.ts';
import { newestOf, takeOver } from '../../processors/runtime/take-over.ts';
import { counting } from '../harness/counting-processor.ts';
import {
  AT,
  foldedTo,
  GROUP,
  passing,
  portsOf,
  run,
  send,
  SOON,
  SOURCE,
  start,
  world,
  type World,
} from '../harness/passing-world.ts';
import { waitUntil } from '../harness/wait-until.ts';

async function expectLoss(seen: World, message: RegExp, processor: Processor = passing): Promise<void> {
  const before = seen.written.length;
  const { failed } = await start(seen, seen.store, processor);
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

  test('goes on too when retention has removed what it folded last', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 20 }]);
    seen.log.forgetCommits(GROUP, 'numbers.v1');
    await send(seen, 21, 1);
    await run(seen, 21);
    expect(seen.written.slice(20)).toEqual([`${SOURCE}:20.0`]);
  });

  test('notices what retention removed unread when its commits are gone as well', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    await send(seen, 21, 5);
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 21 }]);
    seen.log.forgetCommits(GROUP, 'numbers.v1');
    await expectLoss(seen, /offset 20 is next, but the log begins at 21/);
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

describe('a stateful processor', () => {
  const COUNTING = 'kizuna.counting.v1';

  /** Starts, folds what there is up to `offset`, and stops cleanly. */
  async function count(seen: World, offset: number, store: Store = seen.store): Promise<void> {
    const { member } = await start(seen, store, counting);
    await foldedTo(seen, offset, COUNTING);
    await member.stop();
  }

  async function counted({ store }: World): Promise<number> {
    const [stored] = await store.documents('counting.v1').load(['k']);
    return stored === undefined ? 0 : counting.state.unpack(new ByteReader(stored.state)).count;
  }

  test('notices an input that is created anew while it runs', async () => {
    const seen = world();
    await send(seen, 1, 20);
    const { failed } = await start(seen, seen.store, counting);
    await foldedTo(seen, 20, COUNTING);
    seen.log.renew('numbers.v1');
    await send(seen, 1, 5);
    const error = await waitUntil('the process stopped', () => failed(), SOON);
    expect(error).toMatchObject({ code: 'input_lost', retriable: false });
  });

  test('notices an input that was created anew and filled again while nobody was there', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await count(seen, 20);
    seen.log.renew('numbers.v1');
    await send(seen, 2, 50);
    await expectLoss(seen, /holds other records/, counting);
    expect(await counted(seen)).toBe(20);
  });

  test('remembers what it folded last across take-overs that fold nothing', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await count(seen, 20);
    const ports = portsOf(seen, seen.store);
    for (let time = 0; time < 3; time++) await takeOver(ownPartition(counting, AT), ports);
    const head = newestOf(await seen.store.journal('counting.v1').headers(AT));
    expect(head).toMatchObject({ next: 20, last: { offset: 19 } });
    seen.log.renew('numbers.v1');
    await send(seen, 2, 50);
    await expectLoss(seen, /holds other records/, counting);
  });

  test('goes on when the broker only forgot what the idle group had committed', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await count(seen, 20);
    seen.log.forgetCommits(COUNTING, 'numbers.v1');
    await send(seen, 21, 5);
    await count(seen, 25);
    expect(await counted(seen)).toBe(25);
  });

  test('goes on too when everything that it folded was purged, with more behind it or not', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await count(seen, 20);
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 20 }]);
    seen.log.forgetCommits(COUNTING, 'numbers.v1');
    const { member } = await start(seen, seen.store, counting);
    await send(seen, 21, 5);
    await foldedTo(seen, 25, COUNTING);
    await member.stop();
    await send(seen, 26, 5);
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 25 }]);
    seen.log.forgetCommits(COUNTING, 'numbers.v1');
    await count(seen, 30);
    expect(await counted(seen)).toBe(30);
  });

  test('goes on with a journal whose blocks are of a version that did not remember what it folded last', async () => {
    const seen = world();
    await send(seen, 1, 20);
    const journal = seen.store.journal('counting.v1');
    const older: Store = {
      ...seen.store,
      documents: (name) => seen.store.documents(name),
      journal: () => ({
        headers: (at) => journal.headers(at),
        blocks: (at, from, to) => journal.blocks(at, from, to),
        ledgers: (at, from, to) => journal.ledgers(at, from, to),
        write: (at, block) => journal.write(at, { ...block, last: null }),
      }),
    };
    await count(seen, 20, older);
    seen.log.forgetCommits(COUNTING, 'numbers.v1');
    await send(seen, 21, 5);
    await count(seen, 25);
    expect(await counted(seen)).toBe(25);
    expect((await journal.headers(AT)).map(({ last }) => last?.offset)).toContain(24);
  });
});
