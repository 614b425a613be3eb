import type { ChurnModelName } from '../core/definitions.ts';
import { logLikelihood, type ChurnParameters } from './likelihood.ts';
import type { CountedStatistic } from './order-history.ts';

/** The step of the differences, in logarithms: about the fourth root of a double's precision. */
const STEP = 1e-3;

/**
 * How far each fitted parameter may be off, one standard error: from the curvature of the log-likelihood at its maximum (the
 * inverse of the observed information), taken in logarithms of the parameters and brought back by the delta method. Null
 * when the likelihood does not fall to every side.
 */
export function standardErrors(
  model: ChurnModelName,
  { r, alpha, a, b }: ChurnParameters,
  statistics: readonly CountedStatistic[],
): ChurnParameters | null {
  const fitted = [r, alpha, a, b];
  const at = (shifts: readonly number[]): number => {
    const [shiftedR = NaN, shiftedAlpha = NaN, shiftedA = NaN, shiftedB = NaN] = fitted.map(
      (parameter, index) => parameter * Math.exp(shifts[index] ?? 0),
    );
    return logLikelihood(model, { r: shiftedR, alpha: shiftedAlpha, a: shiftedA, b: shiftedB }, statistics);
  };
  const axes = fitted.map((_, axis) => axis);
  const shifted = (one: number, oneBy: number, other: number, otherBy: number): number =>
    at(axes.map((axis) => (axis === one ? oneBy : 0) + (axis === other ? otherBy : 0)));
  const information = axes.map((one) =>
    axes.map((other) => {
      const [same, opposite] = [
        shifted(one, STEP, other, STEP) + shifted(one, -STEP, other, -STEP),
        shifted(one, STEP, other, -STEP) + shifted(one, -STEP, other, STEP),
      ];
      return -(same - opposite) / (4 * STEP * STEP);
    }),
  );
  const variances = inverseDiagonal(information);
  if (variances === null) return null;
  const [ofR = NaN, ofAlpha = NaN, ofA = NaN, ofB = NaN] = fitted.map(
    (parameter, index) => parameter * Math.sqrt(variances[index] ?? NaN),
  );
  return { r: ofR, alpha: ofAlpha, a: ofA, b: ofB };
}

/** The diagonal of a symmetric matrix' inverse, by Cholesky's factors; null when it is not positive definite. */
function inverseDiagonal(matrix: readonly (readonly number[])[]): number[] | null {
  const size = matrix.length;
  const lower: number[][] = [];
  for (let row = 0; row < size; row++) {
    const factors: number[] = [];
    for (let column = 0; column <= row; column++) {
      let rest = matrix[row]?.[column] ?? NaN;
      const above = column === row ? factors : lower[column];
      for (let k = 0; k < column; k++) rest -= (factors[k] ?? NaN) * (above?.[k] ?? NaN);
      if (column < row) factors.push(rest / (above?.[column] ?? NaN));
      else if (rest > 0) factors.push(Math.sqrt(rest));
      else return null;
    }
    lower.push(factors);
  }
  // Column by column of the inverse of the lower factor: its squares below the diagonal add up to the inverse's diagonal.
  return lower.map((_, column) => {
    const solution: number[] = [];
    for (let row = column; row < size; row++) {
      let rest = row === column ? 1 : 0;
      for (let k = column; k < row; k++) rest -= (lower[row]?.[k] ?? NaN) * (solution[k - column] ?? NaN);
      solution.push(rest / (lower[row]?.[row] ?? NaN));
    }
    return solution.reduce((sum, each) => sum + each * each, 0);
  });
}
