import { gaussLegendre, solveOnes } from './integral-equation.ts';
import { normalBelow, normalDensity } from './normal.ts';

/**
 * Average run lengths: how many points a control chart of independent standard normal points takes on average until it signals,
 * when their mean has moved by `shift` standard deviations; at shift 0, how many pass between false alarms. Charts start at their
 * centre.
 */

/** Nodes lie closer together than a half of the kernels’ width. */
const CUSUM_NODES_MIN = 32;
const CUSUM_NODES_PER_DEVIATION = 2;
const EWMA_NODES_MIN = 64;
const EWMA_NODES_PER_DEVIATION = 2;

/**
 * Two-sided tabular CUSUM with reference value k and decision interval h (Page 1954). Each side by the integral equation of its
 * run length (van Dobben de Bruyn 1968), 1/ARL = 1/ARL⁺ + 1/ARL⁻.
 */
export function cusumRunLength(k: number, h: number, shift: number): number {
  return 1 / (1 / oneSidedRunLength(k, h, shift) + 1 / oneSidedRunLength(k, h, -shift));
}

/** One side of it: S ← max(0, S + x − k), signalling above h. */
export function oneSidedRunLength(k: number, h: number, shift: number): number {
  const count = Math.max(CUSUM_NODES_MIN, Math.ceil(CUSUM_NODES_PER_DEVIATION * h));
  const { nodes, weights } = gaussLegendre(count, 0, h);
  // Where the chart stands: at 0, to which it falls with a probability of its own, or at one of the nodes.
  const places = [0, ...nodes];
  const rows = places.map((from) => [
    normalBelow(k - from - shift),
    ...nodes.map((to, index) => (weights[index] ?? 0) * normalDensity(to + k - from - shift)),
  ]);
  return solveOnes(rows)[0] ?? NaN;
}

/**
 * Two-sided EWMA with weight λ and constant limits ± L · √(λ / (2 − λ)) (Roberts 1959), by the integral equation of Crowder (1987).
 */
export function ewmaRunLength(lambda: number, width: number, shift: number): number {
  const limit = ewmaLimit(lambda, width);
  // The kernel's deviation is λ.
  const count = Math.max(EWMA_NODES_MIN, Math.ceil((EWMA_NODES_PER_DEVIATION * 2 * limit) / lambda));
  const { nodes, weights } = gaussLegendre(count, -limit, limit);
  const row = (from: number): number[] =>
    nodes.map((to, index) => {
      return ((weights[index] ?? 0) / lambda) * normalDensity((to - (1 - lambda) * from) / lambda - shift);
    });
  const lengths = solveOnes(nodes.map(row));
  return row(0).reduce((sum, weight, index) => sum + weight * (lengths[index] ?? 0), 1);
}

/** Where the limits of an EWMA are, in standard deviations of a point: L of its own asymptotic ones. */
export function ewmaLimit(lambda: number, width: number): number {
  return width * Math.sqrt(lambda / (2 - lambda));
}

/**
 * The limit at which an average run length, which grows with it, is `wanted`: raised until it is beyond, then by bisection. A run
 * length too long for the numbers it is made of comes out as nonsense below 1: beyond, too.
 */
export function limitFor(wanted: number, runLength: (limit: number) => number): number {
  const isBelow = (limit: number): boolean => {
    const length = runLength(limit);
    return length >= 1 && length < wanted;
  };
  let [low, high] = [0, 1];
  // In small steps: the solution far beyond is both slow and imprecise.
  while (isBelow(high)) [low, high] = [high, high * 1.25];
  while (high - low > 1e-8 * high) {
    const middle = (low + high) / 2;
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return high;
}
