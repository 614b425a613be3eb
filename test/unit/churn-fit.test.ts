import { describe, expect, test } from 'vitest';
import { cutOffsOf, judge, predict } from '../../processors/churn/back-test.ts';
import { CUSTOMERS_MIN, tooLittle } from '../../processors/churn/enough-data.ts';
import { fitChurnModel, type ChurnFit, type FitFailure } from '../../processors/churn/fit.ts';
import { minimize } from '../../processors/churn/nelder-mead.ts';
import { countStatistics, orderDays, statisticAt, type OrderStatistic } from '../../processors/churn/order-history.ts';
import { referenceCustomer } from '../../processors/churn/reference-customer.ts';
import type { ChurnModelName } from '../../processors/core/definitions.ts';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { simulatedOrders, SIMULATION_START as START } from '../harness/simulated-orders.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const WEEKS = 104;
const END = START + WEEKS * WEEK_MS;
const TRUE = {
  'bg-nbd': { r: 0.6, alpha: 12, a: 0.8, b: 3 },
  'mbg-nbd': { r: 0.9, alpha: 12, a: 0.7, b: 2.5 },
};
const NAMES = ['r', 'alpha', 'a', 'b'] as const;
const SOME: OrderStatistic[] = [
  { x: 0, tx: 0, T: 30 },
  { x: 2, tx: 20, T: 40 },
];

const statisticsOf = (histories: readonly number[][], at = END) =>
  countStatistics(histories.flatMap((history) => statisticAt(history, at) ?? []));
const failureOf = (fit: ChurnFit | FitFailure): string => ('failure' in fit ? fit.failure : 'none');
const many = (statistics: OrderStatistic[]) => statistics.map((each) => ({ ...each, customers: 1_000 }));

describe('a fit', () => {
  test.each<ChurnModelName>(['bg-nbd', 'mbg-nbd'])('of simulated customers finds the %s that they follow', (model) => {
    const histories = simulatedOrders(model, TRUE[model], { customers: 6_000, weeks: WEEKS, seed: 7 });
    const fit = fitChurnModel(model, statisticsOf(histories));
    if ('failure' in fit) throw new Error(fit.failure);
    for (const name of NAMES) {
      const error = fit.standardErrors?.[name] ?? NaN;
      expect(error, name).toBeLessThan(0.3 * TRUE[model][name]);
      expect(Math.abs(fit.parameters[name] - TRUE[model][name]), name).toBeLessThan(3 * error);
    }
  });

  test('is the same to the last digit in whatever order the customers come', () => {
    const histories = simulatedOrders('mbg-nbd', TRUE['mbg-nbd'], { customers: 600, weeks: WEEKS, seed: 3 });
    const fit = fitChurnModel('mbg-nbd', statisticsOf(histories));
    expect(failureOf(fit)).toBe('none');
    expect(fitChurnModel('mbg-nbd', statisticsOf(histories.toReversed()))).toEqual(fit);
  });

  test('tells its progress, and ends higher than it began', () => {
    const seen: number[] = [];
    const histories = simulatedOrders('mbg-nbd', TRUE['mbg-nbd'], { customers: 600, weeks: WEEKS, seed: 3 });
    const fit = fitChurnModel('mbg-nbd', statisticsOf(histories), { progress: (_, value) => seen.push(value) });
    if ('failure' in fit) throw new Error(fit.failure);
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.at(-1)).toBeGreaterThan(seen[0] ?? 0);
    expect(seen.at(-1)).toBeCloseTo(fit.logLikelihood, 4);
  });

  test('fails when the evaluations run out', () => {
    expect(failureOf(fitChurnModel('mbg-nbd', many(SOME), { evaluationsMax: 20 }))).toMatch(
      /^no maximum was found in \d+ steps/,
    );
  });

  test('fails when the orders do not determine a parameter', () => {
    // Nobody orders twice: any rate is too high. Everybody orders at one same rate to the end: nobody leaves, nobody differs.
    const never = many([
      { x: 0, tx: 0, T: 20 },
      { x: 0, tx: 0, T: 50 },
    ]);
    expect(failureOf(fitChurnModel('bg-nbd', never))).toMatch(/runs away/);
    const always = many([
      { x: 20, tx: 20, T: 20 },
      { x: 50, tx: 50, T: 50 },
    ]);
    expect(failureOf(fitChurnModel('mbg-nbd', always))).toMatch(/runs away/);
    expect(failureOf(fitChurnModel('mbg-nbd', many([{ x: 0, tx: 0, T: 0 }])))).toMatch(/just now/);
  });
});

describe('the search for a minimum', () => {
  test('finds the bottom of a curved valley', () => {
    const rosenbrock = ([x = NaN, y = NaN]: readonly number[]): number => (1 - x) ** 2 + 100 * (y - x * x) ** 2;
    const tolerances = { step: 0.5, valueTolerance: 1e-12, pointTolerance: 1e-6 };
    const found = minimize(rosenbrock, [-1.2, 1], { ...tolerances, evaluationsMax: 5_000 });
    expect(found.converged).toBe(true);
    for (const each of found.point) expect(each).toBeCloseTo(1, 5);
    expect(minimize(rosenbrock, [-1.2, 1], { ...tolerances, evaluationsMax: 30 }).converged).toBe(false);
  });

  test('goes round what is no number', () => {
    const halfPlane = ([x = NaN, y = NaN]: readonly number[]): number => (x < 0 ? NaN : (x - 1) ** 2 + y ** 2);
    const options = { step: -2, valueTolerance: 1e-10, pointTolerance: 1e-5, evaluationsMax: 2_000 };
    const { point } = minimize(halfPlane, [0.5, 3], options);
    expect(point[0]).toBeCloseTo(1, 4);
    expect(point[1]).toBeCloseTo(0, 4);
  });
});

describe('what is known of a customer', () => {
  const noon = START + DAY_MS / 2;
  const history = [noon, noon + 3_600_000, noon + 7 * DAY_MS, noon + 14 * DAY_MS + 1];

  test('are days with an order, counted once, up to the instant asked for', () => {
    expect(statisticAt(history, noon - 1)).toBeNull();
    expect(statisticAt(history, noon)).toEqual({ x: 0, tx: 0, T: 0 });
    expect(statisticAt(history, noon + 3_600_000)).toMatchObject({ x: 0, tx: 0 });
    expect(statisticAt(history, noon + 7 * DAY_MS)).toEqual({ x: 1, tx: 1, T: 1 });
    expect(statisticAt(history, noon + 14 * DAY_MS)).toEqual({ x: 1, tx: 1, T: 2 });
    expect(statisticAt([], noon)).toBeNull();
  });

  test('are, of a horizon, those after its start and up to its end', () => {
    expect(orderDays(history, noon, noon + 7 * DAY_MS)).toBe(2);
    expect(orderDays(history, noon + 3_600_000, noon + 7 * DAY_MS)).toBe(1);
    expect(orderDays(history, noon + 7 * DAY_MS, noon + 14 * DAY_MS)).toBe(0);
  });

  test('of the one in the middle is the reference', () => {
    const statistics = [...SOME, { x: 5, tx: 30, T: 50.123 }];
    expect(referenceCustomer(statistics)).toEqual({ x: 2, tx: 19.88, T: 40 });
    expect(referenceCustomer(SOME)).toEqual({ x: 0, tx: 0, T: 30 });
  });
});

describe('a back-test', () => {
  const histories = simulatedOrders('mbg-nbd', TRUE['mbg-nbd'], { customers: 2_000, weeks: WEEKS, seed: 11 });
  const rest = { model: 'mbg-nbd' as const, horizonDays: 91, version: '' };
  const model = churnModelOf({ ...rest, parameters: TRUE['mbg-nbd'], baseline: { probability: 0, x: 0, tx: 0, T: 0 } });
  const cutOff = END - 91 * DAY_MS;

  test('finds the true model calibrated, and better than the base rate', () => {
    const judgement = judge(predict(histories, model, cutOff));
    expect(judgement.customers).toBe(2_000);
    expect(judgement.calibrationError).toBeLessThan(0.04);
    expect(judgement.brier).toBeLessThan(judgement.baseRate.brier - 0.02);
    expect(judgement.logLoss).toBeLessThan(judgement.baseRate.logLoss);
    expect(judgement.auc).toBeGreaterThan(0.75);
    expect(judgement.lift).toBeGreaterThan(1.5);
    expect(Math.abs(judgement.orders.expected / judgement.orders.made - 1)).toBeLessThan(0.1);
  });

  test('predicts by nothing that came after the cut-off', () => {
    const before = histories.map((history) => history.filter((at) => at <= cutOff)).filter((each) => each.length > 0);
    const risksOf = (known: readonly number[][]) => predict(known, model, cutOff).map(({ risk }) => risk);
    expect(risksOf(before)).toEqual(risksOf(histories));
  });

  test('has no cut-off before half a year, nor one whose horizon has not passed', () => {
    const at = (until: number) => cutOffsOf([[START]], { until, horizonDays: 90, everyDays: 90, count: 3 });
    expect(at(START + 269 * DAY_MS)).toEqual([]);
    expect(at(START + 270 * DAY_MS)).toEqual([START + 180 * DAY_MS]);
    expect(at(START + 900 * DAY_MS)).toHaveLength(3);
    expect(cutOffsOf([], { until: END, horizonDays: 90, everyDays: 90, count: 3 })).toEqual([]);
  });
});

describe('too little to fit', () => {
  const customers = (count: number): number[][] => Array.from({ length: count }, () => [START]);

  test('are fewer than 500 customers, or less than 180 days', () => {
    expect(tooLittle(customers(CUSTOMERS_MIN), START + 180 * DAY_MS)).toBeNull();
    expect(tooLittle(customers(CUSTOMERS_MIN - 1), START + 180 * DAY_MS)).toMatch(/^499 customers .* 500/);
    expect(tooLittle(customers(CUSTOMERS_MIN), START + 180 * DAY_MS - 1)).toMatch(/179 days.* 180/);
    expect(tooLittle([], START)).toMatch(/^0 customers/);
  });

  test('are customers whose first order is still to come', () => {
    expect(tooLittle([...customers(499), [START + 200 * DAY_MS]], START + 190 * DAY_MS)).toMatch(/^499 customers/);
  });
});
