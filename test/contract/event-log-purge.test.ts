import { expect, it } from 'vitest';
import { numbered, Probe, textOf } from './event-log-probe.ts';
import { onEveryLog } from './event-log-worlds.ts';

const TOPIC = 'numbers.v1';
const GROUP = 'kizuna.reader.v1';
const FIRST = { topic: TOPIC, partition: 0 };

onEveryLog((open) => {
  it('deletes what lies below an offset, of the partitions named alone, for good', async () => {
    await using world = await open([{ name: TOPIC, partitions: 2 }]);
    await world.emitter.send(numbered(TOPIC, 200, 40));
    const [first, second] = await world.log.ranges(TOPIC);
    const end = first?.end ?? 0;
    await world.log.deleteBefore(TOPIC, [{ partition: 0, offset: 20 }]);
    expect(await world.log.ranges(TOPIC)).toEqual([{ partition: 0, start: 20, end }, second]);

    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 180);
    const own = probe.received.filter(({ partition }) => partition === 0);
    expect(own.map(({ offset }) => offset)).toEqual(Array.from({ length: end - 20 }, (_, index) => 20 + index));
  });

  it('is harmless for what is gone already, and may take everything', async () => {
    await using world = await open([{ name: TOPIC, partitions: 2 }]);
    await world.emitter.send(numbered(TOPIC, 100, 20));
    const [first, second] = (await world.log.ranges(TOPIC)).map(({ end }) => end);
    const delete_ = (offset: number, other: number): Promise<void> =>
      world.log.deleteBefore(TOPIC, [
        { partition: 0, offset },
        { partition: 1, offset: other },
      ]);
    await delete_(10, 5);
    await delete_(10, 3);
    await delete_(0, 5);
    expect((await world.log.ranges(TOPIC)).map(({ start }) => start)).toEqual([10, 5]);
    await delete_(first ?? 0, second ?? 0);
    expect((await world.log.ranges(TOPIC)).map(({ start, end }) => [start, end])).toEqual([
      [first, first],
      [second, second],
    ]);
    await world.log.deleteBefore(TOPIC, []);
  });

  it('refuses an offset beyond the end, and a topic that does not exist, for good', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 10, 5));
    const refusal = { code: 'log_unavailable', retriable: false };
    await expect(world.log.deleteBefore(TOPIC, [{ partition: 0, offset: 11 }])).rejects.toMatchObject(refusal);
    await expect(world.log.deleteBefore('nothing.v1', [{ partition: 0, offset: 1 }])).rejects.toMatchObject(refusal);
    expect((await world.log.ranges(TOPIC))[0]?.start).toBe(0);
  });

  it('does not disturb a member that reads behind it', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 50, 5));
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 50);
    await probe.membership.commit(FIRST, 50, 'seq=1');
    await world.log.deleteBefore(TOPIC, [{ partition: 0, offset: 50 }]);
    await world.emitter.send(numbered(TOPIC, 10, 5, 50));
    await probe.until(() => probe.received.length === 60);
    expect(textOf(probe.received.at(-1)?.value ?? null)).toBe('59');
    expect(await world.log.committed(GROUP, TOPIC)).toEqual([{ partition: 0, offset: 50, metadata: 'seq=1' }]);
  });
});
