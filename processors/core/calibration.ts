/** The cases whose probability fell into one bin. */
export interface CalibrationBin {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive, but for the last bin. */
  readonly to: number;
  readonly cases: number;
  /** Mean probability, and the share that happened. */
  readonly predicted: number;
  readonly observed: number;
}

/** Predicted probabilities beside what happened, in bins of equal width; empty bins are left out. */
export function calibrationBins(
  probabilities: readonly number[],
  outcomes: readonly boolean[],
  bins = 10,
): CalibrationBin[] {
  const gathered = Array.from({ length: bins }, () => ({ cases: 0, predicted: 0, happened: 0 }));
  for (const [index, probability] of probabilities.entries()) {
    const bin = gathered[Math.min(bins - 1, Math.floor(probability * bins))];
    if (bin === undefined) continue;
    bin.cases += 1;
    bin.predicted += probability;
    if (outcomes[index] === true) bin.happened += 1;
  }
  return gathered.flatMap(({ cases, predicted, happened }, place) => {
    if (cases === 0) return [];
    const range = { from: place / bins, to: (place + 1) / bins };
    return [{ ...range, cases, predicted: predicted / cases, observed: happened / cases }];
  });
}

/**
 * Expected calibration error: over bins of equal width (the last one closed), the mean distance between mean probability
 * and share that happened, weighted by the cases in the bin (Naeini, Cooper and Hauskrecht 2015). NaN without cases.
 */
export function calibrationError(probabilities: readonly number[], outcomes: readonly boolean[], bins = 10): number {
  if (probabilities.length === 0) return NaN;
  return calibrationBins(probabilities, outcomes, bins).reduce(
    (sum, { cases, predicted, observed }) => sum + (cases / probabilities.length) * Math.abs(predicted - observed),
    0,
  );
}
