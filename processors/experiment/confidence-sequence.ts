import type { Effect } from './effect.ts';

/**
 * Inference that holds at every look at once, however often and whenever somebody looks: the asymptotic confidence sequence of
 * the normal mixture (Robbins 1970; Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021, equations 9, 155 and 161), as
 * GrowthBook and PostHog use it. The mixture test of Johari, Pekelis and Walsh (2015) is the same with τ² / SE² as information.
 */

/**
 * ρ² = (−2 ln α + ln(1 − 2 ln α)) / N: what one unit is worth, so that the interval is narrowest when there are `tuningUnits`
 * of both variants together. Any value is valid; a bad one is only less precise.
 */
export function mixingRate(alpha: number, tuningUnits: number): number {
  const surprise = -2 * Math.log(alpha);
  return (surprise + Math.log(1 + surprise)) / tuningUnits;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The values that are not refuted at `alpha` now; with probability 1 − alpha the true one is never outside, at no look.
 * `information` is units × ρ². Null without spread: where units do not differ, nothing is known of what they could be.
 */
export function alwaysValidInterval(effect: Effect, information: number, alpha: number): Interval | null {
  const { value, standardError } = effect;
  if (!isTold(effect, information)) return null;
  const width =
    standardError * Math.sqrt(((information + 1) / information) * (Math.log1p(information) - 2 * Math.log(alpha)));
  return { low: value - width, high: value + width };
}

/**
 * ln of the evidence against no effect at all: I z² / (2 (I + 1)) − ½ ln(I + 1). Evidence e is as surprising as a bet that
 * turned 1 into e: with no effect it ever reaches 1 / α with probability α at most. In logarithms, for e itself overflows.
 * 0 without spread.
 */
export function logEvidence(effect: Effect, information: number): number {
  if (!isTold(effect, information)) return 0;
  const z = effect.value / effect.standardError;
  return (information * z * z) / (2 * (information + 1)) - Math.log1p(information) / 2;
}

/** p = min(1, 1 / e). Of the greatest evidence so far it is the least p so far, which stays valid. */
export function pOf(logEvidenceSoFar: number): number {
  return Math.min(1, Math.exp(-logEvidenceSoFar));
}

function isTold({ standardError }: Effect, information: number): boolean {
  return standardError > 0 && information > 0;
}
