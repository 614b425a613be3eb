/** One look at a measure. */
export interface Sample {
  readonly minutes: number;
  readonly value: number;
}

/** How much a measure may grow over a run before it counts as growing: a share of what it was at first, but at least so much. */
export interface Allowance {
  readonly share: number;
  readonly least: number;
}

export interface Trend {
  readonly median: number;
  /** Over the whole run, by the median slope. */
  readonly growth: number;
  /** What it grew by at least, and at most, with 99 % confidence if the noise of one look says nothing about the next. */
  readonly lower: number;
  readonly upper: number;
  readonly allowed: number;
  readonly grows: boolean;
}

const Z_99 = 2.576;

/**
 * Whether a measure grows: it does when even the lower bound of its slope is more than is allowed. The slope is the median of
 * the slopes between any two samples (Theil 1950, Sen 1968), which up to 29 % of outliers do not move; the bounds are Sen's, by
 * the variance of Kendall's statistic without ties, n(n − 1)(2n + 5) / 18.
 */
export function trendOf(samples: readonly Sample[], { share, least }: Allowance): Trend {
  const slopes: number[] = [];
  samples.forEach((later, index) => {
    for (const earlier of samples.slice(0, index)) {
      const minutes = later.minutes - earlier.minutes;
      if (minutes > 0) slopes.push((later.value - earlier.value) / minutes);
    }
  });
  const sorted = Float64Array.from(slopes).toSorted();
  const n = samples.length;
  const spread = Z_99 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const span = (samples.at(-1)?.minutes ?? 0) - (samples[0]?.minutes ?? 0);
  const grownBy = (place: number): number => span * atPlace(sorted, place);
  const middle = medianOf(samples.map(({ value }) => value));
  const first = medianOf(samples.slice(0, Math.ceil(n / 4)).map(({ value }) => value));
  const allowed = Math.max(least, share * Math.abs(first));
  const lower = grownBy((sorted.length - spread) / 2);
  const upper = grownBy((sorted.length + spread) / 2);
  return { median: middle, growth: span * medianOf(sorted), lower, upper, allowed, grows: lower > allowed };
}

/** Between two neighbours what lies between them; beyond the ends the ends. */
function atPlace(sorted: Float64Array, place: number): number {
  // Places are counted from 1 in the source.
  const at = Math.min(Math.max(place - 1, 0), Math.max(0, sorted.length - 1));
  const [below, above] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return below + (above - below) * (at - Math.floor(at));
}

function medianOf(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).toSorted();
  return atPlace(sorted, (sorted.length + 1) / 2);
}
