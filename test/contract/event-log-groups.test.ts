import { expect, it } from 'vitest';
import type { PipelineError } from '../../processors/core/errors.ts';
import { gate, numbered, Probe } from './event-log-probe.ts';
import { onEveryLog } from './event-log-worlds.ts';

const TOPIC = 'numbers.v1';
const GROUP = 'kizuna.reader.v1';
const FIRST = { topic: TOPIC, partition: 0 };

/** Folds in slow steps with a heartbeat between them, and gives the batch up when told so. */
const untilToldToStop =
  (probe: () => Probe, started: () => void) => async (_batch: unknown, heartbeat: () => Promise<void>) => {
    started();
    for (;;) {
      try {
        await heartbeat();
      } catch (error) {
        expect((error as PipelineError).code).toBe('rebalancing');
        probe().handle = () => Promise.resolve('done');
        return 'again' as const;
      }
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  };

onEveryLog((open) => {
  it('two members share the partitions, and the one that stays gets all, from the commits on', async () => {
    await using world = await open([{ name: TOPIC, partitions: 4 }]);
    await world.emitter.send(numbered(TOPIC, 800, 80));
    const committing = (probe: () => Probe) => async (batch: { topic: string; partition: number; next: number }) => {
      await probe().membership.commit(batch, batch.next, `next=${batch.next}`);
      return 'done' as const;
    };
    const first: Probe = await Probe.join(
      world.log,
      GROUP,
      [TOPIC],
      committing(() => first),
    );
    await first.until(() => first.received.length === 800);
    const second: Probe = await Probe.join(
      world.log,
      GROUP,
      [TOPIC],
      committing(() => second),
    );
    await first.until(() => first.owned.length === 2);
    expect(second.owned).toHaveLength(2);
    expect(first.revocations).toBe(1);
    expect(new Set([...first.owned, ...second.owned].map(({ partition }) => partition)).size).toBe(4);
    expect(await world.log.members(GROUP)).toBe(2);

    await world.emitter.send(numbered(TOPIC, 800, 80, 800));
    await bothDone(first, second, 1_600);
    await first.membership.leave();
    await second.until(() => second.owned.length === 4);
    const seen = second.received.length;
    await world.emitter.send(numbered(TOPIC, 400, 80, 1_600));
    await second.until(() => second.received.length >= seen + 400);
    // Everything was committed, so nothing comes twice.
    expect(first.received.length + second.received.length).toBe(2_000);
    await expect(world.log.committed(GROUP, TOPIC)).resolves.toEqual(
      (await world.log.ranges(TOPIC)).map(({ partition, end }) => ({
        partition,
        offset: end,
        metadata: `next=${end}`,
      })),
    );
  });

  it('the heartbeat tells a busy member that the group rebalances; its batch comes again', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 10, 5));
    const started = gate();
    const first: Probe = await Probe.join(world.log, GROUP, [TOPIC], (batch, heartbeat) =>
      untilToldToStop(() => first, started.open)(batch, heartbeat),
    );
    await started.passed;
    const second = await Probe.join(world.log, GROUP, [TOPIC]);
    await first.until(() => first.revocations === 1 && first.assignments.length === 2);
    expect(first.owned.length + second.owned.length).toBe(1);
    const owner = first.owned.length === 1 ? first : second;
    await owner.until(() => owner.received.length === 10);
    expect(owner.received[0]?.offset).toBe(0);
  });

  it('refuses the commit of a member that left, and of a partition that is another member’s', async () => {
    await using world = await open([{ name: TOPIC, partitions: 2 }]);
    const first = await Probe.join(world.log, GROUP, [TOPIC]);
    const second = await Probe.join(world.log, GROUP, [TOPIC]);
    await first.until(() => first.owned.length === 1);
    const others = second.owned[0] ?? FIRST;
    await expect(first.membership.commit(others, 0, '')).rejects.toMatchObject({
      code: 'rebalancing',
      retriable: true,
    });
    const own = first.owned[0] ?? FIRST;
    await first.membership.leave();
    await expect(first.membership.commit(own, 0, '')).rejects.toMatchObject({ code: 'rebalancing', retriable: true });
    expect(await world.log.committed(GROUP, TOPIC)).toEqual([
      { partition: 0, offset: null, metadata: '' },
      { partition: 1, offset: null, metadata: '' },
    ]);
    // Both are harmless then.
    first.membership.seek(own, 0);
    first.membership.pause(own);
    first.membership.resume(own);
    await first.membership.leave();
  });

  it('a member without heartbeats is evicted: another gets its partitions, its commit is refused, it joins again', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 10, 5));
    const started = gate();
    const release = gate();
    let refusal: unknown;
    const first: Probe = await Probe.join(world.log, GROUP, [TOPIC], async (batch, heartbeat) => {
      started.open();
      await release.passed;
      refusal = await first.membership.commit(batch, batch.next, 'late').catch((error: unknown) => error);
      await expect(heartbeat()).rejects.toMatchObject({ code: 'rebalancing' });
      first.handle = () => Promise.resolve('done');
      return 'again';
    });
    await started.passed;
    const joining = Probe.join(world.log, GROUP, [TOPIC]);
    world.evict(GROUP, FIRST);
    const second = await joining;
    await second.until(() => second.received.length === 10);
    await second.membership.commit(FIRST, 10, 'in time');
    release.open();
    await first.until(() => first.assignments.length === 2);
    expect(refusal).toMatchObject({ code: 'rebalancing', retriable: true });
    expect(await world.log.committed(GROUP, TOPIC)).toEqual([{ partition: 0, offset: 10, metadata: 'in time' }]);
    expect(first.received).toHaveLength(0);
    expect(await world.log.members(GROUP)).toBe(2);
  });

  it('leaving waits for the batch in hand, which may still commit', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send(numbered(TOPIC, 10, 5));
    const started = gate();
    const release = gate();
    const probe: Probe = await Probe.join(world.log, GROUP, [TOPIC], async (batch, heartbeat) => {
      started.open();
      await release.passed;
      await heartbeat();
      await probe.membership.commit(batch, batch.next, 'last');
      return 'done';
    });
    await started.passed;
    let left = false;
    const leaving = probe.membership.leave().then(() => {
      left = true;
    });
    // A round trip to the log, in which it would have left.
    await world.log.ranges(TOPIC);
    expect(left).toBe(false);
    release.open();
    await leaving;
    await probe.membership.leave();
    expect(probe.received).toHaveLength(10);
    expect(await world.log.committed(GROUP, TOPIC)).toEqual([{ partition: 0, offset: 10, metadata: 'last' }]);
    expect(probe.batches).toHaveLength(1);
  });

  it('two groups read the same topic independently', async () => {
    await using world = await open([{ name: TOPIC, partitions: 2 }]);
    await world.emitter.send(numbered(TOPIC, 100, 10));
    const first = await Probe.join(world.log, GROUP, [TOPIC]);
    const other = await Probe.join(world.log, 'kizuna.other.v1', [TOPIC]);
    await first.until(() => first.received.length === 100);
    await other.until(() => other.received.length === 100);
    await first.membership.commit(FIRST, 1, '');
    expect((await world.log.committed('kizuna.other.v1', TOPIC)).map(({ offset }) => offset)).toEqual([null, null]);
  });

  it('one member reads several topics', async () => {
    const topics = [TOPIC, 'letters.v1'];
    await using world = await open(topics.map((name) => ({ name, partitions: 2 })));
    const probe = await Probe.join(world.log, GROUP, topics);
    expect(probe.owned).toHaveLength(4);
    for (const topic of topics) await world.emitter.send(numbered(topic, 50, 10));
    await probe.until(() => probe.received.length === 100);
    expect(probe.received.filter(({ topic }) => topic === 'letters.v1')).toHaveLength(50);
  });
});

async function bothDone(first: Probe, second: Probe, total: number): Promise<void> {
  const done = (): boolean => first.received.length + second.received.length === total;
  await Promise.race([first.until(done), second.until(done)]);
}
