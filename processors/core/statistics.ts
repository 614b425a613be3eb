/**
 * How good predicted probabilities were, against what then happened. Every function takes the probabilities (0 to 1) and,
 * at the same places, the outcomes (true = it happened), and answers NaN where there is nothing to measure.
 */

/**
 * The chance that a random case that happened was given a higher probability than a random one that did not; ties count
 * half. The area under the ROC curve, by ranks: (R₊ − n₊(n₊+1)/2) / (n₊·n₋) (Mann and Whitney 1947).
 */
export function areaUnderCurve(probabilities: readonly number[], outcomes: readonly boolean[]): number {
  const cases = casesOf(probabilities, outcomes).sort((left, right) => left.probability - right.probability);
  const happened = cases.filter((each) => each.happened).length;
  let rankSum = 0;
  for (let start = 0; start < cases.length;) {
    let end = start;
    let happenedHere = 0;
    for (; end < cases.length && cases[end]?.probability === cases[start]?.probability; end++) {
      if (cases[end]?.happened === true) happenedHere += 1;
    }
    // Ranks start at 1; equal probabilities share their mean rank.
    rankSum += happenedHere * ((start + 1 + end) / 2);
    start = end;
  }
  return (rankSum - (happened * (happened + 1)) / 2) / (happened * (cases.length - happened));
}

/** Mean squared distance between probability and outcome (Brier 1950): 0 is perfect, the base rate alone gives p(1 − p). */
export function brierScore(probabilities: readonly number[], outcomes: readonly boolean[]): number {
  return mean(
    casesOf(probabilities, outcomes).map(({ probability, happened }) => (probability - (happened ? 1 : 0)) ** 2),
  );
}

/** Mean of −ln of the probability given to what happened; probabilities are kept 1e-15 away from 0 and 1. */
export function logLoss(probabilities: readonly number[], outcomes: readonly boolean[]): number {
  const clip = (probability: number) => Math.min(1 - 1e-15, Math.max(1e-15, probability));
  return mean(
    casesOf(probabilities, outcomes).map(({ probability, happened }) =>
      happened ? -Math.log(clip(probability)) : -Math.log1p(-clip(probability)),
    ),
  );
}

/**
 * How many times as often it happened among the `share` of cases (0 to 1) with the highest probabilities as among all. Of
 * equal probabilities at the edge, each counts in part.
 */
export function liftAt(share: number, probabilities: readonly number[], outcomes: readonly boolean[]): number {
  const cases = casesOf(probabilities, outcomes);
  const wanted = share * cases.length;
  const groups = [...Map.groupBy(cases, (each) => each.probability)].sort(([left], [right]) => right - left);
  let taken = 0;
  let happened = 0;
  for (const [, members] of groups) {
    const part = Math.min(1, Math.max(0, (wanted - taken) / members.length));
    happened += part * members.filter((each) => each.happened).length;
    taken += part * members.length;
  }
  return happened / taken / mean(cases.map((each) => (each.happened ? 1 : 0)));
}

interface Case {
  readonly probability: number;
  readonly happened: boolean;
}

function casesOf(probabilities: readonly number[], outcomes: readonly boolean[]): Case[] {
  return probabilities.map((probability, index) => ({ probability, happened: outcomes[index] === true }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
