import { describe, expect, test } from 'vitest';
import type { Processor, StatelessProcessor } from '../../processors/core/processor.ts';
import { LiveTime } from '../../processors/runtime/live-time.ts';
import { ownPartition } from '../../processors/runtime/owned-partition.ts';
import type { EventLog, TopicPartition } from '../../processors/runtime/ports.ts';
import { Standstill, STANDSTILL_MS } from '../../processors/runtime/standstill.ts';
import { counting, type CountedRecord } from '../harness/counting-processor.ts';
import { FixedLog, memoryPorts, RecordingMeter, silentLog } from '../harness/runtime-fixture.ts';
import { waitUntil } from '../harness/wait-until.ts';

const SOON = { withinMs: 10_000 };
const [UPSTREAM, OWN] = ['raw.v1', 'numbers.v1'];

const upstream: StatelessProcessor<CountedRecord> = {
  kind: 'stateless',
  name: 'upstream',
  version: 1,
  inputs: [UPSTREAM],
  outputs: [OWN],
  onRecord: () => ({ kind: 'skip', reason: 'unknown_type' }),
};
const processors: readonly Processor[] = [upstream, counting];

/** A member with so many partitions, whose sweeps a test may hold up. */
function member(
  partitions: number,
  sweep: (at: TopicPartition, until: number) => Promise<boolean>,
  backfill: (at: TopicPartition, until: number) => Promise<void> = async () => undefined,
) {
  const owned = Array.from({ length: partitions }, (_each, partition) => {
    const each = ownPartition(counting, { topic: OWN, partition });
    each.mustTakeOver = false;
    return each;
  });
  return { processor: counting, partitions: () => owned, sweep, backfill };
}

/** A log whose answers a test decides. */
function logOf(answers: Partial<EventLog>): EventLog {
  return Object.assign(new FixedLog(), answers);
}

test('passes although its input is always folded later than it lies behind', async () => {
  // Upstream: at each look there are 100 records more, of which all but the newest 150 are committed.
  let looks = 0;
  const swept: number[] = [];
  const counts = member(1, async (_at, until) => {
    swept.push(until);
    return true;
  });
  const [partition] = counts.partitions();
  if (partition === undefined) throw new Error('one partition is owned');
  const log = logOf({
    offsetsAt: async () => [{ partition: 0, offset: 200 + 100 * looks }],
    committed: async () => [{ partition: 0, offset: 50 + 100 * looks++, metadata: '' }],
    ranges: async (topic) => {
      // The own input grows in the same way, and is folded 150 records behind.
      if (topic === OWN) partition.next = 100 * looks;
      return [{ partition: 0, start: 0, end: topic === OWN ? 150 + 100 * looks : 1_000_000 }];
    },
  });
  const ports = memoryPorts({ log, clock: { now: () => 1_000_000 } });
  const time = new LiveTime(counts, processors, ports);
  time.start();
  try {
    await waitUntil('time waits for the fold', () => (looks >= 3 && partition.next > 0 ? true : undefined), SOON);
    expect(swept).toEqual([]);
    partition.next += 150;
    await waitUntil('a sweep', () => (swept.length > 0 ? true : undefined), { ...SOON, failed: time.failed });
    expect(swept[0]).toBe(999_000);
  } finally {
    await time.stop();
  }
});

test('evaluates anew a block a sweep, as of the same instant, and none where a sweep did not come to its end', async () => {
  const done: string[] = [];
  const counts = member(
    2,
    async ({ partition }, until) => (done.push(`sweep ${partition} ${until}`), partition === 0),
    async ({ partition }, until) => void done.push(`anew ${partition} ${until}`),
  );
  const ranges = [0, 1].map((partition) => ({ partition, start: 0, end: 0 }));
  const log = logOf({
    offsetsAt: async () => ranges.map(({ partition }) => ({ partition, offset: 0 })),
    committed: async () => [],
    ranges: async () => ranges,
  });
  const time = new LiveTime(counts, processors, memoryPorts({ log }));
  time.start();
  try {
    const twice = () => (done.filter((each) => each.startsWith('sweep 1')).length >= 2 ? true : undefined);
    await waitUntil('two sweeps', twice, { ...SOON, failed: time.failed });
  } finally {
    await time.stop();
  }
  const own = done.filter((each) => each.split(' ')[1] === '0');
  expect(own.slice(0, 4)).toEqual(['sweep 0 999000', 'anew 0 999000', 'sweep 0 999000', 'anew 0 999000']);
  expect(done.some((each) => each.startsWith('anew 1'))).toBe(false);
});

test('passes on one partition while a herd leaves on another', async () => {
  const swept = [0, 0];
  const over = Promise.withResolvers<boolean>();
  const counts = member(2, async ({ partition }) => {
    swept[partition] = (swept[partition] ?? 0) + 1;
    return partition === 0 ? over.promise : true;
  });
  const ranges = [0, 1].map((partition) => ({ partition, start: 0, end: 0 }));
  const log = logOf({
    offsetsAt: async () => ranges.map(({ partition }) => ({ partition, offset: 0 })),
    committed: async () => [],
    ranges: async () => ranges,
  });
  const time = new LiveTime(counts, processors, memoryPorts({ log }));
  time.start();
  try {
    await waitUntil('three sweeps of the other', () => ((swept[1] ?? 0) >= 3 ? true : undefined), {
      ...SOON,
      failed: time.failed,
    });
    expect(swept[0]).toBe(1);
  } finally {
    over.resolve(true);
    await time.stop();
  }
});

test('waits, of a processor that writes to its own input, for all of it on every partition, as often as it goes round', async () => {
  const swept: number[] = [];
  const counts = member(1, async (_at, until) => {
    swept.push(until);
    return true;
  });
  // Another process owns partition 1: each time it has folded what is there, there is one record more.
  const own = { committed: 3, end: 4, asked: 0 };
  const log = logOf({
    offsetsAt: async () => [{ partition: 0, offset: 0 }],
    committed: async (_group, topic) =>
      topic === OWN ? [0, 1].map((partition) => ({ partition, offset: partition * own.committed, metadata: '' })) : [],
    ranges: async (topic) => {
      if (topic === OWN) own.asked += 1;
      return [0, 1].map((partition) => ({ partition, start: 0, end: topic === OWN ? partition * own.end : 0 }));
    },
  });
  const looping = { ...counts, processor: { ...counting, outputs: [OWN], ownRounds: 2 } };
  const time = new LiveTime(looping, [upstream, looping.processor], memoryPorts({ log }));
  time.start();
  try {
    for (let round = 0; round < 2; round++) {
      const { asked } = own;
      await waitUntil('some looks', () => (own.asked > asked + 2 ? true : undefined), SOON);
      expect(swept).toEqual([]);
      own.committed = own.end;
      own.end += round === 0 ? 1 : 0;
    }
    await waitUntil('a sweep', () => (swept.length > 0 ? true : undefined), { ...SOON, failed: time.failed });
  } finally {
    await time.stop();
  }
});

test('waits for what upstream has not committed', async () => {
  let offset = 4;
  const swept: number[] = [];
  const counts = member(1, async (_at, until) => {
    swept.push(until);
    return true;
  });
  let looks = 0;
  const log = logOf({
    offsetsAt: async () => [{ partition: 0, offset: 5 }],
    committed: async () => {
      looks += 1;
      return [{ partition: 0, offset, metadata: '' }];
    },
    ranges: async () => [{ partition: 0, start: 0, end: 5 }],
  });
  const [partition] = counts.partitions();
  if (partition === undefined) throw new Error('one partition is owned');
  partition.next = 5;
  const time = new LiveTime(counts, processors, memoryPorts({ log }));
  time.start();
  try {
    await waitUntil('some looks', () => (looks >= 3 ? true : undefined), SOON);
    expect(swept).toEqual([]);
    offset = 5;
    await waitUntil('a sweep', () => (swept.length > 0 ? true : undefined), { ...SOON, failed: time.failed });
  } finally {
    await time.stop();
  }
});

describe('a partition that stands still while others get on', () => {
  /**
   * Two partitions of an own input, the first of which holds a record that is never folded, while the second gets on; ten
   * seconds pass at each look.
   */
  function stuck(isDoor: boolean) {
    const swept: number[] = [];
    const warned: string[] = [];
    const told: unknown[] = [];
    const state = { done: 0, looks: 0, elapsedMs: 0, gauge: null as readonly TopicPartition[] | null };
    const counts = member(2, async ({ partition }) => {
      swept.push(partition);
      return true;
    });
    const stands = isDoor ? UPSTREAM : OWN;
    const end = (topic: string, partition: number): number => {
      if (partition === 0) return topic === stands ? 1 : 0;
      return topic === OWN ? state.looks : 0;
    };
    for (const partition of counts.partitions().slice(1)) partition.next = Number.MAX_SAFE_INTEGER;
    const offsets = (topic: string) => [0, 1].map((partition) => ({ partition, offset: end(topic, partition) }));
    const log = logOf({
      offsetsAt: async (topic) => offsets(topic),
      committed: async (_group, topic) => {
        state.looks += 1;
        state.elapsedMs += 10_000;
        return offsets(topic).map(({ partition, offset }) => {
          return { partition, offset: partition === 0 ? offset * state.done : offset, metadata: '' };
        });
      },
      ranges: async (topic) => [0, 1].map((partition) => ({ partition, start: 0, end: end(topic, partition) })),
    });
    const meter = Object.assign(new RecordingMeter(), {
      passedBy: (processor: string, partitions: readonly TopicPartition[]) => {
        state.gauge = partitions;
        if (partitions.length > 0) told.push({ processor, partitions });
      },
    });
    const logger = { ...silentLog, warn: (message: string) => void warned.push(message) };
    const looping = { ...counts, processor: { ...counting, outputs: [OWN], ownRounds: 1 } };
    const ports = memoryPorts({ log, meter, logger });
    const standstill = new Standstill(() => state.elapsedMs);
    return {
      state,
      swept,
      warned,
      told,
      counts,
      time: new LiveTime(looping, [upstream, looping.processor], ports, standstill),
    };
  }

  test('keeps its own deadlines back, and nobody else’s after a minute; it is told', async () => {
    const { state, swept, warned, told, counts, time } = stuck(false);
    time.start();
    try {
      await waitUntil('sweeps of the other', () => (swept.length >= 2 ? true : undefined), {
        ...SOON,
        failed: time.failed,
      });
      expect(state.elapsedMs).toBeGreaterThan(STANDSTILL_MS);
      expect(new Set(swept)).toEqual(new Set([1]));
      expect(told[0]).toEqual({ processor: 'counting', partitions: [{ topic: OWN, partition: 0 }] });
      expect(warned).toEqual(['deadlines wait for a partition no longer']);
      // Mended: its own time passes too.
      state.done = 1;
      for (const partition of counts.partitions().slice(0, 1)) partition.next = 1;
      await waitUntil('its own sweep', () => (swept.includes(0) ? true : undefined), { ...SOON, failed: time.failed });
    } finally {
      await time.stop();
    }
  });

  test('is told of no longer when time stops: others may own it then, under other definitions', async () => {
    const { state, time } = stuck(false);
    time.start();
    try {
      const isTold = () => (state.gauge?.length === 1 ? true : undefined);
      await waitUntil('it is passed by', isTold, { ...SOON, failed: time.failed });
    } finally {
      await time.stop();
    }
    expect(state.gauge).toEqual([]);
  });

  test('at the door keeps everything back: what waits there may be of any customer', async () => {
    const { state, swept, told, time } = stuck(true);
    time.start();
    try {
      await waitUntil('many looks', () => (state.looks > 20 ? true : undefined), { ...SOON, failed: time.failed });
      expect(state.elapsedMs).toBeGreaterThan(2 * STANDSTILL_MS);
      expect([swept, told]).toEqual([[], []]);
    } finally {
      await time.stop();
    }
  });
});
