/** What became of one hypothesis among many. */
export interface Judged {
  /** The least q at which it would be rejected. */
  readonly adjusted: number;
  readonly isRejected: boolean;
}

/**
 * The step-up procedure of Benjamini and Hochberg (1995): of p(1) ≤ … ≤ p(m), reject those up to the largest i with
 * p(i) ≤ i/m · q. Among what is rejected a share of at most q is rejected wrongly on average, when the tests are independent or
 * depend on each other positively (Benjamini and Yekutieli 2001). Answers in the order of the p-values given.
 */
export function benjaminiHochberg(pValues: readonly number[], q: number): Judged[] {
  const m = pValues.length;
  const order = pValues.map((p, index) => ({ p, index })).sort((left, right) => left.p - right.p);
  const judged: Judged[] = [];
  // From the largest down: a p-value is adjusted to no more than the next larger one is.
  let adjusted = 1;
  for (const [rank, { p, index }] of [...order.entries()].reverse()) {
    adjusted = Math.min(adjusted, (p * m) / (rank + 1));
    judged[index] = { adjusted, isRejected: adjusted <= q };
  }
  return judged;
}
