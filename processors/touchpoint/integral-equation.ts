/**
 * Fredholm equations of the second kind, u(x) = 1 + ∫ K(x, y) u(y) dy, by Nyström's method: the integral becomes a Gauss–Legendre
 * sum, the equation a linear system.
 */

export interface Quadrature {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

/** Gauss–Legendre nodes and weights on `from` to `to`: roots of the Legendre polynomial by Newton's method. */
export function gaussLegendre(count: number, from: number, to: number): Quadrature {
  const nodes: number[] = [];
  const weights: number[] = [];
  const half = (to - from) / 2;
  for (let index = 0; index < count; index++) {
    let root = Math.cos((Math.PI * (index + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      let [before, value] = [0, 1];
      for (let degree = 0; degree < count; degree++) {
        [before, value] = [value, ((2 * degree + 1) * root * value - degree * before) / (degree + 1)];
      }
      slope = (count * (root * value - before)) / (root * root - 1);
      const change = value / slope;
      root -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    nodes.push((from + to) / 2 - half * root);
    weights.push((2 * half) / ((1 - root * root) * slope * slope));
  }
  return { nodes, weights };
}

/** The solution u of (I − A) u = 1 for the matrix `rows`, by Gaussian elimination with partial pivoting. */
export function solveOnes(rows: readonly (readonly number[])[]): number[] {
  const size = rows.length;
  const system = rows.map((row, index) => {
    const left = Float64Array.from(
      { length: size + 1 },
      (_, column) => (index === column ? 1 : 0) - (row[column] ?? 0),
    );
    left[size] = 1;
    return left;
  });
  const at = (row: number, column: number): number => system[row]?.[column] ?? 0;
  for (let pivot = 0; pivot < size; pivot++) {
    let best = pivot;
    for (let row = pivot + 1; row < size; row++) if (Math.abs(at(row, pivot)) > Math.abs(at(best, pivot))) best = row;
    const [upper, chosen] = [system[pivot], system[best]];
    if (upper === undefined || chosen === undefined) break;
    system[best] = upper;
    system[pivot] = chosen;
    for (let row = pivot + 1; row < size; row++) {
      const factor = at(row, pivot) / at(pivot, pivot);
      const lower = system[row];
      if (factor === 0 || lower === undefined) continue;
      for (let column = pivot; column <= size; column++) {
        lower[column] = (lower[column] ?? 0) - factor * (chosen[column] ?? 0);
      }
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    let sum = at(row, size);
    for (let column = row + 1; column < size; column++) sum -= at(row, column) * (solution[column] ?? 0);
    solution[row] = sum / at(row, row);
  }
  return solution;
}
