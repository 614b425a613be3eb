import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { benjaminiHochberg } from '../../processors/touchpoint/benjamini-hochberg.ts';
import { fisherExact } from '../../processors/touchpoint/fisher-exact.ts';
import { answersIn, rankTouchpoints, type TouchpointAnswers } from '../../processors/touchpoint/ranking.ts';
import { SPANS } from '../../processors/touchpoint/windows.ts';
import { DAY, HOUR, T, TouchpointDriver } from '../processors/touchpoint-fixture.ts';

describe('the procedure of Benjamini and Hochberg', () => {
  // Benjamini and Hochberg 1995, section 4: fifteen comparisons of two treatments of myocardial infarction.
  const PUBLISHED = [
    ...[0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344],
    ...[0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1],
  ];

  test('rejects four of the fifteen published hypotheses at q = .05, where Bonferroni rejects three', () => {
    expect(benjaminiHochberg(PUBLISHED, 0.05).map(({ isRejected }) => isRejected)).toEqual([
      ...Array<boolean>(4).fill(true),
      ...Array<boolean>(11).fill(false),
    ]);
    expect(PUBLISHED.filter((p) => p <= 0.05 / 15)).toHaveLength(3);
  });

  test('adjusts each p to the least q that rejects it, in the order given', () => {
    const judged = benjaminiHochberg(PUBLISHED.toReversed(), 0.05).toReversed();
    expect(judged.map(({ adjusted }) => adjusted.toFixed(5)).slice(0, 9)).toEqual([
      ...['0.00150', '0.00300', '0.00950', '0.03562', '0.06030'],
      ...['0.06386', '0.06386', '0.06450', '0.07650'],
    ]);
    expect(judged.at(-1)).toEqual({ adjusted: 1, isRejected: false });
  });

  test('rejects a p over its own line when a larger one is under its line', () => {
    expect(benjaminiHochberg([0.04, 0.05], 0.05).map(({ isRejected }) => isRejected)).toEqual([true, true]);
  });

  test.each<[number[], boolean[]]>([
    [[], []],
    [[0.05], [true]],
    [[0], [true]],
    [
      [1, 1],
      [false, false],
    ],
  ])('at its ends: %j', (pValues, rejected) => {
    expect(benjaminiHochberg(pValues, 0.05).map(({ isRejected }) => isRejected)).toEqual(rejected);
  });
});

describe("Fisher's exact test", () => {
  test.each([
    [4, 1 / 70],
    [3, 17 / 70],
    [2, 53 / 70],
    [1, 69 / 70],
    [0, 1],
  ])('of the lady who told %i of four cups of tea rightly: p = %f', (hits, p) => {
    expect(fisherExact(hits, 4, 4, 8)).toBeCloseTo(p, 12);
  });

  test('adds up to one with its other side, in any table', () => {
    const table = fc.tuple(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60));
    fc.assert(
      fc.property(table, ([a, b, c, d]) => {
        const all = a + b + c + d;
        const atLeast = fisherExact(a, a + b, a + c, all);
        // So many of the good ones or more is so many of the bad ones or fewer.
        const fewer = a === 0 ? 0 : fisherExact(b + 1, a + b, b + d, all);
        expect(atLeast).toBeGreaterThanOrEqual(0);
        expect(atLeast).toBeLessThanOrEqual(1);
        if (a > 0 && b + 1 <= Math.min(a + b, b + d)) expect(atLeast + fewer).toBeCloseTo(1, 9);
      }),
    );
  });

  test('of many answers is no less exact at its ends', () => {
    expect(fisherExact(1, 10_000, 200_000, 1_000_000)).toBe(1);
    expect(fisherExact(9_000, 10_000, 200_000, 1_000_000)).toBe(0);
    expect(fisherExact(2_000, 10_000, 200_000, 1_000_000)).toBeCloseTo(0.505, 2);
    expect(fisherExact(0, 0, 0, 0)).toBe(1);
    expect(fisherExact(5, 5, 5, 5)).toBe(1);
  });
});

describe('touchpoints are ranked', () => {
  const of = (answers: number, dissatisfied: number, complaints = 0): TouchpointAnswers => {
    return { answers, dissatisfied, complaints };
  };

  test('by what is significant, then by how many are dissatisfied beyond the brand’s share', () => {
    const ranked = rankTouchpoints(
      new Map([
        ['shop', of(1000, 100)],
        ['delivery', of(200, 60)],
        ['support', of(40, 20, 7)],
        ['returns', of(3, 2)],
        ['silent', of(0, 0, 5)],
      ]),
      0.05,
    );
    expect(ranked.map(({ touchpoint, isSignificant }) => [touchpoint, isSignificant])).toEqual([
      ['delivery', true],
      ['support', true],
      ['returns', false],
      ['shop', false],
    ]);
    const [delivery, support, , shop] = ranked;
    expect(delivery).toMatchObject({ answers: 200, dissatisfied: 60, share: 0.3, expected: (200 * 182) / 1243 });
    expect(delivery?.excess).toBeCloseTo(60 - (200 * 182) / 1243, 12);
    expect(support).toMatchObject({ complaints: 7 });
    expect(shop?.excess).toBeLessThan(0);
    expect(ranked.reduce((total, { excess }) => total + excess, 0)).toBeCloseTo(0, 9);
  });

  test('and nothing is significant without answers, in one touchpoint alone, or where all are alike', () => {
    expect(rankTouchpoints(new Map(), 0.05)).toEqual([]);
    expect(rankTouchpoints(new Map([['only', of(10, 9)]]), 0.05)).toMatchObject([{ p: 1, isSignificant: false }]);
    const alike = rankTouchpoints(
      new Map([
        ['b', of(10, 0)],
        ['a', of(10, 0)],
      ]),
      0.05,
    );
    expect(alike.map(({ touchpoint, p }) => [touchpoint, p])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
  });

  test('by the answers that a window holds, whatever the metric, and no texts', () => {
    const text = { score: -1, label: 'NEGATIVE', coverage: 1, language: 'en', model: 'm' } as const;
    const driver = new TouchpointDriver()
      .record(T - 3 * DAY, { value: 0 })
      .record(T, { value: 9, sentiment: text })
      .record(T + HOUR, { metric: 'CSAT', value: 1 })
      .record(T + HOUR, { kind: 'COMPLAINT', metric: 'UNKNOWN', value: 0 })
      .record(T + HOUR, { kind: 'REMARK', metric: 'UNKNOWN', value: 0, sentiment: text });
    const { state } = driver;
    if (state.kind !== 'scores') throw new Error('it is a case');
    const [day, week] = SPANS;
    expect(answersIn(state, day, T + HOUR)).toEqual({ answers: 2, dissatisfied: 1, complaints: 1 });
    expect(answersIn(state, week, T + HOUR)).toEqual({ answers: 3, dissatisfied: 2, complaints: 1 });
    expect(answersIn(state, week, T + 90 * DAY)).toEqual({ answers: 0, dissatisfied: 0, complaints: 0 });
  });
});
