import { expect, test } from 'vitest';
import { showStop } from '../../processors/cli/show-stop.ts';
import { PipelineError } from '../../processors/core/errors.ts';
import { silentLog } from '../harness/runtime-fixture.ts';

const LOST = new PipelineError('input_lost', 'interactions.v1/0: the topic was created anew', { retriable: false });
const never = new Promise<never>(() => undefined);

function setUp() {
  const seen: string[] = [];
  const options = {
    pipeline: { stop: async () => void seen.push('pipeline stopped') },
    meter: { stopped: (code: string) => void seen.push(code) },
    logger: silentLog,
  };
  return { seen, options };
}

test('a stop for good is shown, and nothing is folded meanwhile', async () => {
  const { seen, options } = setUp();
  await showStop(LOST, { ...options, visibleMs: 1, cut: never });
  expect(seen).toEqual(['input_lost', 'pipeline stopped']);
});

test('a stop for good is cut short by a signal', async () => {
  const { seen, options } = setUp();
  await showStop(LOST, { ...options, visibleMs: 3_600_000, cut: Promise.resolve('SIGTERM') });
  expect(seen).toEqual(['input_lost', 'pipeline stopped']);
});

test('a stop for good is shown also when the pipeline cannot be stopped', async () => {
  const { seen, options } = setUp();
  const pipeline = { stop: () => Promise.reject(new Error('the store is away')) };
  await showStop(LOST, { ...options, pipeline, visibleMs: 1, cut: never });
  expect(seen).toEqual(['input_lost']);
});

test.each([
  new PipelineError('log_unavailable', 'the group coordinator went away', { retriable: true }),
  new TypeError('not a function'),
  'thrown text',
])('what a new process may not meet again ends at once: %s', async (error) => {
  const { seen, options } = setUp();
  await showStop(error, { ...options, visibleMs: 3_600_000, cut: never });
  expect(seen).toEqual([]);
});
