import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calibrationError } from '../../processors/core/calibration.ts';
import { areaUnderCurve, brierScore, liftAt, logLoss } from '../../processors/core/statistics.ts';

const PROBABILITIES = [0.9, 0.8, 0.8, 0.3, 0.1];
const OUTCOMES = [true, true, false, false, true];

describe('scores of predicted probabilities', () => {
  test('the area under the curve counts pairs, ties half', () => {
    // Pairs (happened, not): .9 beats both; .8 ties one and beats one; .1 loses both: 3.5 of 6.
    expect(areaUnderCurve(PROBABILITIES, OUTCOMES)).toBeCloseTo(3.5 / 6, 14);
    expect(areaUnderCurve([0.1, 0.2, 0.3], [false, false, true])).toBe(1);
    expect(areaUnderCurve([0.5, 0.5, 0.5], [false, false, true])).toBe(0.5);
    expect(areaUnderCurve([0.5], [true])).toBeNaN();
  });

  test('the Brier score is the mean squared distance', () => {
    expect(brierScore(PROBABILITIES, OUTCOMES)).toBeCloseTo((0.01 + 0.04 + 0.64 + 0.09 + 0.81) / 5, 14);
    expect(
      brierScore(
        [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3],
        Array.from({ length: 10 }, (_, at) => at < 3),
      ),
    ).toBeCloseTo(0.21, 14);
    expect(brierScore([], [])).toBeNaN();
  });

  test('log loss is finite for a certainty that was wrong', () => {
    expect(logLoss([0.5, 0.25], [true, false])).toBeCloseTo((Math.log(2) - Math.log(0.75)) / 2, 14);
    expect(logLoss([0], [true])).toBeCloseTo(-Math.log(1e-15), 10);
    expect(logLoss([1], [true])).toBeCloseTo(0, 14);
  });

  test('the calibration error weighs bins of equal width by their cases', () => {
    // Bins: [.1] happened 1; [.3] happened 0; [.8 .8] happened ½; [.9] happened 1.
    expect(calibrationError(PROBABILITIES, OUTCOMES)).toBeCloseTo((0.9 + 0.3 + 2 * 0.3 + 0.1) / 5, 14);
    expect(calibrationError([1, 1], [true, true])).toBe(0);
    expect(calibrationError([0.1, 0.9], [false, true], 1)).toBeCloseTo(0, 14);
  });

  test('lift compares the top share with everybody, ties in part', () => {
    expect(liftAt(0.2, PROBABILITIES, OUTCOMES)).toBeCloseTo(1 / 0.6, 14);
    expect(liftAt(0.4, PROBABILITIES, OUTCOMES)).toBeCloseTo(0.75 / 0.6, 14);
    expect(liftAt(1, PROBABILITIES, OUTCOMES)).toBeCloseTo(1, 14);
  });

  test('the area under the curve equals counting all pairs', () => {
    const cases = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean()), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(cases, (drawn) => {
        const happened = drawn.filter(([, outcome]) => outcome);
        const not = drawn.filter(([, outcome]) => !outcome);
        fc.pre(happened.length > 0 && not.length > 0);
        const pairs = happened.flatMap(([high]) => not.map(([low]) => (high > low ? 1 : high === low ? 0.5 : 0)));
        const expected = pairs.reduce<number>((sum, each) => sum + each, 0) / pairs.length;
        const area = areaUnderCurve(
          drawn.map(([score]) => score / 6),
          drawn.map(([, outcome]) => outcome),
        );
        expect(area).toBeCloseTo(expected, 12);
      }),
    );
  });
});
