import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { connectRegistry } from '../../processors/runtime/registry/registry.ts';
import { recordSchema } from '../../schemas/records.ts';
import { disturbedRun, type DisturbedRun } from '../harness/disturbed-run.ts';
import { expectSameAsReplay } from '../harness/fault-judgement.ts';
import { runKizuna } from '../harness/kizuna-process.ts';
import { scrape, sumOf } from '../harness/metrics-text.ts';
import { sharedOwnServices, type OwnServices } from '../harness/own-services.ts';
import type { PipelinePlace } from '../harness/pipeline-place.ts';
import { placeOn } from '../harness/place.ts';
import { provisionPlace } from '../harness/provisioned-place.ts';
import { produceShop, shopInput, type ShopInput } from '../harness/shop-input.ts';
import { progressOf } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** Small fetches: many batches, so that every loss meets some of them under way. */
const SETTINGS = { KIZUNA_FETCH_BYTES: '16384' };
const own = sharedOwnServices();

describe('two processes under load, when a service is lost', () => {
  let input: ShopInput;
  beforeAll(async () => {
    input = await shopInput({ seed: 13, customers: 2_000, days: 150, count: 25_000 });
  }, 60_000);
  afterAll(async () => {
    await input[Symbol.asyncDispose]();
    await own.stop();
  });

  async function judged(
    name: string,
    context: TestContext,
    lose: (services: OwnServices, run: DisturbedRun) => Promise<void>,
  ): Promise<void> {
    const services = await own.of(context);
    await using place = await provisionPlace(placeOn(services, name), { time: 'record', settings: SETTINGS });
    await disturbedRun(place, input, {}, (run) => lose(services, run));
  }

  test('a broker is restarted, and killed: they wait for it and go on', async (context) => {
    await judged('broker', context, async ({ kafka }, { untilFolded }) => {
      await untilFolded(0.05);
      await kafka.stop();
      await kafka.start();
      await untilFolded(0.3);
      await kafka.kill('SIGKILL');
      await kafka.start();
      await untilFolded(0.6);
    });
  }, 600_000);

  test('MongoDB is killed twice: they wait for it and go on', async (context) => {
    await judged('mongod', context, async ({ mongodb }, { untilFolded }) => {
      for (const share of [0.05, 0.3]) {
        await untilFolded(share);
        await mongodb.kill('SIGKILL');
        await mongodb.start();
      }
    });
  }, 600_000);

  test('the registry is away when a newer writer appears: they wait for it, and refuse nothing', async (context) => {
    const { schemaRegistry, ...addresses } = await own.of(context);
    await using place = await provisionPlace(placeOn(addresses, 'registry'), { time: 'record' });
    const id = await registerNewer(place);
    await using one = await runKizuna(place.environment);
    await using other = await runKizuna(place.environment);
    const failed = Promise.race([one.failed, other.failed]);
    await schemaRegistry.stop();
    const codec = {
      ...place.codec,
      encode: (topic: string, value: object) => byNewer(id, place.codec.encode(topic, value)),
    };
    await produceShop({ codec, emitter: place.emitter }, input.records);
    const behind = async (): Promise<true | undefined> => {
      const lags = await Promise.all(
        [one, other].map(async ({ url }) => sumOf(await scrape(url), 'kizuna_consumer_lag_records')),
      );
      return lags.every((lag) => lag > 0) ? true : undefined;
    };
    await waitUntil('both have records that they cannot read', behind, { withinMs: 60_000, failed });
    for (const { committed } of await progressOf(place)) expect(committed).toBe(0);
    await schemaRegistry.start();
    await expectSameAsReplay(place, input, [one, other], 120_000);
  }, 600_000);
});

/** Registers a version of the input's schema that has a field more, as the last. */
async function registerNewer(place: PipelinePlace): Promise<number> {
  const schema = JSON.parse(JSON.stringify(recordSchema('Interaction'))) as { fields: object[] };
  schema.fields.push({ name: 'weather', type: ['null', 'string'], default: null });
  const registry = connectRegistry({ url: place.schemaRegistryUrl });
  const subject = `${place.prefix}interactions.v1-value`;
  const { id } = await registry.register(subject, JSON.stringify(schema), 'BACKWARD_TRANSITIVE');
  await registry.close();
  return id;
}

/** The same value in the newer schema: its frame names that, and at the end the field more says that it is null. */
function byNewer(id: number, value: Buffer): Buffer {
  const newer = Buffer.concat([value, Buffer.from([0])]);
  newer.writeUInt32BE(id, 1);
  return newer;
}
