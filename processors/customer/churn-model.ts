import type { ChurnModelDefinition } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';

/**
 * The risk that a customer makes no purchase within the next H weeks. Purchases are Poisson at a rate that is gamma
 * distributed over customers (r, α), and after a purchase a customer leaves with a probability that is beta distributed
 * (a, b). BG/NBD (Fader, Hardie and Lee 2005) lets nobody leave after the first purchase; MBG/NBD (Batislam, Denizel and
 * Filiztekin 2007; Hoppe and Wagner 2007) does.
 *
 *   P(alive) = 1 / (1 + a/d · ((α+T)/(α+t_x))^(r+x))     d = b+x for MBG; b+x−1 for BG, whose P(alive) is 1 at x = 0
 *   risk     = 1 − P(alive) · [1 − ((α+T)/(α+T+H))^(r+x)]
 *
 * The second line is exact because nobody leaves between purchases. Weeks throughout.
 */
export interface ChurnModel {
  readonly leavesAtFirst: boolean;
  readonly r: number;
  readonly alpha: number;
  readonly a: number;
  readonly b: number;
  readonly horizonDays: number;
  readonly horizonWeeks: number;
  readonly baseline: { readonly probability: number; readonly x: number; readonly tx: number; readonly T: number };
  readonly version: string;
}

/** How far a stated baseline probability may be from the model's. */
const BASELINE_TOLERANCE = 1e-9;

/** What the risk depends on. */
type Fitted = Pick<ChurnModelDefinition, 'model' | 'parameters' | 'horizonDays' | 'baseline' | 'version'>;

export function churnModelOf({ model, parameters, horizonDays, baseline, version }: Fitted): ChurnModel {
  const leavesAtFirst = model === 'mbg-nbd';
  return { leavesAtFirst, ...parameters, horizonDays, horizonWeeks: horizonDays / 7, baseline, version };
}

/** The fault of a model whose stated baseline probability is not its own, or null. */
export function baselineFault(definition: Fitted & Pick<ChurnModelDefinition, 'file'>): Fault | null {
  const { probability, x, tx, T } = definition.baseline;
  const own = churnRisk(churnModelOf(definition), x, tx, T);
  if (Math.abs(own - probability) <= BASELINE_TOLERANCE) return null;
  const where = `${definition.file}: baseline.probability`;
  return {
    where,
    message: `is ${probability}, but the model gives ${own} for x ${x}, tx ${tx}, T ${T}; write that number`,
  };
}

/** No purchase within the horizon, 0 to 1. `recency` is the age at the last purchase, `age` that of the customer. */
export function churnRisk(model: ChurnModel, x: number, recency: number, age: number): number {
  const { r, alpha, horizonWeeks } = model;
  const buysIfAlive = -Math.expm1(-(r + x) * Math.log1p(horizonWeeks / (alpha + age)));
  return 1 - buysIfAlive / (1 + oddsGone(model, x, recency, age));
}

export function probabilityAlive(model: ChurnModel, x: number, recency: number, age: number): number {
  return 1 / (1 + oddsGone(model, x, recency, age));
}

/** In logarithms: a thousand orders must give a P(alive) of 0, not NaN. */
function oddsGone({ leavesAtFirst, r, alpha, a, b }: ChurnModel, x: number, recency: number, age: number): number {
  if (!leavesAtFirst && x === 0) return 0;
  const chances = leavesAtFirst ? b + x : b + x - 1;
  return (a / chances) * Math.exp((r + x) * Math.log1p((age - recency) / (alpha + recency)));
}
