import type { ChurnModelDefinition } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';
import { NEVER } from '../core/processor.ts';
import type { Instant } from '../core/processor.ts';
import type { ChurnBand } from './features.ts';

/**
 * The risk that a customer makes no purchase within the next H weeks, by MBG/NBD (Batislam, Denizel and Filiztekin 2007;
 * Hoppe and Wagner 2007): purchases are Poisson at a rate that is gamma distributed over customers (r, α), and after each
 * purchase, the first included, a customer leaves with a probability that is beta distributed (a, b).
 *
 *   P(alive) = 1 / (1 + a/(b+x) · ((α+T)/(α+t_x))^(r+x))
 *   risk     = 1 − P(alive) · [1 − ((α+T)/(α+T+H))^(r+x)]
 *
 * The second line is exact because nobody leaves between purchases. Weeks throughout.
 */
export interface ChurnModel {
  readonly r: number;
  readonly alpha: number;
  readonly a: number;
  readonly b: number;
  readonly horizonDays: number;
  readonly horizonWeeks: number;
  readonly baseline: { readonly probability: number; readonly x: number; readonly tx: number; readonly T: number };
  readonly version: string;
}

export interface OrderStatistics {
  /** Distinct UTC days with an order, less one. */
  readonly x: number;
  readonly firstOrderAt: Instant;
  readonly lastOrderAt: Instant;
}

const WEEK_MS = 7 * 86_400_000;
const TEN_YEARS_MS = 3_653 * 86_400_000;
/** How far a stated baseline probability may be from the model's. */
const BASELINE_TOLERANCE = 1e-9;

export function churnModelOf({ parameters, horizonDays, baseline, version }: ChurnModelDefinition): ChurnModel {
  return { ...parameters, horizonDays, horizonWeeks: horizonDays / 7, baseline, version };
}

/** The fault of a model whose stated baseline probability is not its own, or null. */
export function baselineFault(definition: ChurnModelDefinition): Fault | null {
  const { probability, x, tx, T } = definition.baseline;
  const own = churnRisk(churnModelOf(definition), x, tx, T);
  if (Math.abs(own - probability) <= BASELINE_TOLERANCE) return null;
  const where = `${definition.file}: baseline.probability`;
  return {
    where,
    message: `is ${probability}, but the model gives ${own} for x ${x}, tx ${tx}, T ${T}; write that number`,
  };
}

/** 0 to 1. A last order later than `now` (clocks differ) counts as made just now. */
export function churnProbability(model: ChurnModel, stats: OrderStatistics, now: Instant): number {
  const recency = stats.x === 0 ? 0 : (stats.lastOrderAt - stats.firstOrderAt) / WEEK_MS;
  return churnRisk(model, stats.x, recency, Math.max(recency, (now - stats.firstOrderAt) / WEEK_MS));
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

/** In logarithms: a thousand orders must give 1, not NaN. */
function churnRisk(model: ChurnModel, x: number, recency: number, age: number): number {
  const { r, alpha, a, b, horizonWeeks } = model;
  const shape = r + x;
  const oddsGone = (a / (b + x)) * Math.exp(shape * Math.log1p((age - recency) / (alpha + recency)));
  const buysIfAlive = -Math.expm1(-shape * Math.log1p(horizonWeeks / (alpha + age)));
  return 1 - buysIfAlive / (1 + oddsGone);
}
