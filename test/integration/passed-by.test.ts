import { expect, test, vi } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { partitionOfKey } from '../../processors/runtime/partitioner.ts';
import type { Journal, Store } from '../../processors/runtime/ports.ts';
import type * as standstill from '../../processors/runtime/standstill.ts';
import type { SegmentMembershipsChanged } from '../../schemas/types.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { followTopic, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';
import { interaction } from '../processors/intake-fixture.ts';

/** The minute that a partition may stand still passes in three seconds; everything else takes its time. */
const QUICKER = 20;
vi.mock('../../processors/runtime/standstill.ts', async (importOriginal) => {
  const original = await importOriginal<typeof standstill>();
  class QuickStandstill extends original.Standstill {
    constructor() {
      super(() => QUICKER * performance.now());
    }
  }
  return { ...original, Standstill: QuickStandstill };
});

const TOPIC = 'segment-memberships.v1';
const PARTITIONS = 4;
const STUCK = 0;
const DAY_MS = 86_400_000;
const SOON = { withinMs: 60_000 };

/** The first customers, by name, whose key is in the partition or in none but it. */
function customers(isStuck: boolean, count: number): string[] {
  const names = Array.from({ length: 100 }, (_each, index) => `c${index}`);
  const isIn = (name: string) => partitionOfKey(Buffer.from(`acme|u:${name}`), PARTITIONS) === STUCK;
  return names.filter((name) => isIn(name) === isStuck).slice(0, count);
}

let events = 0;
async function look(place: PipelinePlace, userId: string, at: number): Promise<void> {
  const value = interaction({ eventId: `e-${events++}`, brandId: 'acme', userId, occurredAt: at, type: 'PAGE_VIEW' });
  await produceInteractions(place, [{ key: userId, timestamp: at, value }]);
}

/** The store, of which the customers' journal of one partition takes no block while `isStuck` says so. */
function stuckStore(store: Store, isStuck: () => boolean): Store {
  const stuckJournal = (journal: Journal): Journal => ({
    headers: (at) => journal.headers(at),
    blocks: (at, from, to) => journal.blocks(at, from, to),
    ledgers: (at, from, to) => journal.ledgers(at, from, to),
    write: async (at, block) => {
      if (isStuck() && at.topic === 'customer-events.v1' && at.partition === STUCK) {
        throw new PipelineError('store_unavailable', 'this block is refused', { retriable: true });
      }
      await journal.write(at, block);
    },
  });
  return {
    journal: (processor) => stuckJournal(store.journal(processor)),
    documents: (processor) => store.documents(processor),
    inputMarks: (processor) => store.inputMarks(processor),
    generations: store.generations,
    marks: store.marks,
    ping: () => store.ping(),
    close: () => store.close(),
  };
}

describeWithServices('a partition that stands still by itself', () => {
  test('keeps its own silence back, and nobody else’s; it is told, and waited for again once it gets on', async () => {
    await using definitions = await writeDefinitions({ silent: { 'ages.interactions': { $gte: 1 } } });
    const options = { time: 'live', partitions: PARTITIONS, definitions: definitions.folder } as const;
    await using place = await pipelinePlace('passed-by', options);
    const [held = '', free = '', busy = ''] = [...customers(true, 1), ...customers(false, 2)];
    let isStuck = false;
    const watch = <T extends { store: Store }>(services: T): T => ({
      ...services,
      store: stuckStore(services.store, () => isStuck),
    });
    await using kizuna = await place.start({ watch });
    // Every partition is taken over and gets on.
    const before = [...customers(true, 3), ...customers(false, 20)];
    for (const customer of before) await look(place, customer, Date.now());
    await untilFolded(place, before.length, { ...SOON, failed: kizuna.pipeline.failed });
    const silent: string[] = [];
    await using follower = await followTopic(place, TOPIC, async (records) => {
      const values = records.map(({ value }) => value);
      await place.codec.learn(TOPIC, values);
      for (const value of values) {
        const change = place.codec.decode(TOPIC, value ?? Buffer.alloc(0)) as SegmentMembershipsChanged;
        if (change.cause === 'TIME') silent.push(change.customerId);
      }
    });
    const failed = Promise.race([kizuna.pipeline.failed, follower.failed]);
    const passedBy = async (): Promise<string[]> =>
      (await scrape(kizuna.url)).samples
        .filter(({ name }) => name === 'kizuna_partition_passed_by')
        .map(({ labels }) => `${labels['processor']} ${labels['topic']}/${labels['partition']}`);
    expect(await passedBy()).toEqual([]);

    isStuck = true;
    await look(place, held, Date.now());
    // Two customers whose only event of their own time was a day ago, in three seconds.
    const newcomers = { held: customers(true, 4)[3] ?? '', free: customers(false, 21)[20] ?? '' };
    const aDayAgo = Date.now() - DAY_MS + 3_000;
    for (const customer of Object.values(newcomers)) await look(place, customer, aDayAgo);
    // Others have something to do meanwhile: that is what tells it from a group that is away.
    const others = async (): Promise<true | undefined> => {
      for (const customer of [free, busy]) await look(place, customer, Date.now());
      return silent.includes(`u:${newcomers.free}`) ? true : undefined;
    };
    await waitUntil('the silence of another partition', others, { ...SOON, failed, seen: () => silent.join(' ') });
    expect(await passedBy()).toContain(`customer customer-events.v1/${STUCK}`);
    expect(silent).not.toContain(`u:${newcomers.held}`);

    isStuck = false;
    const own = () => (silent.includes(`u:${newcomers.held}`) ? true : undefined);
    await waitUntil('its own silence', own, { ...SOON, failed });
    const isWaitedFor = async () => ((await passedBy()).length === 0 ? true : undefined);
    await waitUntil('it is waited for again', isWaitedFor, { ...SOON, failed });
  }, 180_000);
});
