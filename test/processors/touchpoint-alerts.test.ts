import { describe, expect, test } from 'vitest';
import { Random } from '../../processors/simulation/random.ts';
import type { TouchpointAlertChanged } from '../../schemas/types.ts';
import { definitionsWith, TOUCHPOINTS } from '../harness/definition-sets.ts';
import { DAY, HOUR, T, TouchpointDriver } from './touchpoint-fixture.ts';

const change = ({ chart, direction, change: what }: TouchpointAlertChanged): string => `${chart} ${direction} ${what}`;

/** `count` answers of NPS an hour apart from `at` on: promoters, passives and detractors in these shares. */
function answers(
  driver: TouchpointDriver,
  at: number,
  count: number,
  shares: readonly [number, number, number],
  seed = 1,
): number {
  const random = new Random(seed);
  const choices = [10, 7, 3].map((value, kind) => [value, shares[kind] ?? 0] as const);
  for (let index = 0; index < count; index++) driver.record(at + index * HOUR, { value: random.weighted(choices) });
  return at + count * HOUR;
}

const USUAL = [60, 30, 10] as const;
const BAD = [20, 30, 50] as const;

function learnt(): { driver: TouchpointDriver; at: number } {
  const driver = new TouchpointDriver();
  driver.isRepacking = false;
  return { driver, at: answers(driver, T, 100, USUAL) };
}

describe('a chart', () => {
  test('learns a baseline first, and says nothing while nothing changes', () => {
    const { driver, at } = learnt();
    answers(driver, at, 150, USUAL, 2);
    expect(driver.alerts).toEqual([]);
  });

  test('raises one alert when answers become worse, with the evidence', () => {
    const { driver, at } = learnt();
    const end = answers(driver, at, 80, BAD);
    expect(driver.alerts.map(change).toSorted()).toEqual([
      'BERNOULLI_CUSUM WORSE RAISED',
      'CUSUM WORSE RAISED',
      'EWMA WORSE RAISED',
    ]);
    const cusum = driver.alerts.find(({ chart }) => chart === 'CUSUM');
    expect(cusum).toMatchObject({
      metric: 'NPS',
      cause: 'EVENT',
      raisedAt: cusum?.occurredAt,
      inControlAnswers: 2_500,
    });
    expect(cusum?.limit).toBeCloseTo(5.0707, 4);
    expect(cusum?.statistic).toBeGreaterThanOrEqual(cusum?.limit ?? NaN);
    expect(cusum?.baseline).toMatchObject({ answers: 100, frozenAt: T + 99 * HOUR });
    expect(cusum?.sample.mean).toBeLessThan(cusum?.baseline.mean ?? 0);
    expect(cusum?.sample.since).toBeGreaterThanOrEqual(at);
    // 99 answers in 99 hours are 168 a week.
    expect(cusum?.falseAlarmsPerWeek).toBeCloseTo(168 / 2_500, 9);
    const ewma = driver.alerts.find(({ chart }) => chart === 'EWMA');
    expect(ewma?.limit).toBeLessThan(0);
    expect(ewma?.statistic).toBeLessThanOrEqual(ewma?.limit ?? NaN);
    const bernoulli = driver.alerts.find(({ chart }) => chart === 'BERNOULLI_CUSUM');
    expect(bernoulli?.inControlAnswers).toBeGreaterThanOrEqual(2_500);
    expect(bernoulli?.sample.dissatisfiedShare).toBeGreaterThan(2 * (bernoulli?.baseline.dissatisfiedShare ?? 1));
    expect(driver.gauges).toMatchObject({ 'touchpoint_alerts WEB': 3 });
    expect(driver.summary).toMatchObject({ alerts: 3 });
    expect(end).toBeGreaterThan(at);
  });

  test('does not raise it again while it is open, clears it once, and may raise the next', () => {
    const { driver, at } = learnt();
    const worse = answers(driver, at, 300, BAD);
    const usual = answers(driver, worse, 200, USUAL, 3);
    for (const chart of ['CUSUM', 'EWMA', 'BERNOULLI_CUSUM']) {
      const own = driver.alerts.filter((alert) => alert.chart === chart && alert.direction === 'WORSE');
      expect(
        own.map((alert) => alert.change),
        chart,
      ).toEqual(['RAISED', 'CLEARED']);
      expect(own[1]?.occurredAt).toBeGreaterThan(worse);
      expect(own[1]?.raisedAt).toBe(own[0]?.occurredAt);
    }
    const before = driver.alerts.length;
    answers(driver, usual, 80, BAD, 4);
    const again = driver.alerts.slice(before);
    expect(again.map(change).toSorted()).toEqual([
      'BERNOULLI_CUSUM WORSE RAISED',
      'CUSUM WORSE RAISED',
      'EWMA WORSE RAISED',
    ]);
    // The baseline is still the first one.
    for (const { baseline } of again) expect(baseline.frozenAt).toBe(T + 99 * HOUR);
  });

  test('tells what became better, too', () => {
    const { driver, at } = learnt();
    answers(driver, at, 150, [100, 0, 0]);
    expect(driver.alerts.map(change).toSorted()).toEqual(['CUSUM BETTER RAISED', 'EWMA BETTER RAISED']);
  });

  test('takes an alert that was open for 30 days for the new normal: cleared by silence, learnt anew', () => {
    const { driver, at } = learnt();
    const end = answers(driver, at, 100, BAD);
    const raised = driver.alerts.filter((alert) => alert.change === 'RAISED');
    const first = Math.min(...raised.map(({ raisedAt }) => raisedAt));
    driver.silence(end + 60 * DAY);
    const cleared = driver.alerts.slice(raised.length);
    expect(cleared.map(change).toSorted()).toEqual(
      raised.map((each) => change({ ...each, change: 'CLEARED' })).toSorted(),
    );
    for (const each of cleared) expect(each).toMatchObject({ occurredAt: first + 30 * DAY, cause: 'TIME' });
    expect(driver.gauges).not.toHaveProperty('touchpoint_alerts WEB');
    const before = driver.alerts.length;
    const later = answers(driver, end + 60 * DAY, 250, BAD, 5);
    expect(driver.alerts.slice(before)).toEqual([]);
    answers(driver, later, 100, [100, 0, 0]);
    expect(driver.alerts.at(-1)).toMatchObject({ change: 'RAISED', direction: 'BETTER' });
  });

  test('of a brand follows its own settings', () => {
    const acme = { ...TOUCHPOINTS, id: 'acme', baselineAnswers: 20, subgroupAnswers: 1 };
    const driver = new TouchpointDriver('WEB', { ...definitionsWith({}), touchpoints: new Map([['acme', acme]]) });
    const at = answers(driver, T, 20, USUAL);
    answers(driver, at, 30, [0, 0, 100]);
    expect(driver.alerts[0]).toMatchObject({ change: 'RAISED', direction: 'WORSE', baseline: { answers: 20 } });
  });

  test('is not disturbed when every answer of the baseline was the same', () => {
    const driver = new TouchpointDriver();
    const at = answers(driver, T, 100, [100, 0, 0]);
    answers(driver, at, 30, [100, 0, 0]);
    expect(driver.alerts).toEqual([]);
  });

  test('comes out of the store as it went in', () => {
    const { driver, at } = learnt();
    const kept = new TouchpointDriver();
    const same = answers(kept, T, 100, USUAL);
    for (const each of [driver, kept]) answers(each, answers(each, at, 40, BAD), 60, USUAL, 3);
    expect(same).toBe(at);
    expect(kept.outputs).toEqual(driver.outputs);
  });
});
