import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Consumption } from '../../processors/runtime/consumption.ts';
import type { StatelessProcessor } from '../../processors/core/processor.ts';
import { PipelineError } from '../../processors/core/errors.ts';
import { MemoryEventLog } from '../../processors/runtime/memory/event-log.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { Progress } from '../../processors/runtime/progress.ts';
import { Purge } from '../../processors/runtime/purge.ts';
import { planPurge, purgeRow } from '../../processors/cli/topics-purge.ts';
import type { MarkedPartition } from '../../processors/runtime/fold-marks.ts';
import type { CommittedOffset } from '../../processors/runtime/ports.ts';
import { memoryPorts, RecordingMeter } from '../harness/runtime-fixture.ts';

const TOPIC = 'customer-events.v1';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PARTITIONS = [0, 1];

/** A reader that stands where a test puts it. */
class Reader implements Consumption {
  readonly processor: StatelessProcessor;
  readonly joined = true;
  readonly progress = new Progress();
  readonly failed = new Promise<never>(() => undefined);
  next = 0;

  constructor(name: string) {
    this.processor = {
      kind: 'stateless',
      name,
      version: 1,
      inputs: [TOPIC],
      outputs: [],
    } as unknown as StatelessProcessor;
  }
  async positions() {
    return PARTITIONS.map((partition) => ({ topic: TOPIC, partition, epoch: 1, next: this.next }));
  }
  async report(): Promise<void> {}
  async stop(): Promise<void> {}
}

class PurgeMeter extends RecordingMeter {
  records = 0;
  left = { records: -1, lateSeconds: -1 };
  override purged(_topic?: string, records = 0): void {
    this.records += records;
  }
  override purgeLeft(_topic?: string, records = 0, lateSeconds = 0): void {
    this.left = { records, lateSeconds };
  }
}

/** Everything below 100 was folded two days ago, and the reader is there. */
const marked = (now: number): MarkedPartition => {
  const source = `kizuna.customer.v1@1/${TOPIC}/0`;
  return {
    source,
    marks: [
      { at: now - 2 * DAY, next: 100 },
      { at: now, next: 100 },
    ],
  };
};

/** An internal topic of two partitions that `readers` read, on a clock that the test moves. */
function world(readers: readonly string[], topics = readers) {
  const memory = new MemoryEventLog({ topics: [{ name: TOPIC, partitions: PARTITIONS.length, readers }] });
  const members = readers.map((name) => new Reader(name));
  // Commits go with the topic that they were made of.
  const commits = { areGone: false };
  const log = new Proxy(memory, {
    get: (target, name: keyof MemoryEventLog) => {
      if (name !== 'committed') return target[name].bind(target);
      return async (group: string): Promise<CommittedOffset[]> => {
        const member = members.find((each) => group === `kizuna.${each.processor.name}.v1`);
        const offset = commits.areGone ? null : (member?.next ?? null);
        return PARTITIONS.map((partition) => ({ partition, offset, metadata: '' }));
      };
    },
  });
  const emitter = memory.emitter();
  const meter = new PurgeMeter();
  const store = createMemoryStore();
  const clock = { now: 1_000 * DAY };
  const base = memoryPorts({ log, store, meter });
  const ports = { ...base, topics: { ...base.topics, purgedBehind: () => topics.map((name) => `kizuna.${name}.v1`) } };
  const purgeOf = (afterMs: number, seen: readonly Reader[] = members): Purge =>
    new Purge(seen, ports, { afterMs, now: () => clock.now });
  let keys = 0;
  /** Puts as many records into each partition. */
  const fill = async (count: number): Promise<void> => {
    const ends = await Promise.all([log.ranges(TOPIC)]);
    const wanted = Math.max(...ends.flat().map(({ end }) => end)) + count;
    for (;;) {
      const short = (await log.ranges(TOPIC)).filter(({ end }) => end < wanted);
      if (short.length === 0) return;
      const record = { topic: TOPIC, value: null, timestamp: 0, headers: {} };
      await emitter.send([{ ...record, key: Buffer.from(`k${keys++}`) }]);
    }
  };
  const starts = async (): Promise<number[]> => (await log.ranges(TOPIC)).map(({ start }) => start);
  return { log, memory, commits, store, meter, clock, members, purgeOf, fill, starts, ports };
}

describe('the purge', () => {
  test('deletes what was folded long enough ago, and says how much it left', async () => {
    const { meter, clock, members, purgeOf, fill, starts } = world(['reader']);
    const purge = purgeOf(7 * DAY);
    await fill(1_000);
    for (let hour = 0; hour <= 20 * 24; hour++) {
      for (const member of members) member.next = hour;
      await purge.pass();
      clock.now += HOUR;
    }
    const [start = 0] = await starts();
    expect(start).toBeGreaterThan(13 * 24 - 9);
    expect(start).toBeLessThanOrEqual(13 * 24);
    expect(await starts()).toEqual([start, start]);
    expect(meter.records).toBe(2 * start);
    expect(meter.left).toEqual({ records: 2 * (20 * 24 - start), lateSeconds: 0 });
  });

  test('goes by when a record was folded, not by its own time: history is old when it is loaded', async () => {
    const { clock, members, purgeOf, fill, starts } = world(['reader']);
    const purge = purgeOf(7 * DAY);
    await purge.pass();
    clock.now += 30 * DAY;
    // Records of 1970, folded at once.
    await fill(100);
    for (const member of members) member.next = 100;
    await purge.pass();
    clock.now += 6 * DAY;
    await purge.pass();
    expect(await starts()).toEqual([0, 0]);
    clock.now += DAY + 8 * HOUR;
    await purge.pass();
    expect(await starts()).toEqual([100, 100]);
  });

  test('waits for a reader of the catalog that nobody runs', async () => {
    const { meter, clock, members, purgeOf, fill, starts } = world(['reader'], ['absent', 'reader']);
    const purge = purgeOf(DAY);
    await fill(100);
    for (let hour = 0; hour < 200; hour++) {
      for (const member of members) member.next = Math.min(100, hour);
      await purge.pass();
      clock.now += HOUR;
    }
    expect(await starts()).toEqual([0, 0]);
    expect(meter.left.records).toBe(200);
    // The reader that is there could have been purged behind: that shows.
    expect(meter.left.lateSeconds).toBeGreaterThan(7 * 24 * 3_600 - 2 * 24 * 3_600);
  });

  test('is left to the last reader of the catalog', async () => {
    const { clock, members, purgeOf, fill, starts } = world(['first', 'last']);
    await fill(100);
    const [first, last] = members;
    const purges = { first: purgeOf(DAY, first && [first]), last: purgeOf(DAY, last && [last]) };
    for (const member of members) member.next = 100;
    for (let hour = 0; hour <= 24; hour++) {
      await purges.first.pass();
      expect(await starts()).toEqual([0, 0]);
      await purges.last.pass();
      clock.now += HOUR;
    }
    expect(await starts()).toEqual([100, 100]);
  });

  test('goes on when the log refuses to delete, and shows that it is late', async () => {
    const { log, meter, clock, members, fill, starts, ports } = world(['reader']);
    const lines: object[] = [];
    const refusing = new Proxy(log, {
      get: (target, name: keyof MemoryEventLog) =>
        name === 'deleteBefore'
          ? () => Promise.reject(new PipelineError('log_unavailable', 'not allowed', { retriable: false }))
          : target[name].bind(target),
    });
    const logger = { ...ports.logger, warn: (message: string, fields = {}) => void lines.push({ message, ...fields }) };
    const purge = new Purge(members, { ...ports, log: refusing, logger }, { afterMs: DAY, now: () => clock.now });
    await fill(10);
    for (const member of members) member.next = 10;
    for (let hour = 0; hour < 48; hour++) {
      await purge.pass();
      clock.now += HOUR;
    }
    expect(await starts()).toEqual([0, 0]);
    expect(meter.left.records).toBe(20);
    expect(meter.left.lateSeconds).toBeGreaterThan(20 * 3_600);
    expect(lines.at(-1)).toMatchObject({ message: 'purge waits', topic: TOPIC, code: 'log_unavailable' });
  });

  test('keeps a topic that was created anew and filled again, of which nobody committed anything', async () => {
    const { memory, commits, clock, members, purgeOf, fill, starts } = world(['reader']);
    await fill(100);
    for (const member of members) member.next = 100;
    for (let hour = 0; hour < 12; hour++) {
      await purgeOf(DAY).pass();
      clock.now += HOUR;
    }
    memory.renew(TOPIC);
    commits.areGone = true;
    await fill(200);
    for (let hour = 0; hour < 48; hour++) {
      await purgeOf(DAY).pass();
      clock.now += HOUR;
    }
    expect(await starts()).toEqual([0, 0]);
  });

  test('by hand keeps it too, also when it was created anew after somebody looked', async () => {
    const { log, memory, commits, store, clock, members, purgeOf, fill, starts } = world(['customer']);
    await fill(100);
    for (const member of members) member.next = 100;
    await purgeOf(DAY).pass();
    clock.now += 2 * DAY;
    await store.marks.store('kizuna.customer.v1', { topic: TOPIC, partition: 0 }, marked(clock.now));
    const onlyThis = new Proxy(log, {
      get: (target, name: keyof MemoryEventLog) =>
        name === 'ranges'
          ? (topic: string) => (topic === TOPIC ? target.ranges(topic) : Promise.resolve([]))
          : target[name].bind(target),
    });
    const seen = { log: onlyThis, store };
    const [row] = (await planPurge(seen, clock.now, DAY)).filter(({ records }) => records > 0);
    if (row === undefined) throw new Error('nothing to purge');
    expect(row).toMatchObject({ topic: TOPIC, partition: 0, purgeTo: 100, records: 100 });
    memory.renew(TOPIC);
    commits.areGone = true;
    await fill(200);
    expect((await planPurge(seen, clock.now, DAY)).every(({ records }) => records === 0)).toBe(true);
    await expect(purgeRow(row, seen, clock.now, DAY)).rejects.toThrow('was created anew meanwhile');
    expect(await starts()).toEqual([0, 0]);
    commits.areGone = false;
    await purgeRow(row, seen, clock.now, DAY);
    expect(await starts()).toEqual([100, 0]);
  });

  test('never deletes what a reader, or a database restored to any state since then, has not folded', async () => {
    const step = fc.record({
      hours: fc.integer({ min: 1, max: 30 }),
      folded: fc.tuple(fc.nat(40), fc.nat(40)),
      runs: fc.tuple(fc.boolean(), fc.boolean()),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 2, max: 200 }), async (steps, hours) => {
        const { clock, members, purgeOf, fill, starts } = world(['first', 'last']);
        const afterMs = hours * HOUR;
        const history: { at: number; next: number }[] = [];
        let end = 0;
        for (const { hours: passed, folded, runs } of steps) {
          clock.now += passed * HOUR;
          await fill(20);
          end += 20;
          members.forEach((member, index) => {
            member.next = Math.min(end, member.next + (folded[index] ?? 0));
          });
          const slowest = Math.min(...members.map(({ next }) => next));
          history.push({ at: clock.now, next: slowest });
          // A process that was just started knows nothing but what the store does.
          await purgeOf(
            afterMs,
            members.filter((_, index) => runs[index]),
          ).pass();
          const allowed = history.findLast(({ at }) => at <= clock.now - afterMs)?.next ?? 0;
          for (const start of await starts()) expect(start).toBeLessThanOrEqual(allowed);
        }
      }),
      { numRuns: 60 },
    );
  });
});
