/** The density of the standard normal distribution. */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

const NUMERATOR = [
  3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931,
  220.206867912376,
];
const DENOMINATOR = [
  8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
  793.826512519948, 440.413735824752,
];

/** The probability of at most `x`, to some 14 digits: Hart (1968), algorithm 5666, as arranged by West (2005). */
export function normalBelow(x: number): number {
  const distance = Math.abs(x);
  const tail = distance > 37 ? 0 : tailBeyond(distance);
  return x > 0 ? 1 - tail : tail;
}

function tailBeyond(x: number): number {
  const exponential = Math.exp(-0.5 * x * x);
  if (x < 7.07106781186547) return (exponential * polynomial(NUMERATOR, x)) / polynomial(DENOMINATOR, x);
  const fraction = x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))));
  return exponential / fraction / Math.sqrt(2 * Math.PI);
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
