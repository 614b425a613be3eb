import { afterAll, beforeAll, expect, test } from 'vitest';
import { METRIC_NAMES } from '../../processors/runtime/metrics-table.ts';
import type { Kizuna } from '../../processors/main.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { compareWithReplay } from '../harness/against-replay.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { accountsOf, gaugeBy, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { sweepTo, untilStored } from '../harness/running-pipeline.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { connectMongodb } from '../harness/service-clients.ts';
import { produceShop, shopInput, type ShopInput } from '../harness/shop-input.ts';
import { storedCustomers } from '../harness/stored-customers.ts';
import { readTopic, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { interaction } from '../processors/intake-fixture.ts';

const INPUT = 'interactions.v1';
const EVENTS = 'customer-events.v1';
const TOUCHPOINT_EVENTS = 'touchpoint-events.v1';
const EXPERIMENT_EVENTS = 'experiment-events.v1';
const BRAND_PARTIALS = 'brand-partials.v1';
const COMMANDS = 'commands.v1';
const SPOILED: ReadonlySet<string> = new Set([COMMANDS, EVENTS, TOUCHPOINT_EVENTS, EXPERIMENT_EVENTS, BRAND_PARTIALS]);
/** A hundred good ones, then bad ones. */
const RATINGS = 160;

/** Resolves once intake has committed every command. */
async function untilCommandsFolded({ prefix }: PipelinePlace, { services, pipeline }: Kizuna): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    const committed = await services.log.committed('kizuna.intake.v1', COMMANDS);
    const ranges = await services.log.ranges(COMMANDS);
    const next = (partition: number): number => committed.find((each) => each.partition === partition)?.offset ?? 0;
    return ranges.every(({ partition, end }) => next(partition) >= end) ? true : undefined;
  };
  await waitUntil(`${prefix}${COMMANDS} folded`, look, { withinMs: 30_000, failed: pipeline.failed });
}

/** How many records a topic holds, and how many of them its schema can read. */
async function recordsOf(place: PipelinePlace, topic: string): Promise<{ held: number; decoded: number }> {
  const counts = { held: 0, decoded: 0 };
  await readTopic(place, topic, async (records) => {
    const values = records.map(({ value }) => value);
    await place.codec.learn(topic, values);
    counts.held += records.length;
    counts.decoded += values.filter(
      (value) => value !== null && typeof place.codec.decode(topic, value) === 'object',
    ).length;
  });
  return counts;
}

async function documentsByCollection({ mongodbUri, database }: PipelinePlace): Promise<Record<string, number>> {
  const client = await connectMongodb(mongodbUri);
  try {
    const counts: Record<string, number> = {};
    for (const { collectionName } of await client.db(database).collections()) {
      counts[collectionName] = await client.db(database).collection(collectionName).countDocuments();
    }
    return counts;
  } finally {
    await client.close();
  }
}

describeWithServices('forty days of a shop of two hundred, through the whole pipeline', () => {
  let input: ShopInput;
  let place: PipelinePlace;
  let kizuna: Kizuna;

  beforeAll(async () => {
    input = await shopInput({ seed: 3, customers: 200, days: 40 });
    place = await pipelinePlace('day', { time: 'record' });
    kizuna = await place.start();
    const started = performance.now();
    await produceShop(place, input.records);
    await untilFolded(place, input.records.length, { withinMs: 60_000, failed: kizuna.pipeline.failed });
    const seconds = (performance.now() - started) / 1000;
    const rate = Math.round(input.records.length / seconds);
    process.stdout.write(
      `${input.records.length} records produced and folded in ${seconds.toFixed(1)} s, ${rate} a second\n`,
    );
    await untilStored(kizuna, 30_000);
  }, 120_000);
  afterAll(async () => {
    await kizuna[Symbol.asyncDispose]();
    await place.cleanup();
    await input[Symbol.asyncDispose]();
  });

  test('every record has one outcome, and the sums are those of a replay', async () => {
    const { records, raw, summary } = input;
    const { intake, customer, touchpoint, experiment } = accountsOf(await scrape(kizuna.url));
    expect(intake).toMatchObject({ consumed: records.length, missing: 0 });
    expect(customer).toMatchObject({ consumed: intake?.outcomes['applied'], missing: 0 });
    expect(customer?.outcomes['applied']).toBe(summary.applied);
    const toTouchpoints = await recordsOf(place, 'touchpoint-events.v1');
    expect(toTouchpoints.held).toBeGreaterThan(0);
    expect(touchpoint).toMatchObject({ consumed: toTouchpoints.held, missing: 0 });
    const toExperiments = await recordsOf(place, EXPERIMENT_EVENTS);
    expect(toExperiments.held).toBeGreaterThan(0);
    expect(experiment).toMatchObject({ consumed: toExperiments.held, missing: 0 });
    const final: Record<string, number> = {};
    for (const { outcomes } of [intake, customer].filter((each) => each !== undefined)) {
      for (const [outcome, count] of Object.entries(outcomes)) if (outcome !== 'applied') final[outcome] = count;
    }
    const expected: Record<string, number> = {};
    for (const [reason, count] of Object.entries(summary.skipped)) expected[`skipped.${reason}`] = count;
    for (const [reason, count] of Object.entries(summary.rejected)) expected[`rejected.${reason}`] = count;
    for (const reason of ['undecodable', 'null_value', 'unknown_schema']) delete final[`rejected.${reason}`];
    expect(final).toEqual(expected);
    expect(records.length).toBe(summary.records + raw);
  });

  test('gauges say what the documents say', async () => {
    const metrics = await scrape(kizuna.url);
    const counted: Record<string, number> = Object.fromEntries(kizuna.definitions.segments.map(({ id }) => [id, 0]));
    const stored = await storedCustomers(place, input.definitions, input.until);
    for (const { summary } of stored) for (const id of summary.segments) counted[id] = (counted[id] ?? 0) + 1;
    expect(Object.values(counted).filter((members) => members > 0).length).toBeGreaterThan(5);
    expect({ ...counted, ...gaugeBy(metrics, 'kizuna_segment_members', 'segment') }).toEqual(counted);
    const customers = Object.values(gaugeBy(metrics, 'kizuna_customers', 'churn_band')).reduce((a, b) => a + b, 0);
    expect(customers).toBe(stored.length);
    expect(customers).toBe(input.summary.customers);
  });

  test('documents, outputs and dead letters are those of a replay once time has passed to its end', async () => {
    await sweepTo(kizuna, input.until);
    await untilStored(kizuna, 30_000);
    expect(await compareWithReplay(place, input)).toEqual({ differences: [], repeats: 0 });
  });

  test('every topic holds records that its schema reads', async () => {
    // What nobody has done so far: write rubbish beside the interactions and between the processors, and make a touchpoint worse.
    const at = input.until;
    const rubbish = [...SPOILED].map((topic) => {
      return { topic, key: Buffer.from('demo|u:1'), value: Buffer.from('rubbish'), timestamp: at, headers: {} };
    });
    await place.emitter.send(rubbish);
    const ratings = Array.from({ length: RATINGS }, (_, index) => {
      const score = { metric: 'RATING', value: index < 100 ? 4 + (index % 2) : 1, surveyId: null } as const;
      // The first is known by a cookie, too: the two become one customer.
      const anonymousId = index === 0 ? 'rater-cookie' : null;
      const rater = { eventId: `rated-${index}`, userId: `rater-${index}`, anonymousId, occurredAt: at } as const;
      const what = { type: 'REVIEW_POSTED', touchpoint: 'worse', channel: 'REVIEW', score } as const;
      return { key: 'raters', timestamp: at, value: interaction({ ...rater, ...what }) };
    });
    await produceInteractions(place, ratings);
    const expected = input.records.length + RATINGS;
    await untilFolded(place, expected, { withinMs: 30_000, failed: kizuna.pipeline.failed });
    await untilCommandsFolded(place, kizuna);
    for (const { name, role, schema } of TOPICS) {
      const unreadable = name === INPUT ? input.raw : SPOILED.has(name) ? 1 : 0;
      const counts = schema === null ? { held: await heldBy(place, name), decoded: 0 } : await recordsOf(place, name);
      expect(counts.held, name).toBeGreaterThan(0);
      if (role !== 'dead-letter') expect(counts.decoded, name).toBe(counts.held - unreadable);
    }
  });

  test('every collection holds documents', async () => {
    await untilStored(kizuna, 30_000);
    const counts = await documentsByCollection(place);
    const stores = ['customer.v1', 'touchpoint.v1', 'brand.v1', 'experiment.v1'];
    const collections = [
      'definitions.v1',
      'intake.v1.inputs',
      ...stores.flatMap((each) => [`${each}.journal`, `${each}.state`]),
    ];
    expect(Object.keys(counts).sort()).toEqual(collections.sort());
    for (const [name, count] of Object.entries(counts)) expect(count, name).toBeGreaterThan(0);
    // The raters, and the cookie that leads to the first.
    expect(counts['customer.v1.state']).toBe(input.summary.customers + RATINGS + 1);
  });

  test('every metric is there, and the process is live and ready', async () => {
    const { declared } = await scrape(kizuna.url);
    expect(METRIC_NAMES.filter((name) => !declared.includes(name))).toEqual([]);
    for (const path of ['/livez', '/readyz']) {
      const response = await fetch(`${kizuna.url}${path}`);
      expect([path, response.status, await response.text()]).toEqual([path, 200, expect.any(String)]);
    }
  });
});

async function heldBy(place: PipelinePlace, topic: string): Promise<number> {
  let held = 0;
  await readTopic(place, topic, (records) => void (held += records.length));
  return held;
}
