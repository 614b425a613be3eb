import { describe, expect, test } from 'vitest';
import { refuseCompany } from '../../processors/cli/company.ts';
import { describeAccept } from '../../processors/cli/input-report.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { acceptLoss, examine } from '../../processors/runtime/accept-loss.ts';
import { counting } from '../harness/counting-processor.ts';
import { AT, foldedTo, GROUP, passing, portsOf, run, send, SOURCE, start, world } from '../harness/passing-world.ts';
import type { World } from '../harness/passing-world.ts';

const SECOND = SOURCE.replace('@1', '@2');
/** Counts what `passing` wrote. */
const tallying = { ...counting, name: 'tallying', inputs: ['passed.v1'] };
const PASSED = { topic: 'passed.v1', partition: 0 };

/** Folds everything that was passed on, and answers how many records counted. */
async function tally(seen: World): Promise<number> {
  const [{ end } = { end: 0 }] = await seen.log.ranges('passed.v1');
  const { member } = await start(seen, seen.store, tallying);
  await foldedTo(seen, end, 'kizuna.tallying.v1', 'passed.v1');
  await member.stop();
  const [stored] = await seen.store.documents('tallying.v1').load(['b|u:1']);
  return stored === undefined ? 0 : counting.state.unpack(new ByteReader(stored.state)).count;
}

const positions = (source: string, from: number, count: number): string[] =>
  Array.from({ length: count }, (_each, n) => `${source}:${from + n}.0`);
const writtenBy = ({ written }: World): string[] => written.filter((each) => each.startsWith(GROUP));

describe('a stateless processor whose input was created anew', () => {
  test('goes on at its beginning in the next epoch, and downstream nothing new passes for a repeat', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    expect(await tally(seen)).toBe(20);
    seen.log.renew('numbers.v1');
    await send(seen, 1, 5);

    const ports = portsOf(seen, seen.store);
    expect(await examine(passing, AT, ports)).toMatchObject({
      ...{ epoch: 2, next: 0 },
      losses: [{ code: 'input_lost', missing: 15 }],
    });
    expect(await acceptLoss(passing, AT, ports)).toMatchObject({ losses: [], epoch: 2, next: 0 });
    await run(seen, 5);
    expect(writtenBy(seen)).toEqual([...positions(SOURCE, 0, 20), ...positions(SECOND, 0, 5)]);
    expect(await tally(seen)).toBe(25);

    // Within the new epoch a repeat is told as before.
    await seen.emitter.send([
      {
        topic: 'passed.v1',
        key: Buffer.from('b|u:1'),
        value: Buffer.from('{"amount":1}'),
        timestamp: 2_000,
        headers: { position: `${SECOND}:4.0` },
      },
    ]);
    expect(await tally(seen)).toBe(25);
  });

  test('has nothing to accept a second time, before and after it went on', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    seen.log.renew('numbers.v1');
    await send(seen, 1, 5);
    const ports = portsOf(seen, seen.store);
    for (let time = 0; time < 2; time++)
      expect(await acceptLoss(passing, AT, ports)).toMatchObject({ epoch: 2, next: 0 });
    await run(seen, 5);
    expect(await acceptLoss(passing, AT, ports)).toMatchObject({ losses: [], epoch: 2, next: 5 });
  });

  test('is noticed again when that happens again, also before anything was folded in the new epoch', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    await send(seen, 1, 20);
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 30 }]);
    const ports = portsOf(seen, seen.store);
    expect(await acceptLoss(passing, AT, ports)).toMatchObject({ epoch: 2, next: 30 });
    await seen.log.deleteBefore('numbers.v1', [{ partition: 0, offset: 35 }]);
    expect(await acceptLoss(passing, AT, ports)).toMatchObject({ epoch: 3, next: 35 });
    await run(seen, 40);
    seen.log.renew('numbers.v1');
    await send(seen, 1, 60);
    expect(await acceptLoss(passing, AT, ports)).toMatchObject({ epoch: 4, next: 0 });
  });

  test('goes on by its commits when the database is of before the loss was accepted', async () => {
    const seen = world();
    await send(seen, 1, 20);
    await run(seen, 20);
    const marks = seen.store.inputMarks('passing.v1');
    const before = await marks.read(AT);
    seen.log.renew('numbers.v1');
    await send(seen, 1, 5);
    await acceptLoss(passing, AT, portsOf(seen, seen.store));
    await run(seen, 5);
    const restored = world();
    if (before !== null) await restored.store.inputMarks('passing.v1').raise([{ ...AT, ...before }]);
    await send(seen, 6, 5);
    await run({ ...seen, store: restored.store }, 10);
    expect(writtenBy(seen).slice(25)).toEqual(positions(SECOND, 5, 5));
  });
});

test('a stateful processor goes on too, and keeps what it knows of its upstream', async () => {
  const seen = world();
  await send(seen, 1, 20);
  await run(seen, 20);
  expect(await tally(seen)).toBe(20);
  seen.log.renew('passed.v1');
  // Somebody writes back what was there, positions included, and the pipeline goes on.
  const back = positions(SOURCE, 10, 10).map((position) => {
    return {
      topic: 'passed.v1',
      key: Buffer.from('b|u:1'),
      value: Buffer.from('{"amount":1}'),
      timestamp: 1_500,
      headers: { position },
    };
  });
  await seen.emitter.send(back);
  await send(seen, 21, 3);
  await run(seen, 23);
  const ports = portsOf(seen, seen.store);
  expect(await examine(tallying, PASSED, ports)).toMatchObject({ losses: [{ code: 'input_lost', missing: 7 }] });
  expect(await acceptLoss(tallying, PASSED, ports)).toMatchObject({ losses: [], epoch: 2, next: 0 });
  expect(await acceptLoss(tallying, PASSED, ports)).toMatchObject({ losses: [], epoch: 2, next: 0 });
  expect(await tally(seen)).toBe(23);
});

test('a stateful processor whose input was filled again with as many records goes on at its beginning', async () => {
  const seen = world();
  await send(seen, 1, 20);
  await run(seen, 20);
  expect(await tally(seen)).toBe(20);
  seen.log.renew('passed.v1');
  await send(seen, 21, 30);
  await run(seen, 50);
  const ports = portsOf(seen, seen.store);
  expect(await examine(tallying, PASSED, ports)).toMatchObject({ losses: [{ code: 'input_lost', missing: 20 }] });
  for (let time = 0; time < 2; time++) {
    expect(await acceptLoss(tallying, PASSED, ports)).toMatchObject({ losses: [], epoch: 2, next: 0 });
  }
  expect(await tally(seen)).toBe(50);
  // And it is noticed again, by what was folded in the new epoch.
  seen.log.renew('passed.v1');
  await send(seen, 51, 40);
  await run(seen, 90);
  expect(await acceptLoss(tallying, PASSED, ports)).toMatchObject({ losses: [], epoch: 3, next: 0 });
  expect(await tally(seen)).toBe(90);
});

test('a loss is accepted by nobody while the group has members', async () => {
  const seen = world();
  const { member } = await start(seen, seen.store);
  await expect(refuseCompany(seen.log, passing, 0, 'what accepts a loss')).rejects.toThrow(
    `The group ${GROUP} has 1 other member, and what accepts a loss must be alone`,
  );
  await member.stop();
  await refuseCompany(seen.log, passing, 0, 'what accepts a loss');
});

test('the report tells what was found, what that means, and what is left to do', () => {
  const losses = [{ code: 'input_lost', message: 'numbers.v1/1: the log begins at 30', missing: 1 }] as const;
  const partitions = [
    { processor: 'passing', topic: 'numbers.v1', partition: 0, losses: [], epoch: 1, next: 7 },
    { processor: 'passing', topic: 'numbers.v1', partition: 1, losses, epoch: 2, next: 30 },
  ];
  const lines = describeAccept({ dryRun: true, lost: 1, partitions }).split('\n');
  expect(lines[1]).toMatch(/^passing +numbers\.v1\/0 +ok +epoch 1, next 7$/);
  expect(lines[2]).toMatch(/^passing +numbers\.v1\/1 +input_lost \(1 offset\) +epoch 2 from offset 30 on$/);
  expect(lines.slice(3)).toEqual([
    'numbers.v1/1: the log begins at 30',
    '1 partition would go on in the next epoch; --yes does it.',
  ]);
  expect(describeAccept({ dryRun: false, lost: 1, partitions })).toContain('start the processors again');
  expect(describeAccept({ dryRun: true, lost: 0, partitions: [] })).toContain('nothing to do');
});
