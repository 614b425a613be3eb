import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import type { Store } from '../../processors/runtime/ports.ts';
import { counting } from '../harness/counting-processor.ts';
import { AT, foldedTo, GROUP, run, send, SOON, SOURCE, start, world, type World } from '../harness/passing-world.ts';
import { waitUntil } from '../harness/wait-until.ts';

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
