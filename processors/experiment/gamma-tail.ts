import { logGamma } from '../core/log-gamma.ts';

const STEPS_MAX = 1_000;
const PRECISION = 1e-16;
const TINY = 1e-300;

/**
 * The regularised upper incomplete gamma function Q(a, x), a > 0 and x ≥ 0: one less the power series (Abramowitz and Stegun
 * 6.5.29) up to a + 1, and beyond it the continued fraction (6.5.31), taken by Lentz's method.
 */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - scale * series(a, x) : scale * continuedFraction(a, x);
}

/** The probability that χ² with so many degrees of freedom is at least `statistic`. */
export function chiSquareTail(statistic: number, degreesOfFreedom: number): number {
  return upperGamma(degreesOfFreedom / 2, statistic / 2);
}

function series(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < STEPS_MAX && term > PRECISION * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

function continuedFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < STEPS_MAX; n++) {
    const step = -n * (n - a);
    b += 2;
    d = 1 / (step * d + b || TINY);
    c = b + step / c || TINY;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < PRECISION) break;
  }
  return fraction;
}
