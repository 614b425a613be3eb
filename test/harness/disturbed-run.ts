import { expectSameAsReplay } from './fault-judgement.ts';
import { runKizuna } from './kizuna-process.ts';
import { gaugeBy, scrape, sumOf } from './metrics-text.ts';
import type { PipelinePlace } from './pipeline-place.ts';
import { produceShop, type ShopInput } from './shop-input.ts';
import { progressOf } from './topic-records.ts';
import { waitUntil } from './wait-until.ts';

/** What two processes together have counted so far. */
export interface Counted {
  readonly rebalances: number;
  /** Take-overs by what made them necessary. */
  readonly takeOvers: Readonly<Record<string, number>>;
  /** Documents that are in the journal only, in the process that has more of them. */
  readonly dirty: number;
}

export interface DisturbedRun {
  readonly failed: Promise<never>;
  /** Resolves when this share of the input is folded; `meanwhile` is asked at each look. */
  untilFolded(share: number, meanwhile?: () => Promise<void>): Promise<void>;
  counted(): Promise<Counted>;
}

/**
 * Loads the whole input, lets two processes fold it, and whatever `disturb` does happen meanwhile. Then it lets them fold the
 * rest, and judges. `environment`: settings of the two processes alone.
 */
export async function disturbedRun(
  place: PipelinePlace,
  input: ShopInput,
  environment: Readonly<Record<string, string>>,
  disturb: (run: DisturbedRun) => Promise<void>,
): Promise<void> {
  await produceShop(place, input.records);
  await using one = await runKizuna({ ...place.environment, ...environment });
  await using other = await runKizuna({ ...place.environment, ...environment });
  const failed = Promise.race([one.failed, other.failed]);
  const counted = async (): Promise<Counted> => {
    const scrapes = await Promise.all([scrape(one.url), scrape(other.url)]);
    const takeOvers: Record<string, number> = {};
    for (const each of scrapes) {
      for (const [reason, count] of Object.entries(gaugeBy(each, 'kizuna_takeovers_total', 'reason'))) {
        takeOvers[reason] = (takeOvers[reason] ?? 0) + count;
      }
    }
    const rebalances = scrapes.reduce((sum, each) => sum + sumOf(each, 'kizuna_rebalances_total'), 0);
    return { rebalances, takeOvers, dirty: Math.max(...scrapes.map((each) => sumOf(each, 'kizuna_dirty_documents'))) };
  };
  const untilFolded = async (share: number, meanwhile?: () => Promise<void>): Promise<void> => {
    let seen = 0;
    const look = async (): Promise<true | undefined> => {
      await meanwhile?.();
      seen = (await progressOf(place))[1]?.committed ?? 0;
      return seen >= share * input.records.length ? true : undefined;
    };
    await waitUntil(`${share} of it folded`, look, { withinMs: 180_000, failed, seen: () => String(seen) });
  };
  await disturb({ failed, untilFolded, counted });
  const { rebalances, takeOvers } = await counted();
  process.stdout.write(`${place.prefix} ${rebalances} rebalances, take-overs ${JSON.stringify(takeOvers)}\n`);
  await expectSameAsReplay(place, input, [one, other], 180_000);
}
