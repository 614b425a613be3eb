const TERMS_MAX = 5_000;
const PRECISION = 1e-15;

/**
 * Gauss' hypergeometric function 2F1(a, b; c; z) for 0 ≤ z < 1 and a c that is no whole number below 1, by Euler's transformation
 * (1 − z)^(c−a−b) · 2F1(c−a, c−b; c; z) where that converges sooner (Abramowitz and Stegun 15.3.3).
 */
export function hypergeometric(a: number, b: number, c: number, z: number): number {
  return a + b > c ? (1 - z) ** (c - a - b) * powerSeries(c - a, c - b, c, z) : powerSeries(a, b, c, z);
}

function powerSeries(a: number, b: number, c: number, z: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 0; n < TERMS_MAX; n++) {
    term *= ((a + n) * (b + n) * z) / ((c + n) * (n + 1));
    sum += term;
    if (Math.abs(term) <= PRECISION * Math.abs(sum)) break;
  }
  return sum;
}
