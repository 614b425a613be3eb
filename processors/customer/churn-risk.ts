import { NEVER } from '../core/processor.ts';
import type { Instant } from '../core/processor.ts';
import { churnRisk, type ChurnModel } from './churn-model.ts';
import type { ChurnBand } from './features.ts';

export interface OrderStatistics {
  /** Distinct UTC days with an order, less one. */
  readonly x: number;
  readonly firstOrderAt: Instant;
  readonly lastOrderAt: Instant;
}

const WEEK_MS = 7 * 86_400_000;
const TEN_YEARS_MS = 3_653 * 86_400_000;

/** 0 to 1. */
export function churnProbability(model: ChurnModel, stats: OrderStatistics, now: Instant): number {
  return churnRisk(model, stats.x, recencyWeeks(stats), ageWeeks(stats, now));
}

/** The customer's age at the last order. */
export function recencyWeeks({ x, firstOrderAt, lastOrderAt }: OrderStatistics): number {
  return x === 0 ? 0 : (lastOrderAt - firstOrderAt) / WEEK_MS;
}

/** The customer's age. A last order later than `now` (clocks differ) counts as made just now. */
export function ageWeeks(stats: OrderStatistics, now: Instant): number {
  return Math.max(recencyWeeks(stats), (now - stats.firstOrderAt) / WEEK_MS);
}

/** LOW below one third, MEDIUM below two thirds, else HIGH. */
export function churnBand(probability: number): ChurnBand {
  if (probability < 1 / 3) return 'LOW';
  return probability < 2 / 3 ? 'MEDIUM' : 'HIGH';
}

/**
 * The earliest millisecond after `after` at which silence alone has taken the probability to another side of one of the
 * thresholds (below, exactly on, above); NEVER if that takes more than ten years. Without orders the probability only
 * rises, so the next threshold above it is found by bisection.
 */
export function nextChurnCrossing(
  model: ChurnModel,
  stats: OrderStatistics,
  after: Instant,
  thresholds: readonly number[],
): Instant {
  const now = churnProbability(model, stats, after);
  // Sitting exactly on a threshold ends as soon as the probability moves at all.
  let target = Infinity;
  let onThreshold = false;
  for (const threshold of thresholds) {
    if (threshold === now) onThreshold = true;
    else if (threshold > now && threshold < target) target = threshold;
  }
  const crossed = (at: Instant): boolean => {
    const probability = churnProbability(model, stats, at);
    return probability >= target || (onThreshold && probability > now);
  };
  let below = after;
  let reached = after + TEN_YEARS_MS;
  if ((target > 1 && !onThreshold) || !crossed(reached)) return NEVER;
  while (reached - below > 1) {
    const middle = below + Math.floor((reached - below) / 2);
    if (crossed(middle)) reached = middle;
    else below = middle;
  }
  return reached;
}
