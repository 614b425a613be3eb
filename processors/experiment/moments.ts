import type { Arm } from './effect.ts';

/**
 * Exact sums over units, which can be taken back exactly. Squares of amounts in minor units leave a double's whole numbers at
 * once (a thousand orders of 1,000,000 make 10^15), and what is left of a sum after most of it was taken back would be noise.
 */
export interface Sums {
  units: number;
  sum: bigint;
  squares: bigint;
}

export function newSums(): Sums {
  return { units: 0, sum: 0n, squares: 0n };
}

/** `by` −1 takes the unit out again. */
export function addUnit(sums: Sums, value: number, by: 1 | -1): void {
  const exact = BigInt(value);
  const square = exact * exact;
  sums.units += by;
  sums.sum += by === 1 ? exact : -exact;
  sums.squares += by === 1 ? square : -square;
}

/** Mean and sample variance, (Σx² − (Σx)² / n) / (n − 1), the difference taken exactly. */
export function armOf({ units, sum, squares }: Sums): Arm {
  if (units <= 0) return { units: 0, mean: 0, variance: 0 };
  const count = BigInt(units);
  const spread = Number(squares * count - sum * sum);
  return {
    units,
    mean: Number(sum) / units,
    variance: units === 1 ? 0 : Math.max(0, spread / units / (units - 1)),
  };
}

/** The same of a share: each unit 0 or 1, and the variance p (1 − p). */
export function shareOf({ units, sum }: Sums): Arm {
  if (units <= 0) return { units: 0, mean: 0, variance: 0 };
  const mean = Number(sum) / units;
  return { units, mean, variance: Math.max(0, mean * (1 - mean)) };
}
