import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { proveIdle, Progress } from '../../processors/runtime/progress.ts';

function setUp() {
  const time = { ms: 1000 };
  return { time, progress: new Progress(() => time.ms, 60_000) };
}

const logEndingAt = (...ends: number[]) => ({
  ranges: async () => ends.map((end, partition) => ({ partition, start: 0, end })),
});
const at = (partition: number, next: number) => ({ topic: 'interactions.v1', partition, next });

describe('a consumer', () => {
  test('that has work waiting and finishes none of it becomes stuck by itself', () => {
    const { time, progress } = setUp();
    progress.waiting();
    time.ms += 60_000;
    expect(progress.isStuck).toBe(false);
    time.ms += 1;
    expect(progress.isStuck).toBe(true);
  });

  test('does not gain time by learning again that work waits', () => {
    const { time, progress } = setUp();
    progress.waiting();
    time.ms += 40_000;
    progress.waiting();
    time.ms += 40_000;
    expect(progress.isStuck).toBe(true);
  });

  test('that finishes steps is never stuck, and neither is one with nothing to do', () => {
    const { time, progress } = setUp();
    progress.waiting();
    for (let step = 0; step < 5; step++) {
      time.ms += 50_000;
      progress.beat();
    }
    expect(progress.isStuck).toBe(false);
    progress.idle();
    time.ms += 10_000_000;
    expect(progress).toMatchObject({ isStuck: false, busyMs: 0 });
  });
});

describe('proveIdle', () => {
  test('stops the clock when the end of every owned partition is reached', async () => {
    const { time, progress } = setUp();
    progress.waiting();
    await proveIdle(progress, logEndingAt(5, 0), [at(0, 5), at(1, 0)]);
    time.ms += 100_000;
    expect(progress.isStuck).toBe(false);
  });

  test('starts it when records wait, so that a consumer that receives nothing is found', async () => {
    const { time, progress } = setUp();
    await proveIdle(progress, logEndingAt(5, 9), [at(0, 5), at(1, 8)]);
    time.ms += 60_001;
    expect(progress.isStuck).toBe(true);
  });

  test('tells nothing when the log does not answer', async () => {
    const { time, progress } = setUp();
    const ranges = async () => Promise.reject(new PipelineError('log_unavailable', 'no broker', { retriable: true }));
    await proveIdle(progress, { ranges }, [at(0, 5)]);
    time.ms += 100_000;
    expect(progress.isStuck).toBe(false);
    progress.waiting();
    await proveIdle(progress, { ranges }, [at(0, 5)]);
    expect(progress.busyMs).toBe(0);
    time.ms += 60_001;
    expect(progress.isStuck).toBe(true);
  });
});
