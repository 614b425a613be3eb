import { expect, test } from 'vitest';
import type { Interaction } from '../../schemas/types.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { produceInteractions } from '../harness/interactions.ts';
import { runKizuna } from '../harness/kizuna-process.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { connectMongodb, kafkaClient } from '../harness/service-clients.ts';
import { untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { interaction } from '../processors/intake-fixture.ts';

const HASH = 'ab'.repeat(32);
const WITHIN = { withinMs: 90_000 };
const SETTINGS = {
  ...{ KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500', KIZUNA_PURGE_AFTER: '3d' },
  KIZUNA_ERASURE_KEY: 'what-receipts-are-hashed-with-0001',
};
const ORDER = { orderId: 'o-1', amountMinor: 900, currency: 'JPY', guest: false, items: [] };

const LATER = new Date(Date.now() + 3_600_000).toISOString();

interface Place {
  readonly name: string;
  readonly found: number;
  readonly marks: number;
  readonly by: string | null;
  readonly until: string | null;
}

let told = 0;

/** What three people did: the first under three identifiers; the first two complain. */
async function tell(place: PipelinePlace, start: number, changes: readonly Partial<Interaction>[]): Promise<void> {
  const lines = changes.map((change, index) => {
    const value = interaction({ brandId: 'demo', eventId: `e-${told++}`, occurredAt: start + index, ...change });
    return { key: value.userId ?? value.anonymousId ?? '', timestamp: Math.max(start, value.occurredAt), value };
  });
  await produceInteractions(place, lines);
  await untilFolded(place, told, WITHIN);
}

const complaint = (userId: string): Partial<Interaction> => ({ userId, type: 'COMPLAINT', touchpoint: 'shop' });
const life = (userId: string): Partial<Interaction>[] => [
  { userId },
  { userId, type: 'ORDER_PLACED', order: { ...ORDER, orderId: `o-${userId}` } },
  { userId, type: 'IDENTIFIED', attributes: { name: `${userId} Kowalska` } },
];

async function verify(place: PipelinePlace, subject = 'u:anna'): Promise<{ code: number; places: Map<string, Place> }> {
  const { code, stdout } = await kizuna(`verify-erasure demo ${subject} --json`, place.environment);
  const { places } = JSON.parse(stdout) as { places: Place[] };
  return { code, places: new Map(places.map((each) => [each.name, each])) };
}

const storesOf = (places: Map<string, Place>): Place[] =>
  [...places.values()].filter(({ name }) => /\.(state|journal)$/.test(name));

/** Everything that MongoDB holds, as bytes. */
async function rawStores(place: PipelinePlace): Promise<Buffer> {
  const client = await connectMongodb(place.mongodbUri);
  try {
    const bodies: Buffer[] = [];
    for (const { name } of await client.db(place.database).listCollections().toArray()) {
      for (const document of await client.db(place.database).collection(name).find().toArray()) {
        bodies.push(Buffer.from(JSON.stringify(document)));
        for (const value of Object.values(document) as unknown[]) {
          if (typeof value === 'object' && value !== null && 'buffer' in value)
            bodies.push(Buffer.from(value.buffer as Uint8Array));
        }
      }
    }
    return Buffer.concat(bodies);
  } finally {
    await client.close();
  }
}

/** As of one and the same instant, once the document is stored. */
async function profileOf(place: PipelinePlace, subject: string, orders = 1): Promise<object> {
  return waitUntil(
    `${subject} is stored`,
    async () => {
      const { code, stdout } = await kizuna(`customer show demo ${subject} --at ${LATER} --json`, place.environment);
      if (code !== 0) return undefined;
      const { profile } = JSON.parse(stdout) as { profile: { traits: { orders: { lifetime: number } } } };
      return profile.traits.orders.lifetime === orders ? profile : undefined;
    },
    WITHIN,
  );
}

/** As retention and the purge do in their time. */
async function deleteAllRecords(place: PipelinePlace): Promise<void> {
  const admin = kafkaClient(place.kafkaBrokers).admin();
  await admin.connect();
  for (const { name } of TOPICS) {
    const ends = await admin.fetchTopicOffsets(place.prefix + name);
    const partitions = ends.map(({ partition, high: offset }) => ({ partition, offset }));
    await admin.deleteTopicRecords({ topic: place.prefix + name, partitions });
  }
  await admin.disconnect();
}

describeWithServices('kizuna erase', () => {
  test('erases one of three customers for good, whatever is told again and whoever takes over', async () => {
    await using place = await pipelinePlace('erasure', { time: 'live', partitions: 2, settings: SETTINGS });
    const start = Date.now() - 60_000;
    let before: object = {};
    const one = await runKizuna(place.environment);
    try {
      await tell(place, start, [
        ...[
          { userId: null, anonymousId: 'anna-phone' },
          { userId: 'anna', emailHash: HASH, anonymousId: 'anna-phone' },
        ],
        ...[...life('anna'), ...life('ben'), ...life('cleo'), complaint('anna'), complaint('ben')],
      ]);
      expect((await rawStores(place)).includes('anna Kowalska')).toBe(true);
      before = await profileOf(place, 'u:ben');

      const nobody = await kizuna('erase demo u:nobody', place.environment);
      expect([nobody.code, nobody.stdout]).toEqual([0, expect.stringContaining('Nothing is stored of u:nobody')]);
      const plan = await kizuna('erase demo a:anna-phone --json', place.environment);
      expect(plan.code).toBe(2);
      expect(JSON.parse(plan.stdout)).toMatchObject({
        ...{ dryRun: true, subjects: ['u:anna', `e:${HASH}`, 'a:anna-phone'], cases: ['demo|shop|u:anna'], left: 4 },
      });
      expect((await verify(place)).places.get('customer.v1.state')).toMatchObject({ found: 3, by: 'erase' });

      const done = await kizuna('erase demo a:anna-phone --by mika --note 4711 --yes --json', place.environment);
      expect(done.stderr + String(done.code)).toMatch(/0$/);
      expect(JSON.parse(done.stdout)).toMatchObject({ counts: { orders: 4, customers: 3, cases: 1 } });
      expect((await kizuna('erase demo u:anna', place.environment)).code).toBe(0);
      expect((await rawStores(place)).includes('anna Kowalska')).toBe(false);
      expect((await rawStores(place)).includes('ben Kowalska')).toBe(true);

      const { code, places } = await verify(place);
      expect(code).toBe(1);
      for (const each of storesOf(places)) expect(each).toMatchObject({ found: 0 });
      expect(places.get('customer.v1.state')).toMatchObject({ marks: 3 });
      expect(places.get('touchpoint.v1.state')).toMatchObject({ marks: 1 });
      expect(places.get('customer-events.v1')).toMatchObject({ by: 'purge', until: expect.any(String) as string });
      for (const topic of ['churn-risk.v1', 'customer-traits.v1', 'cases.v1', 'identity-merges.v1']) {
        expect(places.get(topic)?.marks, topic).toBeGreaterThan(0);
      }

      // Told again, under whatever name; killed before and after.
      await tell(place, start + 1_000, [
        { userId: 'anna', occurredAt: start },
        complaint('anna'),
        { userId: null, emailHash: HASH, occurredAt: start },
      ]);
    } finally {
      await one.kill();
    }
    await using two = await runKizuna(place.environment);
    await tell(place, start + 2_000, [{ userId: 'anna', anonymousId: 'anna-phone', occurredAt: start + 5 }]);
    const again = await verify(place);
    for (const each of storesOf(again.places)) expect(each).toMatchObject({ found: 0 });
    expect((await kizuna('customer show demo u:anna', place.environment)).stderr).toMatch(/was erased at/);
    expect(await profileOf(place, 'u:ben')).toEqual(before);

    // A link of the time before, of an identifier that nobody had heard of: found, and erased with the rest.
    await tell(place, start + 3_000, [{ userId: 'anna', anonymousId: 'anna-tv', occurredAt: start + 6 }]);
    const foundAgain = async (): Promise<true | undefined> =>
      (await verify(place)).places.get('customer.v1.state')?.found === 1 ? true : undefined;
    await waitUntil('the link is stored', foundAgain, WITHIN);
    expect((await kizuna('erase demo u:anna --yes', place.environment)).code).toBe(0);
    for (const each of storesOf((await verify(place)).places)) expect(each).toMatchObject({ found: 0 });
    await two.stop();

    await deleteAllRecords(place);
    const last = await verify(place, `e:${HASH}`);
    expect([last.code, [...last.places.values()].filter(({ found }) => found > 0)]).toEqual([0, []]);
  }, 240_000);
});
