import { describe, expect, test } from 'vitest';
import { HOP_BREAKS, runHop } from './protocol/hop-model.ts';
import type { HopBreak } from './protocol/hop-model.ts';

/** Found by `node test/unit/protocol/search.ts --break all`. */
const FAILING_SEED: Readonly<Record<HopBreak, number>> = {
  sendsNotAwaited: 2,
  committedBeforeAcknowledged: 1,
  onePositionForAllSources: 1,
  repeatsKept: 1,
  epochKept: 1,
  offsetKept: 1,
};

describe('the hop without state', () => {
  test('gives a reader everything once and in order, although sessions overlap, die and send late, and logs are created anew', () => {
    const runs = 5_000;
    const total = { repeats: 0, lateArrivals: 0, renewals: 0 };
    for (let seed = 1; seed <= runs; seed++) {
      const { wrong, repeats, lateArrivals, renewals } = runHop(seed, null);
      if (wrong !== null) expect.fail(`seed ${seed}: ${wrong}`);
      total.repeats += repeats;
      total.lateArrivals += lateArrivals;
      total.renewals += renewals;
    }
    for (const [name, count] of Object.entries(total)) expect(count, name).toBeGreaterThan(runs);
    process.stdout.write(`${runs} runs of the hop: ${JSON.stringify(total)}\n`);
  });

  test.each(HOP_BREAKS)('needs all of it: the model notices %s', (broken) => {
    expect(runHop(FAILING_SEED[broken], broken).wrong).toMatch(/^partition /);
    expect(runHop(FAILING_SEED[broken], null).wrong).toBeNull();
  });
});
