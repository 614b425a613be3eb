import { expect, test } from 'vitest';
import { openMongoStore } from '../../processors/runtime/mongo/store.ts';
import type { DocumentWrite } from '../../processors/runtime/ports.ts';
import { expectSameAsReplay } from '../harness/fault-judgement.ts';
import { replacing, withFaultPoints } from '../harness/fault-points.ts';
import { startFeed } from '../harness/feed.ts';
import { runKizuna } from '../harness/kizuna-process.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { RecordingMeter, silentLog } from '../harness/runtime-fixture.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { produceShop, shopInput, shopRecords } from '../harness/shop-input.ts';
import { storedCustomers } from '../harness/stored-customers.ts';
import { isLongRun } from '../harness/test-settings.ts';
import { untilAllGoOn, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';

const PER_SECOND = 500;
/** What is printed is held against the target; what is asserted leaves room for a busy machine. */
const TARGETS = { kill: 16, leave: 3, firstFold: 2 };
const ROOM = 5;
const CUSTOMERS = isLongRun ? [10_000, 300_000] : [10_000];
const PARTITIONS = 4;
const DAY_MS = 86_400_000;

/** Seconds from before `go` until every partition that may have been its owner's gets on. */
async function secondsUntilAllGoOn(place: PipelinePlace, failed: Promise<never>, go: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await go();
  await untilAllGoOn(place, { withinMs: 120_000, failed });
  return (performance.now() - startedAt) / 1000;
}

function tell(what: string, seconds: number, target: number): void {
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s (target ${target} s)\n`);
  expect(seconds).toBeLessThan(target * ROOM);
}

describeWithServices('a take-over', () => {
  test('of the partitions of a member that is killed, or leaves, takes seconds', async () => {
    // The session and heartbeat of production.
    await using place = await pipelinePlace('take-over', { time: 'record' });
    await using survivor = await runKizuna(place.environment);
    await using feed = startFeed(place, shopRecords({ seed: 16, customers: 5_000, days: 150 }), PER_SECOND);
    const failed = Promise.race([survivor.failed, feed.failed]);
    {
      await using victim = await runKizuna(place.environment);
      await secondsUntilAllGoOn(place, Promise.race([failed, victim.failed]), () => undefined);
      tell('kill -9', await secondsUntilAllGoOn(place, failed, () => victim.kill()), TARGETS.kill);
    }
    {
      await using leaver = await runKizuna(place.environment);
      await secondsUntilAllGoOn(place, Promise.race([failed, leaver.failed]), () => undefined);
      const seconds = await secondsUntilAllGoOn(place, failed, async () => expect(await leaver.stop()).toBe(0));
      tell('SIGTERM', seconds, TARGETS.leave);
    }
    await using input = await feed.finish();
    await expectSameAsReplay(place, input, [survivor]);
  }, 300_000);

  test.for(CUSTOMERS)(
    'reads no documents: with %i customers stored the first fold follows the join',
    { timeout: 300_000 },
    async (stored) => {
      await using place = await pipelinePlace('first-fold', { time: 'live', partitions: PARTITIONS });
      await using input = await shopInput({ seed: 17, customers: 500, days: 60, count: 4_000 });
      const half = input.records.length / 2;
      await produceShop(place, input.records.slice(0, half));
      {
        await using before = await runKizuna(place.environment);
        await untilFolded(place, half, { withinMs: 60_000, failed: before.failed });
        expect(await before.stop()).toBe(0);
      }
      const [sample] = await storedCustomers(place, input.definitions, input.until);
      await storeCustomers(place, sample?.key ?? '', stored);
      await produceShop(place, input.records.slice(half));
      let joinedAt = Number.NaN;
      let foldedAt = Number.NaN;
      await using kizuna = await place.start({
        watch: (services) =>
          withFaultPoints(
            {
              ...services,
              log: replacing(services.log, {
                join: async (...group) => {
                  const member = await services.log.join(...group);
                  if (group[0] === 'kizuna.customer.v1') joinedAt = performance.now();
                  return member;
                },
              }),
            },
            (point, where) => {
              const isFirst = point === 'after the block' && where.startsWith('customer-events.v1/');
              if (isFirst && Number.isNaN(foldedAt)) foldedAt = performance.now();
            },
          ),
      });
      const isFolded = (): true | undefined => (Number.isNaN(foldedAt) ? undefined : true);
      await waitUntil('the first fold', isFolded, { withinMs: 60_000, failed: kizuna.pipeline.failed });
      expect(foldedAt).toBeGreaterThan(joinedAt);
      tell(`${stored} customers, join to first fold`, (foldedAt - joinedAt) / 1000, TARGETS.firstFold);
    },
  );
});

/** As many more documents, as large as that of `sample`, each with a deadline of its own. */
async function storeCustomers(place: PipelinePlace, sample: string, count: number): Promise<void> {
  const processor = 'customer.v1';
  const config = { uri: place.mongodbUri, database: place.database, processors: [processor] };
  const store = await openMongoStore(config, silentLog, new RecordingMeter());
  try {
    const documents = store.documents(processor);
    const [found] = await documents.load([sample]);
    if (found === undefined) throw new Error('no customer was stored');
    const due = Date.now() + 30 * DAY_MS;
    for (let from = 0; from < count; from += 5_000) {
      const writes = Array.from({ length: Math.min(5_000, count - from) }, (_, index): DocumentWrite => {
        const number = from + index;
        const key = `demo|u:stored-${number}`;
        return { key, partition: number % PARTITIONS, seq: 0, state: found.state, due: due + number, summary: {} };
      });
      expect(await documents.store(writes)).not.toContain(false);
    }
  } finally {
    await store.close();
  }
}
