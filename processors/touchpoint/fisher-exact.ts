import { logGamma } from '../core/log-gamma.ts';

/** `drawn` answers out of `all`, of which `bad` are bad. */
interface Draw {
  readonly drawn: number;
  readonly bad: number;
  readonly all: number;
}

/**
 * Fisher's exact test, one-sided (Fisher 1935): `bad` of `all` answers are bad, and `drawn` of them belong to one touchpoint. The
 * chance that it would have `hits` bad ones or more if it were like the others, P(X ≥ hits) of the hypergeometric distribution.
 */
export function fisherExact(hits: number, drawn: number, bad: number, all: number): number {
  if (hits <= Math.max(0, drawn + bad - all)) return 1;
  const draw: Draw = { drawn, bad, all };
  // Away from the middle terms only become smaller: a sum that began far before it would begin with nothing.
  const isBeyondMiddle = hits * all > drawn * bad;
  return isBeyondMiddle ? Math.min(1, upperTail(hits, draw)) : Math.max(0, 1 - lowerTail(hits - 1, draw));
}

function upperTail(from: number, { drawn, bad, all }: Draw): number {
  let tail = 0;
  let term = chance(from, { drawn, bad, all });
  for (let x = from; x <= Math.min(drawn, bad) && term > 0; x++) {
    tail += term;
    term *= ((bad - x) * (drawn - x)) / ((x + 1) * (all - bad - drawn + x + 1));
  }
  return tail;
}

function lowerTail(to: number, { drawn, bad, all }: Draw): number {
  let tail = 0;
  let term = chance(to, { drawn, bad, all });
  for (let x = to; x >= 0 && term > 0; x--) {
    tail += term;
    term *= (x * (all - bad - drawn + x)) / ((bad - x + 1) * (drawn - x + 1));
  }
  return tail;
}

function chance(x: number, { drawn, bad, all }: Draw): number {
  return Math.exp(logChoose(bad, x) + logChoose(all - bad, drawn - x) - logChoose(all, drawn));
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
