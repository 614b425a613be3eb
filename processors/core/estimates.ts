/** A figure with its 95 percent interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** 97.5th percentile of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * Net promoter score, 100 · (P − D) / n, with the adjusted Wald interval: three answers are added, ¾ of them promoters and ¾
 * detractors (MeasuringU; Rocks 2016), and the interval is cut at ± 100. Null without answers.
 */
export function netPromoterScore(promoters: number, passives: number, detractors: number): Estimate | null {
  const n = promoters + passives + detractors;
  if (n === 0) return null;
  const p = (promoters + 0.75) / (n + 3);
  const d = (detractors + 0.75) / (n + 3);
  const margin = Z * Math.sqrt((p + d - (p - d) ** 2) / (n + 3));
  return {
    value: (100 * (promoters - detractors)) / n,
    low: Math.max(-100, 100 * (p - d - margin)),
    high: Math.min(100, 100 * (p - d + margin)),
  };
}

/** A share with the score interval of Wilson (1927). Null of nothing. */
export function share(hits: number, n: number): Estimate | null {
  if (n === 0) return null;
  const p = hits / n;
  const centre = p + (Z * Z) / (2 * n);
  const margin = Z * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n));
  const scale = 1 + (Z * Z) / n;
  return { value: p, low: Math.max(0, (centre - margin) / scale), high: Math.min(1, (centre + margin) / scale) };
}
