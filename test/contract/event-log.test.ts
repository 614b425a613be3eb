import { expect, it } from 'vitest';
import { partitionOfKey } from '../../processors/runtime/partitioner.ts';
import { AT, gate, numbered, Probe, record, textOf, valuesOf } from './event-log-probe.ts';
import { onEveryLog } from './event-log-worlds.ts';

const TOPIC = 'numbers.v1';
const GROUP = 'kizuna.reader.v1';
const FIRST = { topic: TOPIC, partition: 0 };

onEveryLog((open) => {
  it('delivers every partition in order and from the beginning', async () => {
    await using world = await open([{ name: TOPIC, partitions: 4 }]);
    await world.emitter.send(numbered(TOPIC, 2_000, 50));
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await world.emitter.send(numbered(TOPIC, 1_000, 50, 2_000));
    await probe.until(() => probe.received.length >= 3_000);

    expect(probe.received).toHaveLength(3_000);
    for (let partition = 0; partition < 4; partition++) {
      const own = probe.received.filter((each) => each.partition === partition);
      expect(own.map(({ offset }) => offset)).toEqual(own.map((_, index) => index));
      const numbers = own.map(({ value }) => Number(textOf(value)));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      for (const { key, timestamp, value } of own) {
        expect(partitionOfKey(key ?? Buffer.alloc(0), 4)).toBe(partition);
        expect(timestamp).toBe(AT + Number(textOf(value)));
      }
    }
  });

  it('tells where a batch ends and where its partition does', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 250, 5));
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 250);
    for (const batch of probe.batches) {
      expect(batch.logEnd).toBe(250);
      expect(batch.next).toBe((batch.records.at(-1)?.offset ?? -1) + 1);
    }
  });

  it('goes on behind the commit, whose metadata comes back', async () => {
    await using world = await open([{ name: TOPIC, partitions: 2 }]);
    await world.emitter.send(numbered(TOPIC, 400, 40));
    const first = await Probe.join(world.log, GROUP, [TOPIC]);
    await first.until(() => first.received.length === 400);
    await first.membership.commit(FIRST, 20, 'seq=7');
    await first.membership.leave();

    expect(await world.log.committed(GROUP, TOPIC)).toEqual([
      { partition: 0, offset: 20, metadata: 'seq=7' },
      { partition: 1, offset: null, metadata: '' },
    ]);
    const second = await Probe.join(world.log, GROUP, [TOPIC]);
    await second.until(() => second.received.length === 380);
    const startOf = (partition: number): number | undefined =>
      second.received.find((each) => each.partition === partition)?.offset;
    expect([startOf(0), startOf(1)]).toEqual([20, 0]);
  });

  it('a batch that is wanted again comes again, from its first record', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 30, 5));
    let refusals = 3;
    const probe = await Probe.join(world.log, GROUP, [TOPIC], () => Promise.resolve(refusals-- > 0 ? 'again' : 'done'));
    await probe.until(() => probe.received.length === 30);
    expect(probe.batches.slice(0, 4).map(({ records }) => records[0]?.offset)).toEqual([0, 0, 0, 0]);
    expect(valuesOf(probe.received)).toEqual(numbered(TOPIC, 30, 5).map(({ value }) => textOf(value)));
  });

  it('seeks back and forward, from within a batch and from outside', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 50, 5));
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 50);

    probe.membership.seek(FIRST, 10);
    await probe.until(() => probe.received.length === 90);
    expect(probe.received[50]?.offset).toBe(10);

    let seeks = 0;
    probe.handle = (batch) => {
      const { offset } = batch.records[0] ?? { offset: -1 };
      if (offset !== 50) return Promise.resolve('done');
      seeks++;
      probe.membership.seek(FIRST, 55);
      return Promise.resolve('again');
    };
    await world.emitter.send(numbered(TOPIC, 10, 5, 50));
    await probe.until(() => probe.received.at(-1)?.offset === 59);
    expect(seeks).toBe(1);
    expect(probe.received.slice(90).map(({ offset }) => offset)).toEqual([55, 56, 57, 58, 59]);
  });

  it('the place that was sought counts, even when the batch was done', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 5, 5));
    let seeks = 1;
    const probe = await Probe.join(world.log, GROUP, [TOPIC], () => {
      if (seeks-- > 0) probe.membership.seek(FIRST, 3);
      return Promise.resolve('done');
    });
    await probe.until(() => probe.received.length >= 7);
    expect(probe.received.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 3, 4]);
  });

  it('what is sought or paused at the assignment holds from the first batch on', async () => {
    await using world = await open([{ name: TOPIC, partitions: 2 }]);
    await world.emitter.send(numbered(TOPIC, 200, 40));
    const probe = await Probe.join(world.log, GROUP, [TOPIC], undefined, (membership) => {
      membership.pause(FIRST);
      membership.seek({ topic: TOPIC, partition: 1 }, 5);
    });
    const end = (await world.log.ranges(TOPIC))[1]?.end ?? 0;
    await probe.until(() => probe.received.length === end - 5);
    expect(probe.received[0]).toMatchObject({ partition: 1, offset: 5 });
    expect(probe.batches.every(({ partition }) => partition === 1)).toBe(true);
  });

  it('gives nothing of a paused partition until it is resumed', async () => {
    await using world = await open([{ name: TOPIC, partitions: 2 }]);
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    probe.membership.pause(FIRST);
    let total = 0;
    // Three rounds through the other partition: each is a fetch in which the paused one had its chance.
    for (let round = 0; round < 3; round++) {
      await world.emitter.send(numbered(TOPIC, 100, 40, round * 100));
      total = (await world.log.ranges(TOPIC))[1]?.end ?? 0;
      await probe.until(() => probe.received.length === total);
    }
    expect(probe.received.every(({ partition }) => partition === 1)).toBe(true);

    probe.membership.resume(FIRST);
    await probe.until(() => probe.received.length === 300);
    expect(probe.received[total]).toMatchObject({ partition: 0, offset: 0 });
  });

  it('a pause made within a batch keeps the next one away, and `again` brings the same one after it', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 10, 5));
    const paused = gate();
    let refused = false;
    const probe = await Probe.join(world.log, GROUP, [TOPIC], () => {
      if (refused) return Promise.resolve('done');
      refused = true;
      probe.membership.pause(FIRST);
      paused.open();
      return Promise.resolve('again');
    });
    await paused.passed;
    // A round trip to the log, in which the batch could have come again.
    await world.log.ranges(TOPIC);
    await world.emitter.send(numbered(TOPIC, 10, 5, 10));
    expect(probe.batches).toHaveLength(1);
    probe.membership.resume(FIRST);
    await probe.until(() => probe.received.length === 20);
    expect(probe.received[0]?.offset).toBe(0);
  });

  it('knows ranges, times, commits and members', async () => {
    await using world = await open([{ name: TOPIC, partitions: 2 }]);
    expect(await world.log.ranges(TOPIC)).toEqual([
      { partition: 0, start: 0, end: 0 },
      { partition: 1, start: 0, end: 0 },
    ]);
    expect(await world.log.members(GROUP)).toBe(0);
    const key = Array.from({ length: 9 }, (_, index) => `k${index}`).find(
      (each) => partitionOfKey(Buffer.from(each), 2) === 0,
    );
    await world.emitter.send([10, 30, 20, 40].map((time) => record(TOPIC, key ?? null, String(time), AT + time)));
    expect(await world.log.ranges(TOPIC)).toEqual([
      { partition: 0, start: 0, end: 4 },
      { partition: 1, start: 0, end: 0 },
    ]);
    const offsetAt = async (time: number): Promise<number[]> =>
      (await world.log.offsetsAt(TOPIC, AT + time)).map(({ offset }) => offset);
    expect(await offsetAt(0)).toEqual([0, 0]);
    // Out of order: the first at or after 20 is the one of 30.
    expect(await offsetAt(20)).toEqual([1, 0]);
    expect(await offsetAt(40)).toEqual([3, 0]);
    expect(await offsetAt(41)).toEqual([4, 0]);
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    expect(await world.log.members(GROUP)).toBe(1);
    await probe.membership.leave();
    expect(await world.log.members(GROUP)).toBe(0);
  });

  it('refuses a topic that does not exist', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    const refusal = { code: 'log_unavailable', retriable: false };
    await expect(Probe.join(world.log, GROUP, ['nothing.v1'])).rejects.toMatchObject(refusal);
    await expect(world.log.ranges('nothing.v1')).rejects.toMatchObject(refusal);
    await expect(world.log.offsetsAt('nothing.v1', AT)).rejects.toMatchObject(refusal);
    await expect(world.log.committed(GROUP, 'nothing.v1')).rejects.toMatchObject(refusal);
  });

  it('a handler that rejects has crashed: told once, and nothing comes any more', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 10, 5));
    const probe = await Probe.join(world.log, GROUP, [TOPIC], () => Promise.reject(new Error('a bug')));
    await probe.until(() => probe.crashes.length > 0);
    await probe.membership.leave();
    expect(probe.crashes.map(({ message }) => message)).toEqual([expect.stringContaining('a bug')]);
    expect(probe.batches).toHaveLength(1);
    await expect(probe.membership.commit(FIRST, 5, '')).rejects.toMatchObject({ code: 'rebalancing' });
    // The next member gets what the dead one had.
    const second = await Probe.join(world.log, GROUP, [TOPIC]);
    await second.until(() => second.received.length === 10);
  });
});
