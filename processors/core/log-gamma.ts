/** Below this the argument is raised by recurrence: from here on Stirling's series is exact to the last digits of a double. */
const SERIES_FROM = 10;
const HALF_LOG_TWO_PI = 0.918938533204672741780329736406;
/** B(2k) / (2k (2k − 1)), k = 1, 2, …: the coefficients of Stirling's series. */
const COEFFICIENTS = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156, -3617 / 122_400];

/**
 * ln Γ(x) for x > 0, to 1e-13 of its size or absolutely, whichever is larger. By Stirling's series (Abramowitz and Stegun
 * 6.1.41), small arguments raised by Γ(x + 1) = x Γ(x).
 */
export function logGamma(x: number): number {
  let raised = x;
  let product = 1;
  for (; raised < SERIES_FROM; raised += 1) product *= raised;
  const inverseSquare = 1 / (raised * raised);
  let series = 0;
  for (const coefficient of COEFFICIENTS.toReversed()) series = series * inverseSquare + coefficient;
  return (raised - 0.5) * Math.log(raised) - raised + HALF_LOG_TWO_PI + series / raised - Math.log(product);
}

/** ln B(x, y). */
export function logBeta(x: number, y: number): number {
  return logGamma(x) + logGamma(y) - logGamma(x + y);
}
