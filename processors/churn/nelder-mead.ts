export interface Minimum {
  readonly point: readonly number[];
  readonly value: number;
  readonly evaluations: number;
  /** False when the evaluations ran out first. */
  readonly converged: boolean;
}

export interface MinimizeOptions {
  /** How far the first simplex reaches along each axis. */
  readonly step: number;
  /** A search ends when the values at the corners differ by no more, */
  readonly valueTolerance: number;
  /** and the corners themselves by no more, on any axis. */
  readonly pointTolerance: number;
  readonly evaluationsMax: number;
  /** Called after each round of a search. */
  readonly progress?: (evaluations: number, value: number) => void;
}

interface Corner {
  readonly point: readonly number[];
  readonly value: number;
}

/**
 * The simplex search of Nelder and Mead (1965), with a simplex set up anew at each minimum it finds until that finds none
 * that is lower: a simplex that has collapsed looks like a minimum. Values that are no number count as infinitely high.
 */
export function minimize(
  f: (point: readonly number[]) => number,
  start: readonly number[],
  options: MinimizeOptions,
): Minimum {
  const search = new Search(f, options);
  let best = search.run(start);
  while (search.converged) {
    const again = search.run(best.point);
    const gain = best.value - again.value;
    if (again.value < best.value) best = again;
    if (gain <= options.valueTolerance) break;
  }
  return { ...best, evaluations: search.evaluations, converged: search.converged };
}

class Search {
  evaluations = 0;
  converged = true;
  readonly #f: (point: readonly number[]) => number;
  readonly #options: MinimizeOptions;

  constructor(f: (point: readonly number[]) => number, options: MinimizeOptions) {
    this.#f = f;
    this.#options = options;
  }

  run(start: readonly number[]): Corner {
    const { step, evaluationsMax, progress } = this.#options;
    const axes = start.map((_, axis) => start.map((each, index) => (index === axis ? each + step : each)));
    let corners = [start, ...axes].map((point) => this.#corner(point)).sort(byValue);
    while (!this.#hasShrunk(corners)) {
      if (this.evaluations >= evaluationsMax) {
        this.converged = false;
        break;
      }
      corners = this.#step(corners).sort(byValue);
      progress?.(this.evaluations, corners[0]?.value ?? NaN);
    }
    return corners[0] ?? { point: start, value: NaN };
  }

  #step(corners: readonly Corner[]): Corner[] {
    const kept = corners.slice(0, -1);
    const [best, worst, second] = [corners[0], corners.at(-1), kept.at(-1)];
    if (best === undefined || worst === undefined || second === undefined) return [...corners];
    const centre = worst.point.map(
      (_, axis) => kept.reduce((sum, { point }) => sum + at(point, axis), 0) / kept.length,
    );
    /** On the line from the worst corner through the centre of the others: 1 is its mirror image. */
    const along = (share: number): Corner =>
      this.#corner(centre.map((middle, axis) => middle + share * (middle - at(worst.point, axis))));
    const mirrored = along(1);
    if (mirrored.value < best.value) {
      const beyond = along(2);
      return [...kept, beyond.value < mirrored.value ? beyond : mirrored];
    }
    if (mirrored.value < second.value) return [...kept, mirrored];
    const nearer = mirrored.value < worst.value ? along(0.5) : along(-0.5);
    if (nearer.value < Math.min(mirrored.value, worst.value)) return [...kept, nearer];
    const drawn = corners.slice(1).map(({ point }) => point.map((each, axis) => (each + at(best.point, axis)) / 2));
    return [best, ...drawn.map((point) => this.#corner(point))];
  }

  #hasShrunk(corners: readonly Corner[]): boolean {
    const { valueTolerance, pointTolerance } = this.#options;
    const [best, worst] = [corners[0], corners.at(-1)];
    if (best === undefined || worst === undefined || !(worst.value - best.value <= valueTolerance)) return false;
    return corners.every(({ point }) =>
      point.every((each, axis) => Math.abs(each - at(best.point, axis)) <= pointTolerance),
    );
  }

  #corner(point: readonly number[]): Corner {
    this.evaluations += 1;
    const value = this.#f(point);
    return { point, value: Number.isNaN(value) ? Infinity : value };
  }
}

const byValue = (left: Corner, right: Corner): number => (left.value === right.value ? 0 : left.value - right.value);
const at = (point: readonly number[], axis: number): number => point[axis] ?? NaN;
