import { afterAll, beforeAll, expect, test } from 'vitest';
import { openMongoStore } from '../../processors/runtime/mongo/store.ts';
import { FIRST_EPOCH, sourceOf } from '../../processors/runtime/position.ts';
import { compareWithReplay } from '../harness/against-replay.ts';
import { runCommand, runKizuna, type KizunaProcess } from '../harness/kizuna-process.ts';
import { gaugeBy, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { RecordingMeter, silentLog } from '../harness/runtime-fixture.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { produceShop, shopInput, type ShopInput } from '../harness/shop-input.ts';
import { topicRanges, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';

const TOPIC = 'customer-events.v1';
const RECORDS = 6_000;
const WITHIN_MS = 60_000;
const SETTINGS = { KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500' };

/** Produces a part of the input and waits until all of it so far is folded. */
async function fold(place: PipelinePlace, input: ShopInput, from: number, to: number, { failed }: KizunaProcess) {
  await produceShop(place, input.records.slice(from, to));
  await untilFolded(place, to, { withinMs: WITHIN_MS, failed });
}

async function kept(place: PipelinePlace): Promise<number> {
  return (await topicRanges(place, TOPIC)).reduce((sum, { start, end }) => sum + end - start, 0);
}

async function untilPurged(place: PipelinePlace, { failed }: KizunaProcess): Promise<void> {
  let left = -1;
  const look = async (): Promise<true | undefined> => ((left = await kept(place)) === 0 ? true : undefined);
  await waitUntil('everything purged', look, { withinMs: WITHIN_MS, failed, seen: () => `${left} kept` });
}

describeWithServices('the purge', () => {
  let input: ShopInput;
  beforeAll(async () => {
    input = await shopInput({ seed: 5, customers: 200, days: 200, count: RECORDS });
  }, 60_000);
  afterAll(() => input[Symbol.asyncDispose]());

  test('behind what is folded loses nothing, through a kill and a new owner', async () => {
    const settings = { ...SETTINGS, KIZUNA_PURGE_AFTER: '3s' };
    await using place = await pipelinePlace('purge', { time: 'record', settings });
    await using first = await runKizuna(place.environment);
    await fold(place, input, 0, RECORDS / 3, first);
    await untilPurged(place, first);
    const purged = gaugeBy(await scrape(first.url), 'kizuna_purged_records_total', 'topic')[TOPIC] ?? 0;
    expect(purged).toBe((await topicRanges(place, TOPIC)).reduce((sum, { end }) => sum + end, 0));

    await fold(place, input, RECORDS / 3, (2 * RECORDS) / 3, first);
    await first.kill();
    // What nobody has folded stays for as long as nobody does.
    await produceShop(place, input.records.slice((2 * RECORDS) / 3));
    await using second = await runKizuna(place.environment);
    await untilFolded(place, RECORDS, { withinMs: WITHIN_MS, failed: second.failed });
    await untilPurged(place, second);
    const scraped = await scrape(second.url);
    expect(gaugeBy(scraped, 'kizuna_purge_late_seconds', 'topic')[TOPIC]).toBe(0);
    expect(await second.stop()).toBe(0);

    await runCommand(['sweep', '--until', new Date(input.until).toISOString()], place.environment);
    const { differences } = await compareWithReplay(place, input);
    expect(differences).toEqual([]);
  }, 180_000);

  test('by hand tells first, then deletes; and nothing before a reader was marked for so long', async () => {
    const settings = { ...SETTINGS, KIZUNA_PURGE_AFTER: 'never' };
    await using place = await pipelinePlace('purge-hand', { time: 'record', settings });
    expect((await kizuna('topics purge', place.environment)).stderr).toMatch(/^KIZUNA_PURGE_AFTER: is never/);
    expect(await kizuna('topics purge --after 1s', place.environment)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/customer-events\.v1 +0 +0 +unknown +0 +unknown +0\n/) as string,
    });

    await using running = await runKizuna(place.environment);
    await fold(place, input, 0, 1_000, running);
    expect(await running.stop()).toBe(0);
    const ends = await topicRanges(place, TOPIC);
    // As if it had run for an hour, and had folded half of it by then.
    const halves = ends.map(({ partition, end }) => ({ partition, next: Math.floor(end / 2), end }));
    await mark(place, halves);

    const early = await kizuna('topics purge --after 3h --yes --json', place.environment);
    expect([early.code, JSON.parse(early.stdout)]).toMatchObject([0, { purged: true, records: 0 }]);
    const told = await kizuna('topics purge --after 1h --json', place.environment);
    const records = halves.reduce((sum, { next }) => sum + next, 0);
    expect([told.code, JSON.parse(told.stdout)]).toMatchObject([2, { purged: false, records }]);
    expect(await topicRanges(place, TOPIC)).toEqual(ends);

    const done = await kizuna('topics purge --after 1h --yes', place.environment);
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining(`Deleted ${records} records, folded by`)]);
    expect((await topicRanges(place, TOPIC)).map(({ start }) => start)).toEqual(halves.map(({ next }) => next));
    expect(await kizuna('topics purge --after 1h', place.environment)).toMatchObject({ code: 0 });
  }, 120_000);
});

/** Writes marks as a reader leaves them: at `next` an hour and a minute ago, at the end now. */
async function mark(place: PipelinePlace, marks: readonly { partition: number; next: number; end: number }[]) {
  const { services } = place.config;
  if (services === null) throw new Error('no services');
  const store = await openMongoStore({ ...services.store, processors: [] }, silentLog, new RecordingMeter());
  const group = 'kizuna.customer.v1';
  for (const { partition, next, end } of marks) {
    const at = { topic: TOPIC, partition };
    const past = { at: Date.now() - 61 * 60_000, next };
    await store.marks.store(group, at, {
      source: sourceOf(group, FIRST_EPOCH, at),
      marks: [past, { at: Date.now(), next: end }],
    });
  }
  await store.close();
}
