import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { disturbedRun, type DisturbedRun } from '../harness/disturbed-run.ts';
import { sharedOwnServices, type OwnServices } from '../harness/own-services.ts';
import { placeOn } from '../harness/place.ts';
import { provisionPlace } from '../harness/provisioned-place.ts';
import { shopInput, type ShopInput } from '../harness/shop-input.ts';
import type { TcpProxy } from '../harness/tcp-proxy.ts';
import { waitUntil } from '../harness/wait-until.ts';

const SLOWER_BY_MS = 500;
const DIRTY_MAX = 10;
/** Small fetches, so that there is something left to slow down; a bound that is reached; a heap that holds little but the process. */
const SETTINGS = {
  KIZUNA_FETCH_BYTES: '8192',
  KIZUNA_DIRTY_DOCUMENTS_MAX: String(DIRTY_MAX),
  NODE_OPTIONS: '--max-old-space-size=128',
};
/** What batches of 8 KiB of four partitions at once add to the dirty documents beyond the bound. */
const DIRTY_BEYOND = 4 * 100;
const own = sharedOwnServices();

/** Kafka's header of a request: its size, the key of its kind, its version. */
const isProduce = (request: Buffer): boolean =>
  request.length > 8 && request.readInt16BE(4) === 0 && request.readInt16BE(6) <= 9;

describe('two processes under load, when a service is slow or its answers are lost', () => {
  let input: ShopInput;
  beforeAll(async () => {
    input = await shopInput({ seed: 14, customers: 4_000, days: 150, count: 20_000 });
  }, 60_000);
  afterAll(async () => {
    await input[Symbol.asyncDispose]();
    await own.stop();
  });

  async function judged(
    name: string,
    context: TestContext,
    settings: Readonly<Record<string, string>>,
    disturb: (services: OwnServices, run: DisturbedRun) => Promise<void>,
  ): Promise<void> {
    const services = await own.of(context);
    await using place = await provisionPlace(placeOn(services, name), { time: 'record' });
    await disturbedRun(place, input, { ...SETTINGS, ...services.behind, ...settings }, (run) => disturb(services, run));
  }

  /** Slows the way down while a part of the input is folded: nothing is given up meanwhile. */
  async function slow(proxy: TcpProxy, { untilFolded, counted }: DisturbedRun): Promise<void> {
    await untilFolded(0.1);
    const before = await counted();
    proxy.delayAnswers(SLOWER_BY_MS);
    let dirty = 0;
    const startedAt = performance.now();
    await untilFolded(0.2, async () => void (dirty = Math.max(dirty, (await counted()).dirty)));
    const after = await counted();
    proxy.delayAnswers(0);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(`answers ${SLOWER_BY_MS} ms late for ${seconds} s, at most ${dirty} documents dirty\n`);
    expect(after).toMatchObject({ rebalances: before.rebalances, takeOvers: before.takeOvers });
    expect(dirty).toBeLessThan(DIRTY_MAX + DIRTY_BEYOND);
  }

  test('a slow MongoDB holds the batches back, and nothing else', async (context) => {
    await judged('slow-mongodb', context, {}, ({ toMongodb }, run) => slow(toMongodb, run));
  }, 600_000);

  test('a slow broker holds the batches back, and nothing else', async (context) => {
    await judged('slow-broker', context, {}, ({ toKafka }, run) => slow(toKafka, run));
  }, 600_000);

  test('a connection that takes produce requests and never answers is given up for another', async (context) => {
    await judged('frozen', context, { KIZUNA_PRODUCERS: '1' }, async ({ toKafka }, { untilFolded, failed }) => {
      await untilFolded(0.1);
      const frozenAt = performance.now();
      toKafka.loseAnswersTo(isProduce, 2, 'frozen');
      await waitUntil('two connections froze', () => (toKafka.left() === 0 ? true : undefined), {
        withinMs: 60_000,
        failed,
      });
      await untilFolded(0.9);
      const seconds = (performance.now() - frozenAt) / 1000;
      process.stdout.write(`outputs of everything ${seconds.toFixed(1)} s after two connections froze\n`);
      // kafkajs alone would try for three minutes.
      expect(seconds).toBeLessThan(120);
    });
  }, 600_000);

  test('produce requests that were applied, but not answered, while other sends wait', async (context) => {
    // One producer for each process: whatever else is to be sent waits for the one whose answer does not come.
    await judged('lost-answers', context, { KIZUNA_PRODUCERS: '1' }, async ({ toKafka }, { untilFolded, failed }) => {
      const untilLost = (): Promise<true> =>
        waitUntil('answers were lost', () => (toKafka.left() === 0 ? true : undefined), { withinMs: 60_000, failed });
      await untilFolded(0.1);
      toKafka.loseAnswersTo(isProduce, 5, 'cut');
      await untilLost();
      await untilFolded(0.3);
      // The client waits for half a minute before it takes an answer for lost.
      toKafka.loseAnswersTo(isProduce, 2, 'silent');
      await untilLost();
    });
  }, 600_000);
});
