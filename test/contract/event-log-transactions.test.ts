import { describe, expect, inject, it } from 'vitest';
import { Probe, valuesOf } from './event-log-probe.ts';
import { openKafka } from './event-log-worlds.ts';

const TOPIC = 'numbers.v1';
const GROUP = 'kizuna.reader.v1';

// The markers that transactions leave in a log take offsets, and are shown to nobody.
describe.skipIf(inject('kizunaServices') === null)('transactions of foreign producers', () => {
  it('what was committed is read, what was aborted is not, and both are left behind, markers included', async () => {
    await using world = await openKafka([{ name: TOPIC, partitions: 1 }]);
    await world.inTransaction(TOPIC, ['1', '2'], 'commit');
    await world.inTransaction(TOPIC, ['3'], 'abort');
    await world.inTransaction(TOPIC, ['4'], 'commit');
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.batches.at(-1)?.next === 7);
    expect(valuesOf(probe.received)).toEqual(['1', '2', '4']);
    expect(await world.log.ranges(TOPIC)).toEqual([{ partition: 0, start: 0, end: 7 }]);
  });

  it('a partition whose last record is a marker is read to its end, and a rest of markers alone is too', async () => {
    await using world = await openKafka([{ name: TOPIC, partitions: 1 }]);
    await world.inTransaction(TOPIC, ['1'], 'commit');
    const first = await Probe.join(world.log, GROUP, [TOPIC]);
    await first.until(() => first.batches.at(-1)?.next === 2);
    // The record is behind this group, its marker is not.
    await first.membership.commit({ topic: TOPIC, partition: 0 }, 1, '');
    await first.membership.leave();

    const second = await Probe.join(world.log, GROUP, [TOPIC]);
    await second.until(() => second.batches.length > 0);
    expect(second.batches[0]).toMatchObject({ records: [], next: 2, logEnd: 2 });
    await world.inTransaction(TOPIC, ['2'], 'commit');
    await second.until(() => second.batches.at(-1)?.next === 4);
    expect(valuesOf(second.received)).toEqual(['2']);
  });
});
