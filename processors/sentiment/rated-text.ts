/** A text that somebody rated, as it is read (`readText`), with the place of its feeling in FEELINGS. */
export interface RatedText {
  readonly text: string;
  readonly feeling: number;
}

/** From here to the good end of a scale from 0 to 1 a rating is positive, and as near to the bad end negative. */
const POSITIVE_FROM = 0.7;
const NEGATIVE = 0;
const NEUTRAL = 1;
const POSITIVE = 2;
/** Shares of a scale in binary fractions: 7 of 0 to 10 is meant to be 0.7. */
const ROUNDING = 1e-9;

/**
 * The feeling that a rating stands for. On the usual scale, 1 to 5, these are 1 and 2, 3, 4 and 5; on 0 to 10, 0 to 3, 4 to 6, 7 to 10.
 *
 * @param scale the worst rating and the best
 */
export function feelingOf(rating: number, [worst, best]: readonly [number, number]): number {
  const share = (rating - worst) / (best - worst);
  if (share >= POSITIVE_FROM - ROUNDING) return POSITIVE;
  return share <= 1 - POSITIVE_FROM + ROUNDING ? NEGATIVE : NEUTRAL;
}
