import { expect, test } from 'vitest';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { purchaseInteraction } from '../harness/cdnow.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { runKizuna, type KizunaProcess } from '../harness/kizuna-process.ts';
import { scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { connectMongodb, kafkaClient } from '../harness/service-clients.ts';
import { storedCustomers } from '../harness/stored-customers.ts';
import { readTopic, topicRanges, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';

const AT = Date.UTC(2026, 2, 1, 12);
const CUSTOMERS = 20;
const PARTITIONS = 2;
const SOON = { withinMs: 60_000 };
/** A stopped process is looked at before it ends. */
const SETTINGS = { KIZUNA_STOP_VISIBLE_MS: '60000', KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500' };
const INPUT = 'interactions.v1';

/** Purchases `from` to `to`, the customers taking turns. */
async function purchase(place: PipelinePlace, from: number, to: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_each, index) => from + index);
  await produceInteractions(
    place,
    lines.map((line) => {
      const [customer, at] = [`c-${line % CUSTOMERS}`, AT + line * 1_000];
      return { key: customer, timestamp: at, value: purchaseInteraction({ customer, line, at, cents: 100 }) };
    }),
  );
}

/** Waits until the documents hold `orders` purchases in all, and answers how many each customer has. */
async function ordersOf(place: PipelinePlace, orders: number, failed: Promise<never>): Promise<Set<number>> {
  const definitions = await loadDefinitions(shippedDefinitions);
  let seen: number[] = [];
  const look = async (): Promise<Set<number> | undefined> => {
    const stored = await storedCustomers(place, definitions, AT + 1_000_000);
    seen = stored.map(({ profile }) => profile.traits.orders.lifetime);
    return seen.reduce((sum, each) => sum + each, 0) === orders ? new Set(seen) : undefined;
  };
  return waitUntil(`${orders} orders`, look, { ...SOON, failed, seen: () => seen.join(' ') });
}

/** Waits until the process shows why it stopped. */
async function untilStopped({ url, failed }: KizunaProcess): Promise<string> {
  const code = async (): Promise<string | undefined> =>
    (await scrape(url)).samples.find(({ name, value }) => name === 'kizuna_stopped' && value === 1)?.labels['code'];
  return waitUntil('kizuna_stopped', code, { ...SOON, failed });
}

interface Answer {
  readonly lost: number;
  readonly partitions: readonly { readonly processor: string; readonly losses: readonly { readonly code: string }[] }[];
}

async function accept(place: PipelinePlace, flags = ''): Promise<{ code: number; answer: Answer; stderr: string }> {
  const { code, stdout, stderr } = await kizuna(`input accept --json ${flags}`.trim(), place.environment);
  return { code, stderr, answer: JSON.parse(stdout) as Answer };
}

/** What the command finds lost: `<processor> <code>`, once each. */
const lossesIn = ({ partitions }: Answer): string[] => [
  ...new Set(partitions.flatMap(({ processor, losses }) => losses.map(({ code }) => `${processor} ${code}`))),
];

/** First tells, then does, then finds nothing left to do. */
async function acceptOnce(place: PipelinePlace, losses: readonly string[]): Promise<void> {
  const told = await accept(place);
  expect({ code: told.code, losses: lossesIn(told.answer) }).toEqual({ code: 2, losses });
  expect((await accept(place)).answer).toEqual(told.answer);
  const done = await accept(place, '--by tester --yes');
  expect({ code: done.code, lost: done.answer.lost }).toEqual({ code: 0, lost: told.answer.lost });
  const lines = done.stderr.split('\n').filter((line) => line.includes('loss accepted'));
  expect(lines).toHaveLength(told.answer.lost);
  expect(lines[0]).toContain('"by":"tester"');
  for (const flags of ['', '--yes']) {
    const again = await accept(place, flags);
    expect({ code: again.code, losses: lossesIn(again.answer) }).toEqual({ code: 0, losses: [] });
  }
}

async function createAnew(place: PipelinePlace, topic: string): Promise<void> {
  const admin = kafkaClient(place.kafkaBrokers).admin();
  await admin.connect();
  try {
    const name = place.prefix + topic;
    await admin.deleteTopics({ topics: [name] });
    const config = { topic: name, numPartitions: PARTITIONS, replicationFactor: 1 };
    const configEntries = [{ name: 'retention.ms', value: '-1' }];
    // Deleting goes on after it was acknowledged, and one that was created may say so in an answer that does not come: what
    // was held tells the old one from the new. Its partitions have no leader at first, and then the question fails.
    const empty = async (): Promise<true | undefined> => {
      await admin.createTopics({ topics: [{ ...config, configEntries }] }).catch(() => false);
      const ranges = await topicRanges(place, topic).catch(() => []);
      return ranges.length === PARTITIONS && ranges.every(({ end }) => end === 0) ? true : undefined;
    };
    await waitUntil(`${topic} created anew`, empty, SOON);
  } finally {
    await admin.disconnect();
  }
}

type Snapshot = Map<string, object[]>;

async function withDatabase<T>(
  place: PipelinePlace,
  work: (database: ReturnType<Awaited<ReturnType<typeof connectMongodb>>['db']>) => Promise<T>,
): Promise<T> {
  const client = await connectMongodb(place.mongodbUri);
  try {
    return await work(client.db(place.database));
  } finally {
    await client.close();
  }
}

const backup = (place: PipelinePlace): Promise<Snapshot> =>
  withDatabase(place, async (database) => {
    const names = (await database.listCollections().toArray()).map(({ name }) => name);
    const kept: Snapshot = new Map();
    for (const name of names) kept.set(name, await database.collection(name).find().toArray());
    return kept;
  });

const restore = (place: PipelinePlace, kept: Snapshot): Promise<void> =>
  withDatabase(place, async (database) => {
    for (const [name, documents] of kept) {
      await database.collection(name).deleteMany({});
      if (documents.length > 0) await database.collection(name).insertMany(documents);
    }
  });

/** The epochs of the positions in a topic, with their group. */
async function sourcesIn(place: PipelinePlace, topic: string): Promise<Set<string>> {
  const sources = new Set<string>();
  await readTopic(place, topic, (records) => {
    for (const { headers } of records) sources.add(/^[^/]+/.exec(String(headers['position']))?.[0] ?? 'none');
  });
  return sources;
}

/** Runs the pipeline until `held` interactions are folded and `orders` are in the documents, and ends it cleanly. */
async function runUntil(place: PipelinePlace, held: number, orders: number): Promise<void> {
  await using running = await runKizuna(place.environment);
  await untilFolded(place, held, { ...SOON, failed: running.failed });
  expect(await ordersOf(place, orders, running.failed)).toEqual(new Set([orders / CUSTOMERS]));
  expect(await running.stop()).toBe(0);
}

describeWithServices('after a loss', () => {
  test('an input that was created anew stops intake; accepted, everything new counts once', async () => {
    const options = { time: 'record', partitions: PARTITIONS, settings: SETTINGS } as const;
    await using place = await pipelinePlace('accept-input', options);
    await purchase(place, 0, 20);
    await runUntil(place, 20, 20);
    expect((await accept(place)).code).toBe(0);
    await createAnew(place, INPUT);
    // More than before: by its offsets alone it could be the topic it was.
    await purchase(place, 20, 60);
    {
      await using stopped = await runKizuna(place.environment);
      expect(await untilStopped(stopped)).toBe('input_lost');
      await stopped.kill();
    }
    await waitForNobody(place, 'kizuna.intake.v1');
    await acceptOnce(place, ['intake input_lost']);
    await runUntil(place, 40, 60);
    expect(await sourcesIn(place, 'customer-events.v1')).toEqual(new Set(['kizuna.intake.v1@1', 'kizuna.intake.v1@2']));
  }, 240_000);

  test('an internal topic that was created anew and filled again while nobody read it stops customer', async () => {
    const options = { time: 'record', partitions: PARTITIONS, settings: SETTINGS } as const;
    await using place = await pipelinePlace('accept-internal', options);
    await purchase(place, 0, 20);
    await runUntil(place, 20, 20);
    await createAnew(place, 'customer-events.v1');
    {
      // Each customer twice: every partition holds more than it did.
      await purchase(place, 20, 60);
      await using intake = await runKizuna(place.environment, ['intake']);
      const refilled = async (): Promise<true | undefined> =>
        (await topicRanges(place, 'customer-events.v1')).reduce((sum, { end }) => sum + end, 0) === 40
          ? true
          : undefined;
      await waitUntil('as many records again', refilled, { ...SOON, failed: intake.failed });
      expect(await intake.stop()).toBe(0);
    }
    {
      await using stopped = await runKizuna(place.environment);
      expect(await untilStopped(stopped)).toBe('input_lost');
      await stopped.kill();
    }
    await waitForNobody(place, 'kizuna.customer.v1');
    await acceptOnce(place, ['customer input_lost']);
    await runUntil(place, 60, 60);
  }, 240_000);

  test('a database that was restored to an older state stops customer; accepted, its input is folded again', async () => {
    const options = { time: 'record', partitions: PARTITIONS, settings: SETTINGS } as const;
    await using place = await pipelinePlace('accept-store', options);
    await purchase(place, 0, 20);
    await runUntil(place, 20, 20);
    const kept = await backup(place);
    await purchase(place, 20, 60);
    await runUntil(place, 60, 60);
    await restore(place, kept);
    await purchase(place, 60, 80);
    {
      await using stopped = await runKizuna(place.environment);
      expect(await untilStopped(stopped)).toBe('store_behind');
      await stopped.kill();
    }
    const stateful = ['customer', 'touchpoint', 'brand', 'experiment'];
    for (const processor of stateful) await waitForNobody(place, `kizuna.${processor}.v1`);
    await acceptOnce(
      place,
      stateful.map((processor) => `${processor} store_behind`),
    );
    await runUntil(place, 80, 80);
    const epochs = new Set(['kizuna.customer.v1@1', 'kizuna.customer.v1@2']);
    expect(await sourcesIn(place, 'customer-traits.v1')).toEqual(epochs);
  }, 240_000);
});

/** A member that was killed is one until its session is over. */
async function waitForNobody(place: PipelinePlace, group: string): Promise<void> {
  const admin = kafkaClient(place.kafkaBrokers).admin();
  await admin.connect();
  try {
    const look = async (): Promise<true | undefined> =>
      (await admin.describeGroups([place.prefix + group])).groups[0]?.members.length === 0 ? true : undefined;
    await waitUntil(`${group} without members`, look, SOON);
  } finally {
    await admin.disconnect();
  }
}
