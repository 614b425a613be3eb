import { describe, expect, test } from 'vitest';
import { cutOffsOf, judge, predict, type Judgement } from '../../processors/churn/back-test.ts';
import { fitChurnModel, type ChurnFit } from '../../processors/churn/fit.ts';
import { logLikelihood } from '../../processors/churn/likelihood.ts';
import { countStatistics, statisticAt, type CountedStatistic } from '../../processors/churn/order-history.ts';
import type { ChurnModelName } from '../../processors/core/definitions.ts';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { cdnowIsThere, purchaseHistories } from '../harness/cdnow.ts';

const DAY_MS = 86_400_000;
/** The end of the calibration period of the published models. */
const CUT_OFF = Date.parse('1997-09-30T00:00:00Z');
const HISTORIES = { master: [] as number[][], sample: [] as number[][] };
const present = cdnowIsThere('the churn models are not held to the CDNOW customers');
if (present) {
  HISTORIES.master = purchaseHistories('master');
  HISTORIES.sample = purchaseHistories('sample');
}

function statisticsOf(histories: readonly number[][], round = (weeks: number): number => weeks): CountedStatistic[] {
  const known = histories.flatMap((history) => statisticAt(history, CUT_OFF) ?? []);
  return countStatistics(known.map(({ x, tx, T }) => ({ x, tx: round(tx), T: round(T) })));
}

function fitted(model: ChurnModelName, statistics: readonly CountedStatistic[]): ChurnFit {
  const fit = fitChurnModel(model, statistics);
  if ('failure' in fit) throw new Error(fit.failure);
  return fit;
}

/** A fit of the full cohort takes seconds where others work, too. */
const fits = new Map<string, ChurnFit>();
function fittedTo(of: 'master' | 'sample', model: ChurnModelName): ChurnFit {
  const key = `${of} ${model}`;
  const fit = fits.get(key) ?? fitted(model, statisticsOf(HISTORIES[of]));
  fits.set(key, fit);
  return fit;
}

function judged(of: 'master' | 'sample', model: ChurnModelName, horizonDays: number): Judgement {
  const { parameters } = fittedTo(of, model);
  const baseline = { probability: 0, x: 0, tx: 0, T: 0 };
  const rest = { horizonDays, baseline, version: '' };
  return judge(predict(HISTORIES[of], churnModelOf({ ...rest, model, parameters }), CUT_OFF));
}

describe.runIf(present)('the CDNOW customers, calibrated up to 1997-09-30', () => {
  test('are those of the published models', () => {
    const sums = (statistics: CountedStatistic[]) => ({
      customers: statistics.reduce((sum, each) => sum + each.customers, 0),
      repeats: statistics.reduce((sum, { x, customers }) => sum + x * customers, 0),
      once: statistics.reduce((sum, { x, customers }) => sum + (x === 0 ? customers : 0), 0),
    });
    expect(sums(statisticsOf(HISTORIES.sample))).toEqual({ customers: 2_357, repeats: 2_457, once: 1_411 });
    expect(sums(statisticsOf(HISTORIES.master))).toMatchObject({ customers: 23_570, repeats: 24_337 });
  });

  // Fader, Hardie and Lee (2005); BTYDplus. Both took weeks to two places.
  test.each<[ChurnModelName, Record<string, number>, number]>([
    ['bg-nbd', { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 }, -9582.427],
    ['mbg-nbd', { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 }, -9582.133],
  ])('of the sample give the published %s', (model, published, logLikelihoodThere) => {
    const statistics = statisticsOf(HISTORIES.sample, (weeks) => Math.round(weeks * 100) / 100);
    const fit = fitted(model, statistics);
    for (const name of ['r', 'alpha', 'a', 'b'] as const) {
      expect(fit.parameters[name], name).toBeCloseTo(published[name] ?? NaN, 3);
    }
    const { r = NaN, alpha = NaN, a = NaN, b = NaN } = published;
    const there = logLikelihood(model, { r, alpha, a, b }, statistics);
    expect(there).toBeCloseTo(logLikelihoodThere, 3);
    expect(fit.logLikelihood).toBeGreaterThanOrEqual(there);
    expect(fit.logLikelihood - there).toBeLessThan(0.005);
  });

  test('of the sample give the parameters of BG/NBD to the fifth digit', () => {
    const statistics = statisticsOf(HISTORIES.sample, (weeks) => Math.round(weeks * 100) / 100);
    const { parameters } = fitted('bg-nbd', statistics);
    const published = { r: 0.24259292, alpha: 4.41353, a: 0.79289, b: 2.42575 };
    // As far as a search for the highest of so flat a likelihood can agree with another one.
    for (const name of ['r', 'alpha', 'a', 'b'] as const) {
      expect(Math.abs(parameters[name] - published[name]), name).toBeLessThan(1e-5);
    }
  });

  test.each<[ChurnModelName, Record<string, number>, number]>([
    ['bg-nbd', { r: 0.2516, alpha: 4.7889, a: 0.7234, b: 2.1611 }, -95368.44],
    ['mbg-nbd', { r: 0.6371, alpha: 7.3103, a: 0.8075, b: 1.2284 }, -95336.96],
  ])('of the full cohort give %s', (model, expected, logLikelihoodThere) => {
    const fit = fittedTo('master', model);
    for (const name of ['r', 'alpha', 'a', 'b'] as const) {
      expect(fit.parameters[name], name).toBeCloseTo(expected[name] ?? NaN, 4);
      // Each parameter is known to a tenth, and none is known exactly.
      expect(fit.standardErrors?.[name]).toBeLessThan(0.1 * fit.parameters[name]);
      expect(fit.standardErrors?.[name]).toBeGreaterThan(0.005 * fit.parameters[name]);
    }
    expect(fit.logLikelihood).toBeCloseTo(logLikelihoodThere, 2);
  });
});

describe.runIf(present)('what the CDNOW customers then did', () => {
  const near = (value: number, expected: number, within: number): void => {
    expect(Math.abs(value - expected)).toBeLessThanOrEqual(within);
  };

  test('39 weeks of the sample: BG/NBD', () => {
    const { customers, lost, baseRate, recency, orders, ...scores } = judged('sample', 'bg-nbd', 273);
    expect({ customers, buyers: Math.round(customers * (1 - lost)) }).toEqual({ customers: 2_357, buyers: 684 });
    expect(scores.auc).toBeCloseTo(0.7569, 4);
    expect(scores.brier).toBeCloseTo(0.1612, 4);
    expect(scores.logLoss).toBeCloseTo(0.5056, 4);
    near(scores.calibrationError, 0.043, 0.001);
    near(scores.lift, 2.8, 0.02);
    expect(baseRate.brier).toBeCloseTo(0.206, 4);
    expect(baseRate.logLoss).toBeCloseTo(0.6023, 4);
    expect(recency.auc).toBeCloseTo(0.7714, 4);
    expect(orders.made).toBe(1_882);
    near(orders.expected, 1_653, 1);
  });

  test('39 weeks of the sample: MBG/NBD, as good as is asked of it', () => {
    const { orders, ...scores } = judged('sample', 'mbg-nbd', 273);
    expect(scores.auc).toBeCloseTo(0.7601, 4);
    expect(scores.brier).toBeCloseTo(0.1614, 4);
    expect(scores.logLoss).toBeCloseTo(0.5053, 4);
    near(scores.calibrationError, 0.05, 0.001);
    near(orders.expected, 1_577, 1);
    expect(scores.auc).toBeGreaterThanOrEqual(0.75);
    expect(scores.calibrationError).toBeLessThanOrEqual(0.065);
  });

  test('90 days of the sample', () => {
    const { lost, ...scores } = judged('sample', 'mbg-nbd', 90);
    near(1 - lost, 0.169, 0.0005);
    expect(scores.auc).toBeCloseTo(0.7886, 4);
    expect(scores.brier).toBeCloseTo(0.1096, 4);
    expect(scores.logLoss).toBeCloseTo(0.3651, 4);
    near(scores.calibrationError, 0.025, 0.001);
    expect(scores.auc).toBeGreaterThanOrEqual(0.78);
    expect(scores.calibrationError).toBeLessThanOrEqual(0.03);
  });

  test('30 days of the sample', () => {
    const { lost, ...scores } = judged('sample', 'mbg-nbd', 30);
    near(1 - lost, 0.073, 0.0005);
    expect(scores.auc).toBeCloseTo(0.8041, 4);
    expect(scores.brier).toBeCloseTo(0.056, 4);
    expect(scores.logLoss).toBeCloseTo(0.2079, 4);
    near(scores.calibrationError, 0.009, 0.001);
  });

  test('39 weeks of the full cohort', () => {
    const { customers, lost, ...scores } = judged('master', 'mbg-nbd', 273);
    expect(Math.round(customers * (1 - lost))).toBe(7_058);
    expect(scores.auc).toBeCloseTo(0.7547, 4);
    expect(scores.brier).toBeCloseTo(0.1661, 4);
    expect(scores.logLoss).toBeCloseTo(0.5149, 4);
    near(scores.calibrationError, 0.062, 0.001);
    expect(scores.auc).toBeGreaterThanOrEqual(0.75);
    expect(scores.calibrationError).toBeLessThanOrEqual(0.065);
  });

  test('90 days of the full cohort', () => {
    const scores = judged('master', 'mbg-nbd', 90);
    near(scores.auc, 0.767, 0.001);
    near(scores.calibrationError, 0.032, 0.001);
  });

  test('is judged at cut-offs whose horizon has passed and that follow half a year', () => {
    const until = Date.parse('1998-06-30T00:00:00Z');
    const cutOffs = cutOffsOf(HISTORIES.sample, { until, horizonDays: 90, everyDays: 90, count: 9 });
    expect(cutOffs.map((at) => new Date(at).toISOString().slice(0, 10))).toEqual([
      '1997-07-05',
      '1997-10-03',
      '1998-01-01',
      '1998-04-01',
    ]);
    expect(cutOffs.every((at) => at + 90 * DAY_MS <= until)).toBe(true);
    expect(cutOffsOf(HISTORIES.sample, { until, horizonDays: 273, everyDays: 1, count: 1 })).toEqual([CUT_OFF]);
  });
});
