import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OutcomeMeter } from '../../processors/cli/outcome-meter.ts';
import { foldLines, openReplayChain } from '../../processors/cli/replay-chain.ts';
import { openInput } from '../../processors/cli/replay-input.ts';
import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import { openMongoStore } from '../../processors/runtime/mongo/store.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { describeWithServices, sandbox, type Sandbox } from '../harness/sandbox.ts';
import { simulatedOrders } from '../harness/simulated-orders.ts';

const CUSTOMER = 'customer.v1';
const TRUE = { r: 0.9, alpha: 12, a: 0.7, b: 2.5 };

describeWithServices('kizuna churn fit from the stored documents', () => {
  let place: Sandbox;
  let folder: string;

  beforeEach(async () => {
    place = sandbox('cli-churn');
    folder = await mkdtemp(join(tmpdir(), 'kizuna-churn-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
    await place[Symbol.asyncDispose]();
  });

  /** The documents that the customer processor makes of a file, stored in MongoDB. */
  async function store(file: string): Promise<void> {
    await using input = await openInput(file);
    await using world = await openReplayChain(definitionsWith({}), new OutcomeMeter(), () => undefined);
    await foldLines(world, input, { until: null, folded: () => undefined, refused: () => undefined });
    await world.chain.store();
    const { mongodbUri: uri, database } = place;
    const mongodb = await openMongoStore({ uri, database, processors: [CUSTOMER] }, SILENT_LOG, new OutcomeMeter());
    try {
      const states = [...world.services.store.documents(CUSTOMER).all()];
      const writes = states.map((stored) => ({ ...stored, partition: 0, summary: {} }));
      expect(await mongodb.documents(CUSTOMER).store(writes)).not.toContain(false);
    } finally {
      await mongodb.close();
    }
  }

  test('finds what a fit to the same interactions in a file finds, of this brand alone', async () => {
    const brands = ['acme', 'acme-2'];
    const lines = brands.flatMap((brandId, seed) =>
      simulatedOrders('mbg-nbd', TRUE, { customers: 1_100, weeks: 60, seed }).flatMap((history, customer) =>
        history.map((occurredAt, place) => {
          const orderId = `${customer}-${place}`;
          const order = { orderId, amountMinor: 100, currency: 'USD' };
          const event = {
            eventId: `${brandId}-${orderId}`,
            brandId,
            occurredAt,
            userId: `u${customer}`,
            channel: 'WEB',
          };
          return { at: occurredAt, text: JSON.stringify({ ...event, type: 'ORDER_PLACED', order }) };
        }),
      ),
    );
    const file = join(folder, 'interactions.ndjson');
    const sorted = lines.toSorted((one, other) => one.at - other.at);
    await writeFile(file, sorted.map(({ text }) => `${text}\n`).join(''));
    await store(file);

    const until = new Date(sorted.at(-1)?.at ?? 0).toISOString();
    const type = `--brand acme --until ${until} --dry-run --json`;
    const stored = await kizuna(`churn fit ${type}`, {
      KIZUNA_KAFKA_BROKERS: place.kafkaBrokers.join(','),
      KIZUNA_MONGODB_URI: place.mongodbUri,
      KIZUNA_MONGODB_DATABASE: place.database,
      KIZUNA_SCHEMA_REGISTRY_URL: place.schemaRegistryUrl,
    });
    expect(stored.stderr).toMatch(/^1100 customers of acme with orders/);
    expect(JSON.parse(stored.stdout)).toEqual(JSON.parse((await kizuna(`churn fit ${file} ${type}`)).stdout));
  });
});
