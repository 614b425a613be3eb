import { logGamma } from '../core/log-gamma.ts';
import { chiSquareTail } from './gamma-tail.ts';

/** How sure the prior is that the shares are as intended: as if so many units had been seen. */
const CONCENTRATION = 10_000;

/**
 * ln of the evidence that units do not fall to the variants as intended: Dirichlet-multinomial against the fixed shares
 * (Lindon and Malek 2022, Anytime-Valid Inference for Multinomial Count Data, equation 9), the prior centred on the
 * intended shares. Holds at every look. Depends on the counts alone, not on the order in which units came.
 */
export function ratioLogEvidence(units: readonly number[], shares: readonly number[]): number {
  let total = 0;
  let logE = 0;
  for (const [place, share] of shares.entries()) {
    const count = Math.max(0, units[place] ?? 0);
    total += count;
    const prior = CONCENTRATION * share;
    logE += logGamma(prior + count) - logGamma(prior) - count * Math.log(share);
  }
  return logE + logGamma(CONCENTRATION) - logGamma(CONCENTRATION + total);
}

export interface ChiSquare {
  readonly statistic: number;
  readonly p: number;
}

/** Pearson's test of the same at one look only: looked at again and again it raises false alarms. Null without units. */
export function ratioChiSquare(units: readonly number[], shares: readonly number[]): ChiSquare | null {
  const counts = shares.map((_, place) => Math.max(0, units[place] ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const statistic = shares.reduce((sum, share, place) => {
    const expected = total * share;
    return sum + ((counts[place] ?? 0) - expected) ** 2 / expected;
  }, 0);
  return { statistic, p: chiSquareTail(statistic, shares.length - 1) };
}
