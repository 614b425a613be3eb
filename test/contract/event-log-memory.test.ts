import { describe, expect, it } from 'vitest';
import { MemoryEventLog } from '../../processors/runtime/memory/event-log.ts';
import { gate, numbered, Probe, record } from './event-log-probe.ts';

const TOPIC = 'numbers.v1';
const GROUP = 'kizuna.reader.v1';
const FIRST = { topic: TOPIC, partition: 0 };

describe('what only the log in memory has', () => {
  it('forgets old records, never one that a reader has not committed, even before it joins', async () => {
    const log = new MemoryEventLog({
      topics: [
        { name: TOPIC, partitions: 1, readers: [GROUP] },
        { name: 'unread.v1', partitions: 1 },
      ],
      keepRecords: 100,
    });
    const emitter = log.emitter();
    for (let from = 0; from < 10_000; from += 1_000) {
      await emitter.send(numbered(TOPIC, 1_000, 5, from));
      await emitter.send(numbered('unread.v1', 1_000, 5, from));
    }
    expect(await log.ranges(TOPIC)).toEqual([{ partition: 0, start: 0, end: 10_000 }]);
    const [unread] = await log.ranges('unread.v1');
    expect(unread?.end).toBe(10_000);
    expect(unread?.start).toBeGreaterThan(4_000);

    const probe = await Probe.join(log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 10_000);
    await probe.membership.commit(FIRST, 6_000, '');
    expect(await log.ranges(TOPIC)).toEqual([{ partition: 0, start: 6_000, end: 10_000 }]);
    await probe.membership.commit(FIRST, 10_000, '');
    expect((await log.ranges(TOPIC))[0]?.end).toBe(10_000);
    // What is left is still found by its time and read by a newcomer.
    const newcomer = await Probe.join(log, 'kizuna.other.v1', [TOPIC]);
    await newcomer.until(() => newcomer.received.at(-1)?.offset === 9_999);
    await log.close();
  });

  it('goes to the beginning of what is left when the place sought is out of range, as kafkajs does', async () => {
    const log = new MemoryEventLog({ topics: [{ name: TOPIC, partitions: 1 }] });
    await log.emitter().send(numbered(TOPIC, 10, 5));
    const probe = await Probe.join(log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 10);
    probe.membership.seek(FIRST, 99);
    await probe.until(() => probe.received.length === 20);
    expect(probe.received[10]?.offset).toBe(0);
    await log.close();
  });

  it('keeps batches within their bounds, and gives a record alone that is larger than all', async () => {
    const log = new MemoryEventLog({ topics: [{ name: TOPIC, partitions: 1 }], batchRecords: 7, batchBytes: 500 });
    const large = record(TOPIC, 'demo|u:0', 'x'.repeat(2_000));
    await log.emitter().send([...numbered(TOPIC, 20, 5), large, ...numbered(TOPIC, 3, 5)]);
    const probe = await Probe.join(log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 24);
    expect(probe.batches.map(({ records }) => records.length)).toEqual([7, 7, 6, 1, 3]);
    await log.close();
  });

  it('folds as many partitions at once as it may, never one twice', async () => {
    const log = new MemoryEventLog({ topics: [{ name: TOPIC, partitions: 6 }], concurrency: 3, batchRecords: 10 });
    await log.emitter().send(numbered(TOPIC, 600, 100));
    const running = new Set<number>();
    let most = 0;
    const probe = await Probe.join(log, GROUP, [TOPIC], async ({ partition }) => {
      expect(running.has(partition)).toBe(false);
      running.add(partition);
      most = Math.max(most, running.size);
      await new Promise<void>((resolve) => void setImmediate(resolve));
      running.delete(partition);
      return 'done';
    });
    await probe.until(() => probe.received.length === 600 || probe.crashes.length > 0);
    expect(probe.crashes).toEqual([]);
    expect(most).toBe(3);
    await log.close();
  });

  it('leaves the members their turn: a macrotask between batches', async () => {
    const log = new MemoryEventLog({ topics: [{ name: TOPIC, partitions: 1 }], batchRecords: 1 });
    await log.emitter().send(numbered(TOPIC, 50, 5));
    const other = gate();
    let macrotasks = 0;
    const probe = await Probe.join(log, GROUP, [TOPIC]);
    const count = (): void => {
      macrotasks++;
      if (probe.received.length < 50) setImmediate(count);
      else other.open();
    };
    setImmediate(count);
    await other.passed;
    expect(macrotasks).toBeGreaterThanOrEqual(40);
    await log.close();
  });

  it('refuses commit metadata that a broker would refuse', async () => {
    const log = new MemoryEventLog({ topics: [{ name: TOPIC, partitions: 1 }] });
    const probe = await Probe.join(log, GROUP, [TOPIC]);
    await expect(probe.membership.commit(FIRST, 0, 'x'.repeat(5_000))).rejects.toMatchObject({ retriable: false });
    await log.close();
  });
});
