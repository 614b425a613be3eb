import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedOrders } from '../../processors/churn/expected-orders.ts';
import { hypergeometric } from '../../processors/churn/hypergeometric.ts';
import { logLikelihood, type ChurnParameters } from '../../processors/churn/likelihood.ts';
import type { ChurnModelName } from '../../processors/core/definitions.ts';
import { logBeta, logGamma } from '../../processors/core/log-gamma.ts';
import { churnModelOf } from '../../processors/customer/churn-model.ts';

/** As published for the CDNOW sample: BG/NBD by Fader, Hardie and Lee (2005), MBG/NBD by the R package BTYDplus. */
const PUBLISHED = {
  'bg-nbd': { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 },
  'mbg-nbd': { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 },
};

function modelOf(model: ChurnModelName, parameters: ChurnParameters = PUBLISHED[model]) {
  const rest = { horizonDays: 90, version: '' };
  return churnModelOf({ ...rest, model, parameters, baseline: { probability: 0, x: 0, tx: 0, T: 0 } });
}

describe('the logarithm of the gamma function', () => {
  // Computed to thirty digits with mpmath.
  test.each([
    [1e-8, 18.42068073818021],
    [1e-5, 11.512919692895826],
    [0.1, 2.252712651734206],
    [0.5, 0.5723649429247001],
    [1, 0],
    [1.5, -0.12078223763524522],
    [2, 0],
    [3.7, 1.4280723266653879],
    [9.99, 12.779315214350193],
    [10, 12.801827480081469],
    [25.5, 56.389167643719944],
    [100, 359.1342053695754],
    [1234.5, 7550.550901077895],
    [1e6, 12815504.569147611],
  ])('of %d', (x, expected) => {
    expect(Math.abs(logGamma(x) - expected)).toBeLessThan(1e-12 * Math.max(1, Math.abs(expected)));
  });

  test('holds to the recurrence and to the factorials', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 500, noNaN: true }), (x) => {
        expect(logGamma(x + 1) - logGamma(x) - Math.log(x)).toBeCloseTo(0, 11);
      }),
    );
    let logFactorial = 0;
    for (let n = 1; n < 170; n++) {
      logFactorial += Math.log(n);
      expect(logGamma(n + 1)).toBeCloseTo(logFactorial, 10);
    }
  });

  test('gives the beta function', () => {
    expect(Math.exp(logBeta(2, 3))).toBeCloseTo(1 / 12, 14);
    expect(Math.exp(logBeta(0.5, 0.5))).toBeCloseTo(Math.PI, 13);
  });
});

describe("Gauss' hypergeometric function", () => {
  test.each([0, 0.1, 0.5, 0.9, 0.973, 0.99])('has its closed forms at z = %d', (z) => {
    if (z > 0) expect(hypergeometric(1, 1, 2, z)).toBeCloseTo(-Math.log1p(-z) / z, 11);
    expect(hypergeometric(2.5, 3, 3, z) / (1 - z) ** -2.5).toBeCloseTo(1, 11);
    if (z > 0) expect(hypergeometric(0.5, 1, 1.5, z * z)).toBeCloseTo(Math.atanh(z) / z, 11);
  });

  test('is the same by either of its two series', () => {
    const values = fc.double({ min: 0.05, max: 30, noNaN: true });
    fc.assert(
      fc.property(values, values, values, fc.double({ min: 0, max: 0.9, noNaN: true }), (a, b, c, z) => {
        const transformed = (1 - z) ** (c - a - b) * hypergeometric(c - a, c - b, c, z);
        expect(hypergeometric(a, b, c, z) / transformed).toBeCloseTo(1, 8);
      }),
    );
  });
});

describe('the log-likelihood of one customer', () => {
  test.each<[ChurnModelName, number, number, number, number]>([
    ['bg-nbd', 2, 30.43, 38.86, -9.458606],
    ['mbg-nbd', 2, 30.43, 38.86, -9.485551],
    ['bg-nbd', 0, 0, 38.86, -0.554713],
    ['mbg-nbd', 0, 0, 38.86, -0.539837],
  ])('%s, x %d, t_x %d, T %d', (model, x, tx, T, expected) => {
    expect(logLikelihood(model, PUBLISHED[model], [{ x, tx, T, customers: 1 }])).toBeCloseTo(expected, 6);
    expect(logLikelihood(model, PUBLISHED[model], [{ x, tx, T, customers: 3 }])).toBeCloseTo(3 * expected, 5);
  });

  test('is a number where powers overflow', () => {
    for (const model of ['bg-nbd', 'mbg-nbd'] as const) {
      const one = logLikelihood(model, PUBLISHED[model], [{ x: 1000, tx: 10, T: 1000, customers: 1 }]);
      expect(Number.isFinite(one)).toBe(true);
    }
  });

  test('of no customer is 0', () => {
    expect(logLikelihood('mbg-nbd', PUBLISHED['mbg-nbd'], [])).toBe(0);
  });
});

describe('the orders to expect', () => {
  test('of one customer in 39 weeks: 1.226 as in Hardie’s worked example', () => {
    const customer = { x: 2, tx: 30.43, T: 38.86 };
    expect(expectedOrders(modelOf('bg-nbd'), customer, 39)).toBeCloseTo(1.226028, 6);
    expect(expectedOrders(modelOf('mbg-nbd'), customer, 39)).toBeCloseTo(1.262961, 6);
  });

  // Of somebody about whom nothing is known, E[X(t)] as Fader, Hardie and Lee print it from parameters not rounded; for 78
  // weeks they print 1.8576, and mpmath gives 1.85797.
  test.each([
    [0.1429, 0.0078],
    [1, 0.0532],
    [3, 0.1506],
    [31.8571, 1.0405],
    [32, 1.0437],
    [78, 1.858],
  ])('of a new customer in %d weeks', (weeks, expected) => {
    const fitted = { r: 0.24259292, alpha: 4.41353, a: 0.79289, b: 2.42575 };
    expect(Math.abs(expectedOrders(modelOf('bg-nbd', fitted), { x: 0, tx: 0, T: 0 }, weeks) - expected)).toBeLessThan(
      1e-4,
    );
  });

  test('goes smoothly through a = 1, where the formula is 0/0', () => {
    const at = (a: number): number =>
      expectedOrders(modelOf('mbg-nbd', { ...PUBLISHED['mbg-nbd'], a }), { x: 2, tx: 30, T: 39 }, 39);
    // The limit, by mpmath at a = 1 + 1e-15.
    expect(at(1)).toBeCloseTo(1.177893425, 6);
    expect(at(0.99)).toBeCloseTo(1.183846146, 9);
    expect(at(1.01)).toBeCloseTo(1.171991484, 9);
  });

  test('is 0 of no time, grows with time, and never beyond the rate of somebody who stays', () => {
    for (const model of ['bg-nbd', 'mbg-nbd'] as const) {
      const customer = { x: 3, tx: 20, T: 30 };
      const expected = [0, 1, 10, 52, 520].map((weeks) => expectedOrders(modelOf(model), customer, weeks));
      expect(expected[0]).toBeCloseTo(0, 12);
      expect(expected).toEqual(expected.toSorted((a, b) => a - b));
      const { r, alpha } = PUBLISHED[model];
      expect(expected[4]).toBeLessThan((520 * (r + 3)) / (alpha + 30));
    }
  });
});
