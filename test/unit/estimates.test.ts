import { describe, expect, test } from 'vitest';
import { judge, STANDARD_SURVEYS, type Answer } from '../../processors/core/surveys.ts';
import { netPromoterScore, share } from '../../processors/core/estimates.ts';

const rounded = (value: number | undefined, digits: number): number => Number(value?.toFixed(digits));

describe('the net promoter score', () => {
  // Promoters, passives, detractors; the score, and the adjusted Wald interval of MeasuringU.
  test.each([
    [70, 20, 10, 60, 45.27, 71.24],
    [50, 30, 20, 30, 14.05, 44.2],
    [15, 12, 9, 16.67, -9.53, 40.3],
    [600, 250, 150, 45, 40.28, 49.45],
  ])('of %i, %i and %i is %d, from %d to %d', (promoters, passives, detractors, value, low, high) => {
    const score = netPromoterScore(promoters, passives, detractors);
    expect(rounded(score?.value, 2)).toBe(value);
    expect([rounded(score?.low, 2), rounded(score?.high, 2)]).toEqual([low, high]);
  });

  test('of ten promoters alone is not certain, and never beyond 100', () => {
    const score = netPromoterScore(10, 0, 0);
    expect(score?.value).toBe(100);
    expect(rounded(score?.low, 1)).toBe(47.5);
    expect(score?.high).toBe(100);
    expect(netPromoterScore(0, 0, 10)).toMatchObject({ value: -100, low: -100 });
  });

  test('of nothing is nothing', () => {
    expect(netPromoterScore(0, 0, 0)).toBeNull();
  });
});

describe('a share', () => {
  // Newcombe (1998), table of the score method without continuity correction.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [1, 29, 0.0061, 0.1718],
    [10, 10, 0.7225, 1],
    [80, 100, 0.7112, 0.8666],
  ])('of %i in %i lies from %d to %d', (hits, n, low, high) => {
    const estimate = share(hits, n);
    expect([rounded(estimate?.low, 4), rounded(estimate?.high, 4)]).toEqual([low, high]);
    expect(estimate?.value).toBe(hits / n);
  });

  test('of none in some begins at 0, and of nothing is nothing', () => {
    expect(share(0, 20)).toMatchObject({ value: 0, low: 0 });
    expect(share(0, 0)).toBeNull();
  });
});

describe('an answer', () => {
  test.each<[keyof typeof STANDARD_SURVEYS, Answer['kind'][]]>([
    ['NPS', [...Array<'dissatisfied'>(7).fill('dissatisfied'), 'neutral', 'neutral', 'satisfied', 'satisfied']],
    [
      'CSAT',
      [
        ...Array<'dissatisfied'>(4).fill('dissatisfied'),
        'neutral',
        'neutral',
        ...Array<'satisfied'>(4).fill('satisfied'),
      ],
    ],
    ['CES', ['satisfied', 'satisfied', 'neutral', 'dissatisfied', 'dissatisfied']],
    ['RATING', ['dissatisfied', 'dissatisfied', 'neutral', 'satisfied', 'satisfied']],
  ])('of %s is judged over its whole scale, both ends included', (metric, kinds) => {
    const survey = STANDARD_SURVEYS[metric];
    expect(survey.max - survey.min + 1).toBe(kinds.length);
    expect(kinds.map((_, index) => judge(survey, survey.min + index).kind)).toEqual(kinds);
  });

  test('counts from 0, the worst, to 12,600, the best, whatever end is good', () => {
    const { CES, CSAT } = STANDARD_SURVEYS;
    expect([1, 2, 3, 4, 5].map((value) => judge(CES, value).units)).toEqual([12_600, 9_450, 6_300, 3_150, 0]);
    expect([1, 2, 10].map((value) => judge(CSAT, value).units)).toEqual([0, 1_400, 12_600]);
    // Beyond the scale is its end: intake lets no such answer through, but the scale may have changed since.
    expect([-3, 99].map((value) => judge(CSAT, value).units)).toEqual([0, 12_600]);
  });

  test('the mean of a thousand answers is the published one', () => {
    const scale = { ...STANDARD_SURVEYS.CSAT, min: 1, max: 10 };
    const counts = [0, 10, 30, 100, 130, 150, 115, 255, 140, 70];
    const units = counts.reduce((sum, count, index) => sum + count * judge(scale, index + 1).units, 0);
    expect(1 + (9 * units) / 1000 / 12_600).toBeCloseTo(6.865, 12);
  });
});
