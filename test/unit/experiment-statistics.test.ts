import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  alwaysValidInterval,
  logEvidence,
  mixingRate,
  pOf,
  type Interval,
} from '../../processors/experiment/confidence-sequence.ts';
import { absoluteEffect, relativeEffect, type Arm, type Effect } from '../../processors/experiment/effect.ts';
import { chiSquareTail, upperGamma } from '../../processors/experiment/gamma-tail.ts';
import { addUnit, armOf, newSums, shareOf } from '../../processors/experiment/moments.ts';
import { ratioChiSquare, ratioLogEvidence } from '../../processors/experiment/sample-ratio.ts';

const ALPHA = 0.05;

/** Of a published sum and sum of squares, which are not whole. */
function meanArm(sum: number, squares: number, units: number): Arm {
  return { units, mean: sum / units, variance: (squares - sum ** 2 / units) / (units - 1) };
}
function shareArm(hits: number, units: number): Arm {
  return shareOf({ units, sum: BigInt(hits), squares: BigInt(hits) });
}
function told(effect: Effect | null): Effect {
  if (effect === null) throw new Error('there is no effect');
  return effect;
}
function alwaysValid(control: Arm, treatment: Arm, tuning: number, effectOf = relativeEffect) {
  const effect = told(effectOf(control, treatment));
  const information = (control.units + treatment.units) * mixingRate(ALPHA, tuning);
  const interval = alwaysValidInterval(effect, information, ALPHA);
  return {
    ...effect,
    ...interval,
    evidence: logEvidence(effect, information),
    p: pOf(logEvidence(effect, information)),
  };
}

describe('the always-valid interval of the relative effect is the published one', () => {
  // Tests of gbstats, GrowthBook's statistics.
  test('of means', () => {
    const told = alwaysValid(meanArm(1396.87, 52377.9767, 3000), meanArm(2422.7, 134698.29, 3461), 1000);
    expect(told.value).toBeCloseTo(0.50336, 5);
    expect(told.standardError).toBeCloseTo(0.33341, 5);
    expect([told.low, told.high]).toEqual([expect.closeTo(-0.55844, 5), expect.closeTo(1.56516, 5)]);
    expect(told.p).toBe(1);
  });

  test('of shares, with a p that a naive 1 / e could not hold', () => {
    const told = alwaysValid(shareArm(1396, 3000), shareArm(2422, 3461), 5000);
    expect(told.value).toBeCloseTo(0.50386, 5);
    expect(told.standardError).toBeCloseTo(0.03386, 5);
    expect([told.low, told.high]).toEqual([expect.closeTo(0.40098, 5), expect.closeTo(0.60675, 5)]);
    expect(told.p).toBeGreaterThan(4e-44);
    expect(told.p).toBeLessThan(6e-44);
    // A hundred times as many units: e is beyond every double, its logarithm is not.
    const huge = alwaysValid(shareArm(139_600, 300_000), shareArm(242_200, 346_100), 5000);
    expect(huge.evidence).toBeGreaterThan(1000);
    expect(huge.p).toBe(0);
  });

  // Tests of PostHog.
  test.each([
    [meanArm(1400, 52_000, 3000), meanArm(2500, 135_000, 3500), 1000, 0.53061, -0.5323, 1.59353],
    [shareArm(1450, 3050), shareArm(2600, 3500), 5000, 0.56256, 0.46064, 0.66448],
  ])('of PostHog, %#', (control, treatment, tuning, value, low, high) => {
    const told = alwaysValid(control, treatment, tuning);
    expect(told.value).toBeCloseTo(value, 5);
    expect([told.low, told.high]).toEqual([expect.closeTo(low, 4), expect.closeTo(high, 4)]);
  });
});

describe('effects are those of the fixed-horizon tests of gbstats', () => {
  // Their t quantiles differ from 1.96 in the fourth digit at these degrees of freedom, so do the half-widths here.
  const control = meanArm(1396.87, 52377.9767, 3407);
  const treatment = meanArm(2422.7, 134698.29, 3461);

  test('relative, of means', () => {
    const { value, standardError } = told(relativeEffect(control, treatment));
    expect(value).toBeCloseTo((-0.03526 + 1.44989) / 2, 4);
    expect(1.9603 * standardError).toBeCloseTo((1.44989 + 0.03526) / 2, 3);
  });

  test('absolute, of means', () => {
    const { value, standardError } = told(absoluteEffect(control, treatment));
    expect(value).toBeCloseTo(0.29, 3);
    expect(1.9603 * standardError).toBeCloseTo((0.53462 - 0.04538) / 2, 3);
  });

  test('relative, of few shares', () => {
    const { value, standardError } = told(relativeEffect(shareArm(14, 28), shareArm(16, 30)));
    expect(value).toBeCloseTo(0.06667, 5);
    // 97.5 % of t with 55.5 degrees of freedom.
    expect(2.0036 * standardError).toBeCloseTo((0.61101 + 0.47767) / 2, 3);
  });
});

describe('the mixture test of Johari, Pekelis and Walsh is the same with other information', () => {
  test.each([
    [100, 130, 1000, 1e-3, 0.952144, 0.385913, -0.013574, 0.073574],
    [500, 600, 10_000, 1e-4, 3.17779, 0.0416776, 0.000211, 0.019789],
  ])('%i and %i of %i', (hitsA, hitsB, n, tauSquare, logRatio, p, low, high) => {
    const effect = told(absoluteEffect(shareArm(hitsA, n), shareArm(hitsB, n)));
    const information = tauSquare / effect.standardError ** 2;
    expect(logEvidence(effect, information)).toBeCloseTo(logRatio, 5);
    expect(pOf(logEvidence(effect, information))).toBeCloseTo(p, 6);
    const interval = alwaysValidInterval(effect, information, ALPHA);
    expect([interval?.low, interval?.high]).toEqual([expect.closeTo(low, 6), expect.closeTo(high, 6)]);
  });
});

describe('where nothing can be told nothing is', () => {
  const none: Arm = { units: 0, mean: 0, variance: 0 };
  const some = shareArm(10, 100);

  test('one variant empty, or fewer than none while a guest is on the way', () => {
    for (const effectOf of [absoluteEffect, relativeEffect]) {
      expect(effectOf(none, some)).toBeNull();
      expect(effectOf(some, none)).toBeNull();
      expect(effectOf(some, { ...none, units: -1 })).toBeNull();
    }
    expect(armOf({ units: -1, sum: -3n, squares: -9n })).toEqual(none);
    expect(shareOf({ units: 0, sum: 0n, squares: 0n })).toEqual(none);
  });

  test('a control of 0 has no lift, but a difference', () => {
    expect(relativeEffect(shareArm(0, 100), some)).toBeNull();
    expect(relativeEffect({ ...some, mean: -0.1 }, some)).toBeNull();
    expect(absoluteEffect(shareArm(0, 100), some)?.value).toBe(0.1);
  });

  test('no spread is no evidence, however far apart', () => {
    const effect = told(absoluteEffect(shareArm(0, 3), shareArm(3, 3)));
    expect(effect).toEqual({ value: 1, standardError: 0 });
    expect(alwaysValidInterval(effect, 1, ALPHA)).toBeNull();
    expect(logEvidence(effect, 1)).toBe(0);
    expect(pOf(0)).toBe(1);
    expect(logEvidence({ value: 1, standardError: 1 }, 0)).toBe(0);
  });

  test('a single unit has no variance', () => {
    const sums = newSums();
    addUnit(sums, 700, 1);
    expect(armOf(sums)).toEqual({ units: 1, mean: 700, variance: 0 });
  });
});

test('the interval excludes 0 exactly when p is below alpha', () => {
  const property = fc.property(
    fc.double({ min: -3, max: 3, noNaN: true }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    fc.constantFrom(0.1, 0.05, 0.01, 1e-4),
    (value, standardError, information, alpha) => {
      const { low, high } = alwaysValidInterval({ value, standardError }, information, alpha) as Interval;
      const gap = Math.min(Math.abs(low), Math.abs(high));
      fc.pre(gap > 1e-9);
      expect(low > 0 || high < 0).toBe(pOf(logEvidence({ value, standardError }, information)) < alpha);
    },
  );
  fc.assert(property);
});

describe('sums are exact', () => {
  test('beyond the whole numbers of a double, and taken back to nothing', () => {
    const sums = newSums();
    const value = 3_000_000_001;
    for (let unit = 0; unit < 1000; unit++) addUnit(sums, value + (unit % 2), 1);
    expect(sums.squares).toBe(500n * (3_000_000_001n ** 2n + 3_000_000_002n ** 2n));
    // Two neighbouring values: p (1 − p) n / (n − 1) of a share; doubles would make 0 or thousands of it.
    expect(armOf(sums).variance).toBeCloseTo(250 / 999, 12);
    for (let unit = 0; unit < 1000; unit++) addUnit(sums, value + (unit % 2), -1);
    expect(sums).toEqual(newSums());
  });

  test('whatever order they come and go in', () => {
    const amounts = fc.array(fc.integer({ min: -(2 ** 45), max: 2 ** 45 }), { maxLength: 30 });
    const property = fc.property(amounts, amounts, (kept, gone) => {
      const [some, only] = [newSums(), newSums()];
      for (const value of gone) addUnit(some, value, -1);
      for (const value of kept) addUnit(some, value, 1);
      for (const value of gone.toReversed()) addUnit(some, value, 1);
      for (const value of kept.toReversed()) addUnit(only, value, 1);
      expect(some).toEqual(only);
    });
    fc.assert(property);
  });
});

describe('the sequential test of the sample ratio', () => {
  // As computed with GrowthBook's implementation of Lindon and Malek.
  test.each([
    [[100, 900], 29.0716, 2.3679e-13],
    [[500, 600], 0.398315, 0.67145],
  ])('of %j has the published evidence', (units, logE, p) => {
    const evidence = ratioLogEvidence(units, [0.5, 0.5]);
    expect(evidence).toBeCloseTo(logE, 4);
    expect(pOf(evidence) / p).toBeCloseTo(1, 4);
  });

  test('of as many here as there is no surprise, and of none there is no evidence', () => {
    expect(pOf(ratioLogEvidence([500, 500], [0.5, 0.5]))).toBe(1);
    expect(ratioLogEvidence([0, 0, 0], [0.5, 0.25, 0.25])).toBeCloseTo(0, 9);
    expect(ratioLogEvidence([-1], [0.5, 0.5])).toBeCloseTo(0, 9);
  });

  test('one step after the other comes to the same as all at once', () => {
    // The posterior of one day is the prior of the next: the product of the days' evidence, by its definition.
    const days = [
      [30, 50],
      [44, 41],
      [26, 60],
    ] as const;
    const prior = [5000, 5000];
    let logE = 0;
    for (const day of days) {
      for (const [place, count] of day.entries()) {
        for (let unit = 0; unit < count; unit++) {
          const [own = 0, all] = [prior[place], (prior[0] ?? 0) + (prior[1] ?? 0)];
          logE += Math.log(own / all / 0.5);
          prior[place] = own + 1;
        }
      }
    }
    expect(ratioLogEvidence([100, 151], [0.5, 0.5])).toBeCloseTo(logE, 9);
  });
});

describe('the χ² snapshot of the sample ratio', () => {
  test.each([
    [[821_588, 815_482], [0.5, 0.5], 1.8e-6],
    [[600, 400], [0.5, 0.5], 2.54e-10],
    [[44_000, 45_000], [0.5, 0.5], 8e-4],
    [[500, 600], [0.5, 0.5], 0.002569],
    [[5100, 2400, 2500], [0.5, 0.25, 0.25], 0.0498],
  ])('of %j is the published one', (units, shares, p) => {
    expect(Math.abs((ratioChiSquare(units, shares)?.p ?? 1) / p - 1)).toBeLessThan(0.04);
  });

  test('has the published statistics, and none without units', () => {
    expect(ratioChiSquare([821_588, 815_482], [0.5, 0.5])?.statistic).toBeCloseTo(22.774, 3);
    expect(ratioChiSquare([5100, 2400, 2500], [0.5, 0.25, 0.25])?.statistic).toBeCloseTo(6, 9);
    expect(ratioChiSquare([0, 0], [0.5, 0.5])).toBeNull();
  });

  test('has tails as in tables', () => {
    // Abramowitz and Stegun, table 26.8.
    expect(chiSquareTail(3.84146, 1)).toBeCloseTo(0.05, 6);
    expect(chiSquareTail(10.8276, 1)).toBeCloseTo(0.001, 6);
    expect(chiSquareTail(18.307, 10)).toBeCloseTo(0.05, 5);
    expect(chiSquareTail(0, 3)).toBe(1);
    expect(chiSquareTail(2000, 1)).toBe(0);
    // Q(1, x) = e^−x.
    for (const x of [0.1, 1, 1.9, 2.1, 40]) expect(upperGamma(1, x) / Math.exp(-x)).toBeCloseTo(1, 12);
  });
});

describe('Cookie Cats, whose gate moved from level 30 to 40', () => {
  // Published data set of Tactile Entertainment: players, and how many came back after a day and after a week.
  const [gate30, gate40] = [44_700, 45_489];

  test('the fixed-horizon figures are the known ones', () => {
    const z = (a: number, b: number): number => {
      const effect = told(absoluteEffect(shareArm(b, gate40), shareArm(a, gate30)));
      return effect.value / effect.standardError;
    };
    expect(z(20_034, 20_119)).toBeCloseTo(1.7841, 3);
    expect(z(8502, 8279)).toBeCloseTo(3.1644, 3);
  });

  test('the week is clear at one look, and not yet under continuous looks', () => {
    const week = alwaysValid(shareArm(8279, gate40), shareArm(8502, gate30), 5000, absoluteEffect);
    expect([week.low, week.high]).toEqual([expect.closeTo(-0.00041, 5), expect.closeTo(0.01681, 5)]);
    expect(week.p).toBeCloseTo(0.0833, 4);
  });

  test('the players fall to the gates as they should, though one look would have doubted it', () => {
    expect(pOf(ratioLogEvidence([gate30, gate40], [0.5, 0.5]))).toBeCloseTo(0.1416, 4);
    expect(ratioChiSquare([gate30, gate40], [0.5, 0.5])?.p).toBeCloseTo(0.0086, 4);
  });
});
