/**
 * The Bernoulli CUSUM of Reynolds and Stoumbos (1999), which finds a rise of the share of bad answers from p₀ to p₁ answer by
 * answer: S ← max(0, S + x − γ), x = 1 for a bad one, γ = r₁/r₂ with r₁ = −ln((1 − p₁)/(1 − p₀)) and r₂ = ln(p₁(1 − p₀)/(p₀(1 − p₁))).
 * With γ = 1/m the chart moves in steps of 1/m, m − 1 up and one down, so it is a Markov chain and its run length exact.
 */
export interface BernoulliDesign {
  /** 1/γ, rounded to a whole number. */
  readonly m: number;
  /** It signals from so many steps on: h · m. */
  readonly limit: number;
  /** In control: answers until a false alarm, on average. */
  readonly runLength: number;
}

/** No chart is wider than so many steps, which bounds the time that a design takes. */
export const LIMIT_MAX = 4_000;

/**
 * The smallest limit whose in-control run length is at least `wanted` answers, or LIMIT_MAX where none is: the run length is told. null where so many are bad that the rounded chart would drift upwards by itself.
 */
export function designBernoulli(p0: number, p1: number, wanted: number): BernoulliDesign | null {
  const r1 = -Math.log((1 - p1) / (1 - p0));
  const r2 = Math.log((p1 * (1 - p0)) / (p0 * (1 - p1)));
  const m = Math.max(2, Math.round(r2 / r1));
  if (p0 * m >= 1) return null;
  let [low, high] = [0, Math.min(m, LIMIT_MAX)];
  while (high < LIMIT_MAX && bernoulliRunLength(p0, m, high) < wanted) {
    [low, high] = [high, Math.min(2 * high, LIMIT_MAX)];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (bernoulliRunLength(p0, m, middle) < wanted) low = middle;
    else high = middle;
  }
  return { m, limit: high, runLength: bernoulliRunLength(p0, m, high) };
}

/**
 * Answers until the chart stands at `limit` steps or more, on average, when a share `p` is bad. From place j the length is
 * L(j) = 1 + p · L(j + m − 1) + (1 − p) · L(max(0, j − 1)); eliminated from the top, each place is told by the one below it.
 */
export function bernoulliRunLength(p: number, m: number, limit: number): number {
  const q = 1 - p;
  // L(place) = up[place] + down[place] · L(place − 1).
  const up = new Float64Array(limit);
  const down = new Float64Array(limit);
  for (let place = limit - 1; place > 0; place--) {
    // L(place + m − 1) through the chain of places above, down to this one.
    let [constant, factor] = [0, 0];
    const target = place + m - 1;
    if (target < limit) {
      [constant, factor] = [0, 1];
      for (let above = target; above > place; above--) {
        constant += factor * (up[above] ?? 0);
        factor *= down[above] ?? 0;
      }
    }
    const own = 1 - p * factor;
    up[place] = (1 + p * constant) / own;
    down[place] = q / own;
  }
  let [constant, factor] = [0, m - 1 < limit ? 1 : 0];
  for (let above = m - 1; factor !== 0 && above > 0; above--) {
    constant += factor * (up[above] ?? 0);
    factor *= down[above] ?? 0;
  }
  return (1 + p * constant) / (p - p * factor);
}
