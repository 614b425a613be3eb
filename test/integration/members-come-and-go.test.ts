import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { subjectKey } from '../../processors/core/identity.ts';
import type { ShopRecord } from '../../processors/simulation/shop.ts';
import { interleavedSessions } from '../bench/events.ts';
import { expectSameAsReplay } from '../harness/fault-judgement.ts';
import { startFeed } from '../harness/feed.ts';
import { watchLag } from '../harness/hop-lag.ts';
import { runKizuna, type KizunaProcess } from '../harness/kizuna-process.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { isLongRun } from '../harness/test-settings.ts';
import { waitUntil } from '../harness/wait-until.ts';

const PER_SECOND = 2_000;
const CHANGE_EVERY_MS = 5_000;
/** Two minutes in the long run (KIZUNA_TEST_LONG=1). */
const CHANGES = isLongRun ? 24 : 6;
const LAG_MS = 5_000;
const TARGET_SECONDS = 10;

/** Events of now: a record's time is the moment at which it was taken to be sent. */
function* eventsOfNow(): Generator<ShopRecord> {
  for (const event of interleavedSessions({ events: Number.POSITIVE_INFINITY, sessions: 20_000, from: 0 })) {
    const now = Date.now();
    const key = subjectKey(event.brandId, `u:${event.userId}`);
    yield { kind: 'interaction', key, timestamp: now, value: { ...event, occurredAt: now } };
  }
}

describeWithServices('members that join and leave every five seconds', () => {
  test('at 2,000 events/s offered: nothing is lost or twice, and the lag is soon small again', async () => {
    await using place = await pipelinePlace('members', { time: 'record' });
    await using steady = await runKizuna(place.environment);
    await using lag = await watchLag(place);
    await using feed = startFeed(place, eventsOfNow(), PER_SECOND);
    const failed = Promise.race([steady.failed, feed.failed]);
    let guest: KizunaProcess | null = null;
    try {
      for (let change = 0; change < CHANGES; change++) {
        // The rhythm is the fault: nothing is waited for.
        await Promise.race([wait(CHANGE_EVERY_MS), failed]);
        if (guest === null) {
          guest = await runKizuna(place.environment);
        } else {
          expect(await guest.stop()).toBe(0);
          guest = null;
        }
      }
      await feed.stop();
      const endedAt = performance.now();
      const isSmall = async (): Promise<true | undefined> => ((await lag.isBelow(LAG_MS)) ? true : undefined);
      await waitUntil(`a lag below ${LAG_MS} ms`, isSmall, { withinMs: 120_000, failed });
      const seconds = ((performance.now() - endedAt) / 1000).toFixed(1);
      process.stdout.write(
        `${CHANGES} changes, ${feed.sent} events: lag below ${LAG_MS / 1000} s after ${seconds} s (target ${TARGET_SECONDS} s)\n`,
      );
    } finally {
      await guest?.kill();
    }
    await using input = await feed.finish();
    await expectSameAsReplay(place, input, [steady], 120_000);
  }, 600_000);
});
