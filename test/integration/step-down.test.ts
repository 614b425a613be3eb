import { expect, test } from 'vitest';
import { disturbedRun } from '../harness/disturbed-run.ts';
import { startReplicaSet } from '../harness/native-replica-set.ts';
import { provisionPlace } from '../harness/provisioned-place.ts';
import { describeWithServices, sandbox } from '../harness/sandbox.ts';
import { shopInput } from '../harness/shop-input.ts';

/** Small fetches: many batches, so that each change of the primary meets some of them under way. */
const SETTINGS = { KIZUNA_FETCH_BYTES: '16384' };

describeWithServices('two processes under load, on a replica set of three', () => {
  test('go on when the primary steps down, twice, and when it is killed', async (context) => {
    await using input = await shopInput({ seed: 15, customers: 2_000, days: 150, count: 25_000 });
    await using set = await startReplicaSet(context);
    const place = { ...sandbox('step-down'), mongodbUri: set.uri };
    await using provisioned = await provisionPlace(place, { time: 'record', settings: SETTINGS });
    await disturbedRun(provisioned, input, {}, async ({ untilFolded }) => {
      await untilFolded(0.05);
      await set.stepDown();
      await untilFolded(0.2);
      await set.stepDown();
      await untilFolded(0.4);
      const killed = await set.primary();
      await killed.kill('SIGKILL');
      expect(await set.primary()).not.toBe(killed);
      await untilFolded(0.6);
      await killed.start();
    });
  }, 600_000);
});
