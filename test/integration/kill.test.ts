import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareWithReplay } from '../harness/against-replay.ts';
import { runCommand, runKizuna, type KizunaProcess } from '../harness/kizuna-process.ts';
import { accountsOf, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { produceShop, shopInput, type ShopInput } from '../harness/shop-input.ts';
import { progressOf, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';

const RECORDS = 25_000;
/** The shortest that a broker allows by default: so long a killed member keeps its partitions. */
const SETTINGS = { KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500' };

/** Conservation, as far as a process that is still alive tells: nothing is counted in that is not counted out. */
async function expectConserved({ url }: KizunaProcess): Promise<number> {
  const accounts = Object.values(accountsOf(await scrape(url)));
  expect(accounts.map(({ missing }) => missing)).toEqual(accounts.map(() => 0));
  return accounts.reduce((sum, { consumed }) => sum + consumed, 0);
}

/** Waits until the customer processor has folded `records`; answers how many it had. */
async function untilFoldedBy(place: PipelinePlace, records: number, { failed }: KizunaProcess): Promise<number> {
  let done = 0;
  const look = async (): Promise<number | undefined> => {
    done = (await progressOf(place))[1]?.committed ?? 0;
    return done >= records ? done : undefined;
  };
  return waitUntil(`${records} folded`, look, { withinMs: 60_000, failed, seen: () => `${done}` });
}

/** Lets the last process end cleanly, time pass to the end, and compares all there is with the replay. */
async function expectSameAsReplay(place: PipelinePlace, input: ShopInput, last: KizunaProcess): Promise<void> {
  await untilFolded(place, input.records.length, { withinMs: 60_000, failed: last.failed });
  expect(await expectConserved(last)).toBeGreaterThan(0);
  expect(await last.stop()).toBe(0);
  await runCommand(['sweep', '--until', new Date(input.until).toISOString()], place.environment);
  const { differences, repeats } = await compareWithReplay(place, input);
  expect(differences).toEqual([]);
  process.stdout.write(`${repeats} outputs were published again and dropped by position\n`);
}

describeWithServices('kill -9', () => {
  let input: ShopInput;
  beforeAll(async () => {
    input = await shopInput({ seed: 11, customers: 300, days: 400, count: RECORDS });
  }, 60_000);
  afterAll(() => input[Symbol.asyncDispose]());

  test('three times under load: documents and outputs are those of an offline fold', async () => {
    await using place = await pipelinePlace('kill', { time: 'record', settings: SETTINGS });
    await produceShop(place, input.records);
    let folded = 0;
    for (let kill = 1; kill <= 3; kill++) {
      await using running = await runKizuna(place.environment);
      const target = folded + Math.ceil(RECORDS * (0.02 + Math.random() * 0.08));
      const furtherMs = Math.floor(Math.random() * 150);
      await untilFoldedBy(place, target, running);
      await expectConserved(running);
      await wait(furtherMs);
      await running.kill();
      const [intake, customer] = await progressOf(place);
      folded = customer?.committed ?? 0;
      process.stdout.write(
        `kill ${kill}, ${furtherMs} ms after ${target}: intake has committed ${intake?.committed}, customer ${folded} of ${customer?.held}\n`,
      );
      // Under load: there was more to fold.
      expect(folded).toBeLessThan(RECORDS * 0.95);
    }
    await using last = await runKizuna(place.environment);
    await expectSameAsReplay(place, input, last);
  }, 150_000);

  test('of one of two processes: the survivor takes its partitions over', async () => {
    await using place = await pipelinePlace('kill-one', { time: 'record', settings: SETTINGS });
    await using victim = await runKizuna(place.environment);
    await using survivor = await runKizuna(place.environment);
    const half = RECORDS / 2;
    await produceShop(place, input.records.slice(0, half));
    await untilFolded(place, half, { withinMs: 60_000, failed: Promise.race([victim.failed, survivor.failed]) });
    // Each of the two has its share.
    expect(await expectConserved(victim)).toBeGreaterThan(0);
    expect(await expectConserved(survivor)).toBeGreaterThan(0);
    const load = produceShop(place, input.records.slice(half));
    await untilFoldedBy(place, half + 500, survivor);
    await victim.kill();
    const killedAt = performance.now();
    await load;
    await untilFolded(place, input.records.length, { withinMs: 60_000, failed: survivor.failed });
    const seconds = ((performance.now() - killedAt) / 1000).toFixed(1);
    process.stdout.write(`everything folded ${seconds} s after the kill\n`);
    await expectSameAsReplay(place, input, survivor);
  }, 120_000);
});
