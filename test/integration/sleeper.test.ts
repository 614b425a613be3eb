import { expect, test } from 'vitest';
import { expectConserved, expectSameAsReplay } from '../harness/fault-judgement.ts';
import { spawnFaulty, drawStrikes } from '../harness/faulty-process.ts';
import { startFeed } from '../harness/feed.ts';
import { runKizuna } from '../harness/kizuna-process.ts';
import { gaugeBy, scrape, sumOf } from '../harness/metrics-text.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { shopRecords } from '../harness/shop-input.ts';
import { testSeed } from '../harness/test-settings.ts';
import { untilAllGoOn } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';

const PER_SECOND = 500;
/** The shortest that a broker allows by default. */
const SETTINGS = { KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500' };

describeWithServices('SIGSTOP for longer than the session', () => {
  test('a sleeper finds itself shut out, does no harm, and comes back', async () => {
    const strikes = drawStrikes(['after fold', 'mid-produce', 'before the commit', 'mid-flush'], testSeed());
    await using place = await pipelinePlace('sleeper', { time: 'record', settings: SETTINGS });
    await using other = await runKizuna(place.environment);
    await using sleeper = spawnFaulty(place.environment, 'SIGSTOP', strikes);
    const url = await sleeper.running;
    await using feed = startFeed(place, shopRecords({ seed: 12, customers: 5_000, days: 150 }), PER_SECOND);
    const failed = Promise.race([other.failed, sleeper.failed, feed.failed]);
    for (const [slept, { point, pass }] of strikes.entries()) {
      // To be struck again it must have come back: it owns partitions, and folds.
      const isStruck = (): true | undefined => (sleeper.struck.length > slept ? true : undefined);
      await waitUntil(`${point}, pass ${pass}`, isStruck, { withinMs: 60_000, failed });
      const before = gaugeBy(await scrape(other.url), 'kizuna_takeovers_total', 'reason');
      await untilAllGoOn(place, { withinMs: 60_000, failed });
      const after = gaugeBy(await scrape(other.url), 'kizuna_takeovers_total', 'reason');
      expect(after['joined']).toBeGreaterThan(before['joined'] ?? 0);
      process.kill(sleeper.pid, 'SIGCONT');
      const shutOut = await waitUntil('it notices', () => noticed(url, slept, point), { withinMs: 60_000, failed });
      sleeper.arm();
      process.stdout.write(`slept ${sleeper.struck[slept]}, pass ${pass}; woken it saw ${shutOut}\n`);
    }
    await using input = await feed.finish();
    expect(await expectConserved({ url })).toBeGreaterThan(0);
    await expectSameAsReplay(place, input, [other, { ...sleeper, url }]);
  }, 600_000);

  /**
   * At each sleep both members lost their generation; what had folded a batch meanwhile lost its block as well. Back in both
   * groups, it may sleep again.
   */
  async function noticed(url: string, slept: number, point: string): Promise<string | undefined> {
    const metrics = await scrape(url);
    const rebalances = sumOf(metrics, 'kizuna_rebalances_total');
    const lost = gaugeBy(metrics, 'kizuna_takeovers_total', 'reason')['ownership_lost'] ?? 0;
    const isBack = gaugeBy(metrics, 'kizuna_ready', 'condition')['joined'] === 1;
    if (rebalances < 2 * (slept + 1) || !isBack || (point === 'after fold' && lost === 0)) return undefined;
    return `${rebalances} rebalances and ${lost} blocks lost to another owner since its start`;
  }
});
