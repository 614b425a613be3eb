import { expect, test } from 'vitest';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import { startKizuna } from '../../processors/main.ts';
import { loadConfig } from '../../processors/runtime/config.ts';
import { parsePosition } from '../../processors/runtime/position.ts';
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
/** As many as a block of the back-fill takes. */
const KEYS_PER_BLOCK = 512;
const TOPIC = 'segment-memberships.v1';

const view = (customer: number, at: number) => ({
  key: `${customer}`,
  timestamp: at,
  value: interaction({
    ...{ eventId: `e-${customer}`, brandId: 'acme', userId: `c${customer}`, occurredAt: at, type: 'PAGE_VIEW' },
  }),
});

/** A change, and the block of the journal that it was published from. */
type Told = SegmentMembershipsChanged & { readonly block: number };

/** Gathers everything that is said of memberships. */
async function followMemberships(place: PipelinePlace, changes: Told[]): Promise<Follower> {
  return followTopic(place, TOPIC, async (records) => {
    const values = records.map(({ value }) => value);
    await place.codec.learn(TOPIC, values);
    for (const { value, headers } of records) {
      const change = place.codec.decode(TOPIC, value ?? Buffer.alloc(0)) as SegmentMembershipsChanged;
      changes.push({ ...change, block: parsePosition(headers['position'])?.n ?? -1 });
    }
  });
}

describeWithServices('definitions that change while nobody does anything', () => {
  test('reach every stored customer after a restart, in blocks, once each, with the cause DEFINITION', async () => {
    await using old = await writeDefinitions({ viewers: { 'traits.page_views.24h': { $gte: 1 } } });
    await using next = await writeDefinitions({
      viewers: { 'traits.page_views.24h': { $gte: 2 } },
      new: { identified: true },
    });
    await using place = await pipelinePlace('backfill', { time: 'live', partitions: 1, definitions: old.folder });
    const changes: Told[] = [];
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
      await waitUntil('everybody in the old segment', entered, { withinMs: 60_000, failed });
    }
    expect(new Set(changes.map(({ cause }) => cause))).toEqual(new Set(['EVENT']));

    const config = loadConfig({ ...place.environment, KIZUNA_DEFINITIONS: next.folder });
    await using after = await startKizuna(config, { logger: silentLog, clock: { now: Date.now } });
    const failed = Promise.race([after.pipeline.failed, follower.failed]);
    const moved = () => (changes.length >= 2 * CUSTOMERS ? true : undefined);
    await waitUntil('everybody moved', moved, { withinMs: 120_000, failed, seen: () => `${changes.length}` });
    // On one partition, so in several blocks. What the first process had not stored yet is found by a later pass.
    const blocks = Map.groupBy(changes.slice(CUSTOMERS), ({ block }) => block);
    const sizes = [...blocks.values()].map((each) => each.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(KEYS_PER_BLOCK);
    expect(sizes.length).toBeGreaterThanOrEqual(Math.ceil(CUSTOMERS / KEYS_PER_BLOCK));
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
    await waitUntil('the documents follow', stored, { withinMs: 60_000, failed });
    const isOver = async (): Promise<true | undefined> => {
      const { samples } = await scrape(after.url);
      const of = (name: string) => samples.find((each) => each.name === name)?.value;
      return of('kizuna_backfill_left_documents') === 0 && of('kizuna_backfill_documents_total') === CUSTOMERS
        ? true
        : undefined;
    };
    await waitUntil('the metrics say that it is over', isOver, { withinMs: 60_000, failed });
    expect(changes).toHaveLength(2 * CUSTOMERS);
  }, 300_000);
});
