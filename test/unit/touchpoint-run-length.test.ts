import { describe, expect, test } from 'vitest';
import type { TouchpointSettings } from '../../processors/core/definitions.ts';
import { BEST_UNITS, type Answer } from '../../processors/core/surveys.ts';
import { Random } from '../../processors/simulation/random.ts';
import { bernoulliRunLength, designBernoulli, LIMIT_MAX } from '../../processors/touchpoint/bernoulli-run-length.ts';
import { chartAnswer, newCharts, type Signal } from '../../processors/touchpoint/charts.ts';
import { chartLimits } from '../../processors/touchpoint/limits.ts';
import { normalBelow } from '../../processors/touchpoint/normal.ts';
import { cusumRunLength, ewmaRunLength, limitFor, oneSidedRunLength } from '../../processors/touchpoint/run-length.ts';
import { TOUCHPOINTS } from '../harness/definition-sets.ts';

const SHIFTS = [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4];
const rounded = (values: readonly number[]): number[] => values.map((value) => Number(value.toFixed(2)));

test('the normal distribution is that of the tables', () => {
  expect(normalBelow(0)).toBeCloseTo(0.5, 14);
  expect(normalBelow(1.959963984540054)).toBeCloseTo(0.975, 13);
  expect(normalBelow(-3)).toBeCloseTo(0.0013498980316301, 14);
  expect(normalBelow(-8) / 6.22096057427178e-16).toBeCloseTo(1, 7);
});

describe('average run lengths are the published ones', () => {
  // Montgomery, Introduction to Statistical Quality Control, table 9.3; the second digit from the R package spc.
  test.each([
    [4, [167.68, 74.22, 26.63, 13.29, 8.38, 4.75, 3.34, 2.62, 2.19, 1.71]],
    [5, [465.44, 139.49, 38.0, 17.05, 10.38, 5.75, 4.01, 3.11, 2.57, 2.01]],
  ])('tabular CUSUM with k = ½ and h = %i', (h, lengths) => {
    expect(rounded(SHIFTS.map((shift) => cusumRunLength(0.5, h, shift)))).toEqual(lengths);
  });

  test('one side of it', () => {
    expect(rounded([4, 5].map((h) => oneSidedRunLength(0.5, h, 0)))).toEqual([335.37, 930.89]);
  });

  // Lucas and Saccucci (1990), table 3.
  test.each([
    [0.4, 3.054, [499.95, 223.73, 71.2, 28.42, 14.26, 5.87, 3.52, 2.54, 2.02, 1.44]],
    [0.2, 2.962, [499.74, 150.22, 41.76, 18.15, 10.54, 5.5, 3.74, 2.88, 2.38, 1.86]],
    [0.1, 2.814, [499.58, 106.32, 31.3, 15.85, 10.33, 6.08, 4.36, 3.44, 2.87, 2.19]],
    [0.05, 2.615, [499.93, 84.01, 28.76, 16.37, 11.38, 7.11, 5.22, 4.17, 3.5, 2.69]],
  ])('EWMA with λ = %d and L = %d', (lambda, width, lengths) => {
    expect(rounded(SHIFTS.map((shift) => ewmaRunLength(lambda, width, shift)))).toEqual(lengths);
  });

  test.each([
    [0.1, 0.2, 7, 3, 283.1, 38.9],
    [0.1, 0.2, 7, 4, 718.5, 55.7],
    [0.05, 0.1, 14, 4, 1195.6, 108.5],
  ])('Bernoulli CUSUM for %d → %d with m = %i and h = %i', (p0, p1, m, h, inControl, shifted) => {
    const lengths = [p0, p1].map((p) => bernoulliRunLength(p, m, m * h));
    expect(lengths.map((length) => Number(length.toFixed(1)))).toEqual([inControl, shifted]);
  });
});

describe('limits are chosen by the run length that is wanted', () => {
  test('CUSUM: h for 370 and 500', () => {
    const limit = (wanted: number): number => limitFor(wanted, (h) => cusumRunLength(0.5, h, 0));
    expect(limit(370)).toBeCloseTo(4.773834, 6);
    expect(limit(500)).toBeCloseTo(5.070704, 6);
  });

  test.each([
    [0.2, 10_000_000, 1],
    [4, 2_000, 1],
    [1, 100, 0.05],
    [1, 10_000_000, 0.1],
    [1, 10_000_000, 0.05],
  ])(
    'for a shift of %d, %i answers and a weight of %d, at the ends of what may be asked for',
    (shift, inControl, smoothing) => {
      const asked = { ...TOUCHPOINTS, shift, smoothing, inControlAnswers: inControl, subgroupAnswers: 1 };
      const { cusum, ewma, reference } = chartLimits(asked);
      expect(cusumRunLength(reference, cusum, 0) / inControl).toBeCloseTo(1, 4);
      expect(ewmaRunLength(smoothing, ewma / Math.sqrt(smoothing / (2 - smoothing)), 0) / inControl).toBeCloseTo(1, 4);
    },
  );

  test('as shipped: one false alarm of a chart in 500 subgroups', () => {
    const { cusum, ewma, reference } = chartLimits(TOUCHPOINTS);
    expect([reference, cusum.toFixed(3)]).toEqual([0.5, '5.071']);
    expect(ewma / Math.sqrt(0.1 / 1.9)).toBeCloseTo(2.814, 3);
  });

  test('Bernoulli CUSUM: the least limit with the run length, and none where answers are bad more often than not', () => {
    const design = designBernoulli(0.1, 0.2, 2_500);
    expect(design?.m).toBe(7);
    expect(design?.runLength).toBeGreaterThanOrEqual(2_500);
    expect(bernoulliRunLength(0.1, 7, (design?.limit ?? 0) - 1)).toBeLessThan(2_500);
    expect(designBernoulli(0.6, 0.8, 2_500)).toBeNull();
  });

  test.each([
    [0.0005, 0.001],
    [0.0003, 0.00036],
    [5e-6, 6e-6],
  ])('Bernoulli CUSUM of %f against %f: no wider than its bound, and honest about the run length', (p0, p1) => {
    const design = designBernoulli(p0, p1, 10_000_000);
    expect(design?.limit).toBe(LIMIT_MAX);
    expect(design?.runLength).toBeLessThan(10_000_000);
    expect(design?.runLength).toBe(bernoulliRunLength(p0, design?.m ?? 0, LIMIT_MAX));
  });
});

describe('the charts themselves, fed with what does not change', () => {
  const settings: TouchpointSettings = { ...TOUCHPOINTS, subgroupAnswers: 1, inControlAnswers: 100 };
  const BASELINE = { answers: 100, mean: 0.5, deviation: 0.1, dissatisfiedShare: 0.1, since: 0, frozenAt: 0 };
  const bernoulli = designBernoulli(0.1, 0.2, 100);

  /** The mean number of answers until each chart first raises an alert. */
  function runLengths(runs: number, answer: (units: Random, kinds: Random) => Answer): Record<Signal['chart'], number> {
    const [units, kinds] = [new Random(7, 1), new Random(7, 2)];
    const sums = { UNKNOWN: 0, CUSUM: 0, EWMA: 0, BERNOULLI_CUSUM: 0, POISSON: 0 };
    for (let run = 0; run < runs; run++) {
      const charts = { ...newCharts(), baseline: { ...BASELINE, bernoulli } };
      const missing = new Set<Signal['chart']>(['CUSUM', 'EWMA', 'BERNOULLI_CUSUM']);
      for (let answers = 1; missing.size > 0 && answers < 10_000; answers++) {
        for (const { chart, change } of chartAnswer(charts, answer(units, kinds), answers, settings)) {
          if (change === 'RAISED' && missing.delete(chart)) sums[chart] += answers;
        }
      }
    }
    return { ...sums, CUSUM: sums.CUSUM / runs, EWMA: sums.EWMA / runs, BERNOULLI_CUSUM: sums.BERNOULLI_CUSUM / runs };
  }

  test('raise false alarms as often as was chosen, within 2 percent', () => {
    const lengths = runLengths(16_000, (random, kinds) => ({
      units: Math.round((0.5 + 0.1 * random.normal()) * BEST_UNITS),
      kind: kinds.chance(0.1) ? 'dissatisfied' : 'neutral',
    }));
    expect(Math.abs(lengths.CUSUM / 100 - 1)).toBeLessThan(0.02);
    expect(Math.abs(lengths.EWMA / 100 - 1)).toBeLessThan(0.02);
    expect(Math.abs(lengths.BERNOULLI_CUSUM / (bernoulli?.runLength ?? 0) - 1)).toBeLessThan(0.02);
  }, 30_000);

  test('see twice the share, and a shift of one deviation, as fast as their sources say', () => {
    const lengths = runLengths(6_000, (random, kinds) => ({
      units: Math.round((0.4 + 0.1 * random.normal()) * BEST_UNITS),
      kind: kinds.chance(0.2) ? 'dissatisfied' : 'neutral',
    }));
    const { cusum } = chartLimits(settings);
    expect(Math.abs(lengths.CUSUM / cusumRunLength(0.5, cusum, 1) - 1)).toBeLessThan(0.02);
    const expected = bernoulliRunLength(0.2, bernoulli?.m ?? 0, bernoulli?.limit ?? 0);
    expect(Math.abs(lengths.BERNOULLI_CUSUM / expected - 1)).toBeLessThan(0.02);
  }, 30_000);
});
