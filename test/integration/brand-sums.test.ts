import { expect, test } from 'vitest';
import { BRAND_WINDOWS } from '../../processors/core/brand-amounts.ts';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import { Random } from '../../processors/simulation/random.ts';
import type { ShopRecord } from '../../processors/simulation/shop.ts';
import type { BrandKpi, Interaction } from '../../schemas/types.ts';
import { expectConserved, untilNobodyIsLeft } from '../harness/fault-judgement.ts';
import { drawStrikes, spawnFaulty } from '../harness/faulty-process.ts';
import { startFeed } from '../harness/feed.ts';
import { runCommand, runKizuna } from '../harness/kizuna-process.ts';
import { LinkedWorld } from '../harness/linked-world.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { produceShop } from '../harness/shop-input.ts';
import { storedBrands } from '../harness/stored-brands.ts';
import { testSeed } from '../harness/test-settings.ts';
import { readTopic, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';
import { countMeasures, newestFigures, withoutNothing } from '../processors/brand-oracle.ts';
import { HOUR, MIDNIGHT, MINUTE } from '../processors/customer-fixture.ts';
import { asOne, lifeOf, LINKED_RULES, peopleOf, withoutRepeatedOrders } from '../processors/linked-life.ts';

const BRANDS = ['acme', 'other'];
const PEOPLE = 500;
const EVENTS = 13_000;
/**
 * Within a day, and few enough for each, sessions and page views come out the same in whichever order. Beyond that what is late is
 * not: a report that comes a day behind the customer's clock finds its page view no more.
 */
const SPAN_MS = 20 * HOUR;
/** Part of the life has left the shortest window by then, everything is in the others. */
const UNTIL = MIDNIGHT + SPAN_MS + 12 * HOUR;
const REPORT_AFTER_MS = 20_000;
const PER_SECOND = 300;
/** The shortest that a broker allows by default: so long a killed member keeps its partitions. */
const SETTINGS = { KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500' };
/** What a link takes back of visits counts when the link is made: exact only over a window that holds all of the life. */
const OF_VISITS = [
  ...['closed_sessions', 'engaged_sessions', 'engaged_session_rate'],
  ...['average_time_on_page', 'long_view_rate', 'unmeasured_page_views'],
];
const POINTS = ['after the block', 'mid-produce', 'before the commit'] as const;

/** Some page views are reported on, and orders are in the currency of a brand without a definition. */
function toldMore(random: Random, event: Interaction): readonly Interaction[] {
  if (event.order !== null) return [{ ...event, order: { ...event.order, currency: 'USD' } }];
  if (event.type !== 'PAGE_VIEW' || !random.chance(0.4)) return [event];
  const pageViewId = `view-${event.eventId}`;
  const report = { eventId: `report-${event.eventId}`, type: 'PAGE_ENGAGEMENT', pageViewId } as const;
  const occurredAt = event.occurredAt + REPORT_AFTER_MS;
  const engagedMs = REPORT_AFTER_MS * (1 + random.below(3));
  return [
    { ...event, pageViewId },
    { ...event, ...report, occurredAt, engagedMs },
  ];
}

/** The newest of each key that was published of a brand, but for stages: whoever is linked goes on with another one's stay. */
async function published(place: PipelinePlace): Promise<BrandKpi[]> {
  const topic = 'brand-kpis.v1';
  const newest = new Map<string, BrandKpi>();
  await readTopic(place, topic, async (records) => {
    await place.codec.learn(
      topic,
      records.map(({ value }) => value),
    );
    for (const { key, value } of records) {
      const kpi = place.codec.decode(topic, value ?? Buffer.alloc(0)) as BrandKpi | string;
      if (typeof kpi === 'string' || key === null) throw new Error(`${topic}: a record is unreadable`);
      newest.set(key.toString(), kpi);
    }
  });
  return [...newest.values()].filter(({ dimension, measure }) => !`${dimension} ${measure}`.includes('stage'));
}

describeWithServices('kill -9 while identifiers are linked', () => {
  test('leaves the measures of each brand, its segments and channels what a count of the input gives', async () => {
    const seed = testSeed();
    const random = new Random(seed);
    const people = peopleOf(PEOPLE);
    const life = withoutRepeatedOrders(lifeOf(random, people, EVENTS, SPAN_MS));
    const events = life.flatMap((event) => toldMore(random, event)).sort((a, b) => a.occurredAt - b.occurredAt);
    // Keyed by what it happens to be: one person's events come through all partitions.
    const records = events.map((value): ShopRecord => {
      return { kind: 'interaction', key: value.eventId, timestamp: value.occurredAt, value };
    });

    await using written = await writeDefinitions(LINKED_RULES);
    const options = { time: 'record', definitions: written.folder, settings: SETTINGS } as const;
    await using place = await pipelinePlace('brand-sums', options);
    await using survivor = await runKizuna(place.environment);
    await using feed = startFeed(place, records.values(), PER_SECOND);
    const failed = Promise.race([survivor.failed, feed.failed]);
    for (const strike of drawStrikes(POINTS, seed)) {
      await using victim = spawnFaulty(place.environment, 'SIGKILL', [strike]);
      const isStruck = (): true | undefined => (victim.struck.length > 0 ? true : undefined);
      await waitUntil(`${strike.point}, pass ${strike.pass}`, isStruck, { withinMs: 90_000, failed });
      await victim.gone;
      process.stdout.write(`killed ${victim.struck[0]}, pass ${strike.pass}: ${feed.sent} sent\n`);
    }
    await feed.stop();
    await produceShop(place, records.slice(feed.sent));
    await untilFolded(place, records.length, { withinMs: 120_000, failed: survivor.failed });
    expect(await expectConserved(survivor)).toBeGreaterThan(0);
    expect(await survivor.stop()).toBe(0);
    await untilNobodyIsLeft(place);
    // What the end of customers' time says of a brand is published within ten seconds of record time.
    for (const until of [UNTIL, UNTIL + MINUTE]) {
      await runCommand(['sweep', '--until', new Date(until).toISOString()], place.environment);
    }

    const definitions = await loadDefinitions(written.folder);
    const single = await LinkedWorld.open({ definitions, partitions: 1, random: () => random.next() });
    const underOne = events.map((each) => asOne(people, each));
    for (const each of underOne) single.tell(each, each.occurredAt);
    await single.drain();
    await single.end(UNTIL);
    const states = single.states();
    const logged = underOne.map((value) => ({ timestamp: value.occurredAt, value }));
    const kpis = await published(place);
    const stored = await storedBrands(place, definitions);
    for (const brandId of BRANDS) {
      const segmentsOf = (subject: string): readonly string[] => {
        const state = states.get(`${brandId}|${subject}`);
        return state === undefined ? [] : single.customer.profileView(state, UNTIL).segments;
      };
      const rows = kpis.filter((each) => each.brandId === brandId).map((value) => ({ value }));
      for (const window of BRAND_WINDOWS) {
        const isExact = ([name]: readonly [string, unknown]): boolean =>
          window !== '24h' || !OF_VISITS.includes(name.split(' ')[2] ?? '');
        const all = withoutNothing(countMeasures(logged, definitions, brandId, UNTIL, window, segmentsOf));
        const counted = new Map([...all].filter(isExact));
        const told = [...newestFigures(rows, window)].filter(isExact);
        expect(Object.fromEntries(told), window).toEqual(Object.fromEntries(counted));
        if (window === '365d') expect(counted.get('brand all interactions')?.[0]).toBeGreaterThan(EVENTS / 4);
        // What is published of a key is what its document says.
        for (const [name, [above, below]] of counted) {
          const [dimension, value, measure] = name.split(' ');
          const key = `${brandId}|${dimension}|${value}|${measure}`;
          const document = stored.get(`${key}|${window}`) ?? stored.get(`${key}|now`);
          expect(document, `${name} ${window}`).toBe(`${above} / ${below ?? 1}`);
        }
      }
    }
  }, 600_000);
});
