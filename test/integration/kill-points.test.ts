import { expect, test } from 'vitest';
import { expectConserved, expectSameAsReplay } from '../harness/fault-judgement.ts';
import { FAULT_POINTS } from '../harness/fault-points.ts';
import { drawStrikes, spawnFaulty } from '../harness/faulty-process.ts';
import { startFeed } from '../harness/feed.ts';
import { runKizuna } from '../harness/kizuna-process.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { shopRecords } from '../harness/shop-input.ts';
import { testSeed } from '../harness/test-settings.ts';
import { progressOf } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';

const PER_SECOND = 800;
/** The shortest that a broker allows by default: so long a killed member keeps its partitions. */
const SETTINGS = { KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500' };

describeWithServices('kill -9', () => {
  test('at every named point, one of two processes, under load: documents and outputs are those of an offline fold', async () => {
    const strikes = drawStrikes(FAULT_POINTS, testSeed());
    await using place = await pipelinePlace('kill', { time: 'record', settings: SETTINGS });
    await using survivor = await runKizuna(place.environment);
    await using feed = startFeed(place, shopRecords({ seed: 11, customers: 5_000, days: 150 }), PER_SECOND);
    const failed = Promise.race([survivor.failed, feed.failed]);
    for (const strike of strikes) {
      await using victim = spawnFaulty(place.environment, 'SIGKILL', [strike]);
      const isStruck = (): true | undefined => (victim.struck.length > 0 ? true : undefined);
      await waitUntil(`${strike.point}, pass ${strike.pass}`, isStruck, { withinMs: 90_000, failed });
      await victim.gone;
      const [intake, customer] = await progressOf(place);
      process.stdout.write(
        `killed ${victim.struck[0]}, pass ${strike.pass}: of ${feed.sent} sent, intake has committed ${intake?.committed}, customer ${customer?.committed} of ${customer?.held}\n`,
      );
    }
    await using input = await feed.finish();
    expect(await expectConserved(survivor)).toBeGreaterThan(0);
    await expectSameAsReplay(place, input, [survivor]);
  }, 600_000);
});
