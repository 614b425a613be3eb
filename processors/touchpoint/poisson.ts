import { logGamma } from '../core/log-gamma.ts';

/** P(X ≥ n) of a Poisson distribution with this mean (Poisson 1837), above 0. */
export function poissonTail(n: number, mean: number): number {
  if (n <= 0) return 1;
  // Away from the mean terms only become smaller: a sum that began far before it would begin with nothing.
  return n > mean ? upperTail(n, mean) : 1 - lowerTail(n - 1, mean);
}

/** The least count that is reached with a probability of at most `chance`. */
export function poissonLimit(mean: number, chance: number): number {
  let limit = Math.max(1, Math.floor(mean));
  while (poissonTail(limit, mean) > chance) limit += 1;
  return limit;
}

function upperTail(from: number, mean: number): number {
  let tail = 0;
  let term = probability(from, mean);
  for (let x = from; term > tail * Number.EPSILON; x++) {
    tail += term;
    term *= mean / (x + 1);
  }
  return tail;
}

function lowerTail(to: number, mean: number): number {
  let tail = 0;
  let term = probability(to, mean);
  for (let x = to; x >= 0 && term > 0; x--) {
    tail += term;
    term *= x / mean;
  }
  return tail;
}

function probability(x: number, mean: number): number {
  return Math.exp(x * Math.log(mean) - mean - logGamma(x + 1));
}
