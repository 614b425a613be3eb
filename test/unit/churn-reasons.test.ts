import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChurnModelName } from '../../processors/core/definitions.ts';
import { churnModelOf, churnRisk, type ChurnModel } from '../../processors/customer/churn-model.ts';
import { churnReasons } from '../../processors/customer/churn-reasons.ts';
import { churnProbability, type OrderStatistics } from '../../processors/customer/churn-risk.ts';

const WEEK_MS = 7 * 86_400_000;
const FIRST = Date.parse('2024-01-01T00:00:00Z');

interface Baseline {
  readonly x: number;
  readonly tx: number;
  readonly T: number;
}

/** BTYDplus' fit of MBG/NBD and Fader, Hardie and Lee's of BG/NBD to the CDNOW sample. */
function modelOf(model: ChurnModelName, baseline: Baseline, misstatedBy = 0): ChurnModel {
  const parameters =
    model === 'mbg-nbd'
      ? { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 }
      : { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
  const definition = { model, horizonDays: 90, parameters, version: 'v' };
  const unjudged = churnModelOf({ ...definition, baseline: { ...baseline, probability: 0 } });
  const probability = churnRisk(unjudged, baseline.x, baseline.tx, baseline.T) + misstatedBy;
  return { ...unjudged, baseline: { ...baseline, probability } };
}

function reasonsOf(model: ChurnModel, stats: OrderStatistics, now: number) {
  const probability = churnProbability(model, stats, now);
  const reasons = churnReasons(model, stats, now, probability);
  const sum = reasons.reduce((total, { contribution }) => total + contribution, 0);
  return { probability, reasons, sum };
}

const BASELINE = { x: 3, tx: 16, T: 22 };
const customer = (x: number, recency: number, age: number): [OrderStatistics, number] => [
  { x, firstOrderAt: FIRST, lastOrderAt: FIRST + recency * WEEK_MS },
  FIRST + age * WEEK_MS,
];

describe('the reasons of a churn risk', () => {
  test('change one property after the other: gap, repeat orders, age', () => {
    const model = modelOf('mbg-nbd', BASELINE);
    const { probability, reasons } = reasonsOf(model, ...customer(1, 10, 30));
    expect(reasons.map(({ code }) => code)).toEqual(['inactivity', 'frequency', 'tenure']);
    expect(reasons.map(({ value, baseline }) => [value, baseline])).toEqual([
      [20, 6],
      [1, 3],
      [30, 22],
    ]);
    const [sixWeeksAgo, andThreeRepeats] = [churnRisk(model, 1, 24, 30), churnRisk(model, 3, 24, 30)];
    const expected = [
      probability - sixWeeksAgo,
      sixWeeksAgo - andThreeRepeats,
      andThreeRepeats - churnRisk(model, 3, 16, 22),
    ];
    for (const [place, { contribution }] of reasons.entries())
      expect(contribution).toBeCloseTo(expected[place] ?? NaN, 12);
    // A long silence and few orders speak for being gone.
    expect(reasons.slice(0, 2).every(({ contribution }) => contribution > 0.05)).toBe(true);
  });

  test('say nothing of the reference customer itself', () => {
    const { reasons } = reasonsOf(modelOf('mbg-nbd', BASELINE), ...customer(3, 16, 22));
    for (const { contribution } of reasons) expect(Math.abs(contribution)).toBeLessThan(1e-12);
  });

  test('put the last order at the first one when the customer is younger than the gap of the reference', () => {
    const model = modelOf('mbg-nbd', { x: 1, tx: 2, T: 40 });
    const { probability, reasons } = reasonsOf(model, ...customer(2, 3, 5));
    expect(reasons[0]?.contribution).toBeCloseTo(probability - churnRisk(model, 2, 0, 5), 12);
  });

  test('add up to the probability less the stated baseline, at the ends of the scale too', () => {
    const weeks = fc.oneof(fc.constantFrom(0, 1e-9, 1, 5_000), fc.double({ min: 0, max: 600, noNaN: true }));
    const orders = fc.oneof(fc.constantFrom(0, 1, 1_000, 100_000), fc.integer({ min: 0, max: 60 }));
    const people = fc.record({ x: orders, tx: weeks, gap: weeks });
    const name = fc.constantFrom<ChurnModelName>('mbg-nbd', 'bg-nbd');
    fc.assert(
      fc.property(name, people, people, fc.constantFrom(0, 1e-9, -1e-9), (kind, one, reference, misstatedBy) => {
        const tx = reference.x === 0 ? 0 : reference.tx;
        const model = modelOf(kind, { x: reference.x, tx, T: tx + reference.gap }, misstatedBy);
        const { probability, reasons, sum } = reasonsOf(model, ...customer(one.x, one.tx, one.tx + one.gap));
        expect(reasons.every(({ contribution }) => Number.isFinite(contribution))).toBe(true);
        expect(Math.abs(sum - (probability - model.baseline.probability))).toBeLessThan(1e-9);
      }),
    );
  });

  test('count several orders on one day, and a last order ahead of the clock, as the probability does', () => {
    const model = modelOf('mbg-nbd', BASELINE);
    const sameDay = { x: 0, firstOrderAt: FIRST, lastOrderAt: FIRST + 3_600_000 };
    expect(reasonsOf(model, sameDay, FIRST + 7 * WEEK_MS).reasons[0]?.value).toBe(7);
    const ahead = { x: 2, firstOrderAt: FIRST, lastOrderAt: FIRST + 4 * WEEK_MS };
    expect(reasonsOf(model, ahead, FIRST + 3 * WEEK_MS).reasons.map(({ value }) => value)).toEqual([0, 2, 4]);
  });
});
