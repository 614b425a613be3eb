import type { ChurnParameters } from '../../processors/churn/likelihood.ts';
import type { ChurnModelName } from '../../processors/core/definitions.ts';
import { Random } from '../../processors/simulation/random.ts';

const WEEK_MS = 7 * 86_400_000;
/** Where nothing matters but weeks. */
export const SIMULATION_START = Date.parse('2024-01-01T00:00:00Z');

export interface SimulatedOrders {
  readonly customers: number;
  /** First orders come evenly over the first half of these. */
  readonly weeks: number;
  readonly seed: number;
}

/**
 * Order histories drawn as the model says people order. Several orders can fall on one day, which the model's statistics
 * then count once, so parameters for shops where one customer seldom orders twice a day.
 */
export function simulatedOrders(
  model: ChurnModelName,
  { r, alpha, a, b }: ChurnParameters,
  { customers, weeks, seed }: SimulatedOrders,
): number[][] {
  return Array.from({ length: customers }, (_, customer) => {
    const random = new Random(seed, customer);
    const perWeek = random.gamma(r) / alpha;
    const dropOut = random.beta(a, b);
    let at = ((customer % 1_000) / 1_000) * (weeks / 2);
    const history = [at];
    let alive = model === 'bg-nbd' || !random.chance(dropOut);
    while (alive) {
      at += random.exponential(1 / perWeek);
      if (!(at < weeks)) break;
      history.push(at);
      alive = !random.chance(dropOut);
    }
    return history.map((week) => Math.round(SIMULATION_START + week * WEEK_MS));
  });
}
