import type { ChurnModelName } from '../core/definitions.ts';
import { logBeta, logGamma } from '../core/log-gamma.ts';
import type { CountedStatistic } from './order-history.ts';

/** In weeks. */
export interface ChurnParameters {
  readonly r: number;
  readonly alpha: number;
  readonly a: number;
  readonly b: number;
}

/**
 * ln of the likelihood of customers' order statistics, added up.
 *
 *   BG/NBD (Fader, Hardie and Lee 2005), δ = 1 for x > 0, else 0:
 *     Γ(r+x)/Γ(r) · α^r · B(a, b+x)/B(a, b) · [ (α+T)^−(r+x) + δ · a/(b+x−1) · (α+t_x)^−(r+x) ]
 *   MBG/NBD (Batislam, Denizel and Filiztekin 2007), for every x:
 *     Γ(r+x)/Γ(r) · α^r · [ B(a, b+x+1)/B(a, b) · (α+T)^−(r+x) + B(a+1, b+x)/B(a, b) · (α+t_x)^−(r+x) ]
 *
 * With c = b + x for MBG and b + x − 1 for BG, both are W · (α+T)^−(r+x) · [1 + a/c · ((α+T)/(α+t_x))^(r+x)], where W depends
 * on x alone and the bracket grows without bound: it is taken in logarithms.
 */
export function logLikelihood(
  model: ChurnModelName,
  parameters: ChurnParameters,
  statistics: readonly CountedStatistic[],
): number {
  const { r, alpha, a, b } = parameters;
  const ofOrders: number[] = [];
  const logA = Math.log(a);
  let sum = 0;
  for (const { x, tx, T, customers } of statistics) {
    const shape = r + x;
    const logAge = Math.log(alpha + T);
    let one = (ofOrders[x] ??= weightOf(model, parameters, x)) - shape * logAge;
    if (model === 'mbg-nbd') one += logOnePlusExp(logA - Math.log(b + x) + shape * (logAge - Math.log(alpha + tx)));
    else if (x > 0) one += logOnePlusExp(logA - Math.log(b + x - 1) + shape * (logAge - Math.log(alpha + tx)));
    sum += customers * one;
  }
  return sum;
}

function weightOf(model: ChurnModelName, { r, alpha, a, b }: ChurnParameters, x: number): number {
  const stayed = model === 'mbg-nbd' ? x + 1 : x;
  return logGamma(r + x) - logGamma(r) + r * Math.log(alpha) + logBeta(a, b + stayed) - logBeta(a, b);
}

/** ln(1 + e^v) without overflow. */
function logOnePlusExp(v: number): number {
  return v > 0 ? v + Math.log1p(Math.exp(-v)) : Math.log1p(Math.exp(v));
}
