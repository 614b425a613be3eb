import { onTestFinished, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import {
  activateGeneration,
  ActiveDefinitions,
  claimGeneration,
  type Generations,
} from '../../processors/runtime/definition-generations.ts';
import { MemoryGenerations } from '../../processors/runtime/memory/definition-generations.ts';
import type { Pipeline } from '../../processors/runtime/pipeline.ts';
import { startWhileActive } from '../../processors/runtime/while-active.ts';
import { silentLog } from '../harness/runtime-fixture.ts';
import { waitUntil } from '../harness/wait-until.ts';

const SOON = { withinMs: 20_000 };
const clock = { now: () => 1_000 };

/** A process with a set of definitions, whose pipeline only says when it starts and stops. */
async function process(generations: Generations, hash: string, stopping: () => Promise<void> = async () => undefined) {
  const steps: string[] = [];
  let fail: (error: Error) => void = () => undefined;
  const start = async (): Promise<Pipeline> => {
    steps.push('start');
    const failed = new Promise<never>((_resolve, reject) => (fail = reject));
    const stop = async (): Promise<void> => {
      steps.push('stop');
      await stopping();
    };
    return { members: [], logAnswers: true, failed, stop, [Symbol.asyncDispose]: stop };
  };
  const definitions = new ActiveDefinitions(generations, hash);
  const pipeline = await startWhileActive({ definitions, clock, logger: silentLog, start });
  onTestFinished(() => pipeline.stop().catch(() => undefined));
  const until = (count: number) =>
    waitUntil(`${hash}: ${count} steps`, () => (steps.length >= count ? true : undefined), {
      ...SOON,
      failed: pipeline.failed,
    });
  return {
    steps,
    definitions,
    pipeline,
    until,
    fail: (error: Error) => {
      fail(error);
    },
  };
}

test('a newer set makes the older wait, which works again when it is activated', async () => {
  const generations = new MemoryGenerations();
  const old = await process(generations, 'old');
  expect(old.steps).toEqual(['start']);
  const next = await process(generations, 'next');
  expect(next.steps).toEqual(['start']);
  await old.until(2);
  expect([old.steps, old.definitions.isOurs, next.steps]).toEqual([['start', 'stop'], false, ['start']]);

  await activateGeneration(generations, 1, 2_000);
  await old.until(3);
  await next.until(2);
  expect([old.steps, next.steps]).toEqual([
    ['start', 'stop', 'start'],
    ['start', 'stop'],
  ]);
});

test('a process that brings an older set along waits from the beginning, and stops without ado', async () => {
  const generations = new MemoryGenerations();
  await claimGeneration(generations, 'old', 1);
  await claimGeneration(generations, 'next', 2);
  const late = await process(generations, 'old');
  expect([late.steps, late.definitions.isOurs, late.pipeline.logAnswers]).toEqual([[], false, true]);
  await late.pipeline.stop();
  expect(late.steps).toEqual([]);
});

test('not knowing what is active changes nothing, and a failure of the pipeline is told', async () => {
  const memory = new MemoryGenerations();
  let refusals = 0;
  const flaky: Generations = {
    list: () => memory.list(),
    add: (generation) => memory.add(generation),
    newest: async () => {
      refusals += 1;
      throw new PipelineError('store_unavailable', 'away', { retriable: true });
    },
  };
  const one = await process(flaky, 'one');
  await waitUntil('two looks', () => (refusals >= 2 ? true : undefined), { ...SOON, failed: one.pipeline.failed });
  expect([one.steps, one.definitions.isOurs]).toEqual([['start'], true]);
  one.fail(new Error('a bug'));
  await expect(one.pipeline.failed).rejects.toThrow('a bug');
  await one.pipeline.stop();
  expect(one.steps).toEqual(['start', 'stop']);
});

test('what waiting does not mend is told', async () => {
  const memory = new MemoryGenerations();
  const closed: Generations = {
    list: () => memory.list(),
    add: (generation) => memory.add(generation),
    newest: async () => {
      throw new PipelineError('store_unreadable', 'no generation', { retriable: false });
    },
  };
  const one = await process(closed, 'one');
  await expect(one.pipeline.failed).rejects.toMatchObject({ code: 'store_unreadable' });
});

test('a pipeline that does not stop when others are active ends its process, which it belongs to until then', async () => {
  const generations = new MemoryGenerations();
  const away = new PipelineError('log_unavailable', 'the group could not be left', { retriable: true });
  const old = await process(generations, 'old', () => Promise.reject(away));
  await process(generations, 'next');
  await expect(old.pipeline.failed).rejects.toBe(away);
  // Going back does not start a second one beside it.
  await activateGeneration(generations, 1, 2_000);
  await expect(old.pipeline.stop()).rejects.toBe(away);
  expect(old.steps).toEqual(['start', 'stop', 'stop']);
});
