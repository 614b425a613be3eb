import { expect, test } from 'vitest';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import { startKizuna } from '../../processors/main.ts';
import { loadConfig } from '../../processors/runtime/config.ts';
import type { SegmentMembershipsChanged } from '../../schemas/types.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { silentLog } from '../harness/runtime-fixture.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { storedCustomers } from '../harness/stored-customers.ts';
import { followTopic, untilFolded, type Follower } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';
import { interaction } from '../processors/intake-fixture.ts';

const CUSTOMERS = 1_500;
const TOPIC = 'segment-memberships.v1';

const view = (customer: number, at: number) => ({
  key: `${customer}`,
  timestamp: at,
  value: interaction({
    ...{ eventId: `e-${customer}`, brandId: 'acme', userId: `c${customer}`, occurredAt: at, type: 'PAGE_VIEW' },
  }),
});

/** Gathers everything that is said of memberships. */
async function followMemberships(place: PipelinePlace, changes: SegmentMembershipsChanged[]): Promise<Follower> {
  return followTopic(place, TOPIC, async (records) => {
    const values = records.map(({ value }) => value);
    await place.codec.learn(TOPIC, values);
    for (const value of values) {
      changes.push(place.codec.decode(TOPIC, value ?? Buffer.alloc(0)) as SegmentMembershipsChanged);
    }
  });
}

describeWithServices('definitions that change while nobody does anything', () => {
  test('reach every stored customer within seconds of a restart, once each, with the cause DEFINITION', async () => {
    await using old = await writeDefinitions({ viewers: { 'traits.page_views.24h': { $gte: 1 } } });
    await using next = await writeDefinitions({
      viewers: { 'traits.page_views.24h': { $gte: 2 } },
      new: { identified: true },
    });
    await using place = await pipelinePlace('backfill', { time: 'live', partitions: 4, definitions: old.folder });
    const changes: SegmentMembershipsChanged[] = [];
    await using stack = new AsyncDisposableStack();
    let follower: Follower;
    {
      await using before = await place.start();
      // Once somebody is a member of a group, the broker's coordinator is there for another one.
      follower = stack.use(await followMemberships(place, changes));
      const failed = Promise.race([before.pipeline.failed, follower.failed]);
      const now = Date.now();
      await produceInteractions(
        place,
        Array.from({ length: CUSTOMERS }, (_each, customer) => view(customer, now)),
      );
      await untilFolded(place, CUSTOMERS, { withinMs: 60_000, failed });
      const entered = () => (changes.length >= CUSTOMERS ? true : undefined);
      await waitUntil('everybody in the old segment', entered, { withinMs: 30_000, failed });
    }
    expect(new Set(changes.map(({ cause }) => cause))).toEqual(new Set(['EVENT']));

    const config = loadConfig({ ...place.environment, KIZUNA_DEFINITIONS: next.folder });
    const startedAt = Date.now();
    await using after = await startKizuna(config, { logger: silentLog, clock: { now: Date.now } });
    const failed = Promise.race([after.pipeline.failed, follower.failed]);
    const moved = () => (changes.length >= 2 * CUSTOMERS ? true : undefined);
    await waitUntil('everybody moved', moved, { withinMs: 60_000, failed, seen: () => `${changes.length}` });
    const seconds = (Date.now() - startedAt) / 1000;
    process.stdout.write(`${CUSTOMERS} customers moved ${seconds.toFixed(1)} s after the start\n`);
    // A block of 512 a second on each of 4 partitions; the rest is joining and the machine.
    expect(seconds).toBeLessThan(30);
    const told = changes.slice(CUSTOMERS);
    expect(new Set(told.map(({ customerId }) => customerId)).size).toBe(CUSTOMERS);
    for (const { cause, definitionsVersion, changes: both, members } of told) {
      expect({ cause, definitionsVersion, members }).toEqual({
        ...{ cause: 'DEFINITION', definitionsVersion: after.definitions.hash, members: ['new'] },
      });
      expect(both.map(({ change, segmentId }) => `${change} ${segmentId}`)).toEqual(['ENTERED new', 'EXITED viewers']);
    }

    const definitions = await loadDefinitions(next.folder);
    const stored = async (): Promise<true | undefined> => {
      const all = await storedCustomers(place, definitions, Date.now());
      return all.length === CUSTOMERS && all.every(({ summary }) => summary.segments.join() === 'new')
        ? true
        : undefined;
    };
    await waitUntil('the documents follow', stored, { withinMs: 30_000, failed });
    const isOver = async (): Promise<true | undefined> => {
      const { samples } = await scrape(after.url);
      const of = (name: string) => samples.find((each) => each.name === name)?.value;
      return of('kizuna_backfill_left_documents') === 0 && of('kizuna_backfill_documents_total') === CUSTOMERS
        ? true
        : undefined;
    };
    await waitUntil('the metrics say that it is over', isOver, { withinMs: 30_000, failed });
    expect(changes).toHaveLength(2 * CUSTOMERS);
  }, 180_000);
});
