import { describe, expect, test } from 'vitest';
import { Random } from '../../processors/simulation/random.ts';
import { poissonLimit, poissonTail } from '../../processors/touchpoint/poisson.ts';
import type { TouchpointEvent } from '../../schemas/types.ts';
import { definitionsWith, TOUCHPOINTS } from '../harness/definition-sets.ts';
import { DAY, HOUR, MIDNIGHT, TouchpointDriver } from './touchpoint-fixture.ts';

const COMPLAINT: Partial<TouchpointEvent> = { kind: 'COMPLAINT', metric: 'UNKNOWN', value: 0 };

describe('the tail of a Poisson distribution', () => {
  // As any printed table of its cumulative probabilities gives them: F(4; 2) = .9473, F(7; 3) = .9881, F(9; 5) = .9682, F(0; .1) = .9048.
  test.each([
    [5, 2, 0.0527],
    [8, 3, 0.0119],
    [10, 5, 0.0318],
    [1, 0.1, 0.0952],
    [0, 3, 1],
  ])('P(X ≥ %i) with mean %f is %f', (n, mean, tail) => {
    expect(poissonTail(n, mean)).toBeCloseTo(tail, 4);
  });

  test('is exact far from the mean, and its limit is the least count that is rare enough', () => {
    expect(poissonTail(1, 5_000)).toBe(1);
    expect(poissonTail(9_000, 5_000)).toBeLessThan(1e-300);
    expect(poissonTail(5_000, 5_000)).toBeCloseTo(0.5, 2);
    for (const mean of [0.018, 0.5, 3, 40, 2_000]) {
      const limit = poissonLimit(mean, 1 / 365);
      expect(poissonTail(limit, mean)).toBeLessThanOrEqual(1 / 365);
      expect(poissonTail(limit - 1, mean)).toBeGreaterThan(1 / 365);
    }
  });
});

/** A touchpoint with one complaint a day for four weeks, at 10 in the morning: 28.5 of them in 28 days are expected. */
function learnt(): TouchpointDriver {
  const driver = new TouchpointDriver();
  for (let day = 0; day < 28; day++) driver.record(MIDNIGHT + day * DAY + 10 * HOUR, COMPLAINT);
  return driver;
}
const EXPECTED = 28.5 / 28;
const LIMIT = 6;
/** The first day that is charted from its beginning. */
const START = MIDNIGHT + 29 * DAY;

function complainAt(driver: TouchpointDriver, at: number, times: number, of: Partial<TouchpointEvent> = {}): void {
  for (let more = 0; more < times; more++) driver.record(at + more * 1000, { ...COMPLAINT, ...of });
}
const told = (driver: TouchpointDriver): [number, string, number][] =>
  driver.alerts.map(({ occurredAt, change, statistic }) => [occurredAt - START, change, statistic]);

describe('complaints of a day', () => {
  test('raise one alert at the count that is rare, with the evidence, and no other while it is open', () => {
    const driver = learnt();
    complainAt(driver, START + HOUR, LIMIT - 1);
    expect(driver.alerts).toEqual([]);
    complainAt(driver, START + 2 * HOUR, 20);
    expect(told(driver)).toEqual([[2 * HOUR, 'RAISED', LIMIT]]);
    const chance = poissonTail(LIMIT, EXPECTED);
    expect(driver.alerts[0]).toMatchObject({
      ...{ measure: 'COMPLAINTS', chart: 'POISSON', metric: 'UNKNOWN', direction: 'WORSE', cause: 'EVENT' },
      ...{ limit: LIMIT, expectedPerDay: EXPECTED, raisedAt: START + 2 * HOUR },
      baseline: { answers: 28, mean: 0, dissatisfiedShare: 1, frozenAt: MIDNIGHT + 28 * DAY + 10 * HOUR },
      sample: { answers: LIMIT, mean: 0, since: START },
    });
    expect(driver.alerts[0]?.falseAlarmsPerWeek).toBeCloseTo(7 * chance, 12);
    expect(driver.alerts[0]?.inControlAnswers).toBeCloseTo(EXPECTED / chance, 9);
    expect(chance).toBeLessThan(1 / 365);
    expect(driver.gauges).toEqual({ 'touchpoint_alerts WEB': 1 });
    expect(driver.summary).toMatchObject({ alerts: 1 });
  });

  test('clear it by silence, at the midnight after the first day that had no more than are expected', () => {
    const driver = learnt();
    complainAt(driver, START + HOUR, LIMIT);
    complainAt(driver, START + DAY + HOUR, 2);
    complainAt(driver, START + 2 * DAY + HOUR, 1);
    driver.silence(START + 20 * DAY);
    expect(told(driver)).toEqual([
      [HOUR + 5000, 'RAISED', LIMIT],
      [3 * DAY, 'CLEARED', 1],
    ]);
    expect(driver.alerts[1]).toMatchObject({ cause: 'TIME', raisedAt: START + HOUR + 5000, sample: { answers: 1 } });
    expect(driver.gauges).toEqual({});
  });

  test('clear it at the midnight after a day without any, and may raise the next one', () => {
    const driver = learnt();
    complainAt(driver, START + HOUR, LIMIT);
    driver.silence(START + 5 * DAY);
    complainAt(driver, START + 5 * DAY + HOUR, LIMIT);
    expect(told(driver).map(([at, change]) => [at, change])).toEqual([
      [HOUR + 5000, 'RAISED'],
      [2 * DAY, 'CLEARED'],
      [5 * DAY + HOUR + 5000, 'RAISED'],
    ]);
    expect(driver.alerts[1]?.sample).toEqual({ answers: 0, mean: null, dissatisfiedShare: null, since: null });
  });

  test('raise nothing when they come twice, or late, on the day they are told', () => {
    const driver = learnt();
    complainAt(driver, START + HOUR, 20, { eventId: 'same' });
    complainAt(driver, START + 2 * HOUR, 20, { occurredAt: START - 3 * DAY });
    expect(driver.alerts).toEqual([]);
    complainAt(driver, START + 3 * HOUR, LIMIT - 1);
    expect(driver.alerts).toHaveLength(1);
  });

  test('become the new normal when they stay: the alert is cleared at that time, and a new baseline is learnt', () => {
    const driver = learnt();
    for (let day = 0; day < 30; day++) complainAt(driver, START + day * DAY + HOUR, 8);
    driver.silence(START + 30 * DAY + 2 * HOUR);
    expect(told(driver)).toEqual([
      [HOUR + 5000, 'RAISED', LIMIT],
      [30 * DAY + HOUR + 5000, 'CLEARED', 0],
    ]);
    for (let day = 31; day < 70; day++) complainAt(driver, START + day * DAY + HOUR, 8);
    expect(driver.alerts).toHaveLength(2);
  });

  test('are learnt from the first event on, of whatever kind, and two in a day are many where there never was one', () => {
    const driver = new TouchpointDriver().record(MIDNIGHT, { value: 9 });
    complainAt(driver, START + HOUR, 2);
    expect(told(driver)).toEqual([[HOUR + 1000, 'RAISED', 2]]);
    expect(driver.alerts[0]?.expectedPerDay).toBeCloseTo(0.5 / 28, 12);
  });

  test('raise false alarms as often as told', () => {
    const settings = { ...TOUCHPOINTS, inControlDays: 30, complaintBaselineDays: 365 };
    const random = new Random(3);
    const driver = new TouchpointDriver('WEB', { ...definitionsWith({}), defaultTouchpoints: settings });
    driver.isRepacking = false;
    const days = 9_000;
    for (let day = 0; day < days; day++) {
      // Poisson with mean 2, by the gaps between complaints.
      for (let at = random.exponential(0.5); at < 1; at += random.exponential(0.5)) {
        driver.record(MIDNIGHT + Math.floor((day + at) * DAY), COMPLAINT);
      }
    }
    const raised = driver.alerts.filter(({ change }) => change === 'RAISED');
    const perWeek = raised[0]?.falseAlarmsPerWeek ?? 0;
    expect(perWeek).toBeLessThan(7 / 30);
    const expected = ((days - 365) / 7) * perWeek;
    // Days on which the alert is open raise none; and chance.
    expect(raised.length).toBeLessThan(expected + 4 * Math.sqrt(expected));
    expect(raised.length).toBeGreaterThan(0.8 * expected - 4 * Math.sqrt(expected));
  });
});

test('when sweeps ran makes no difference', () => {
  const play = (sweepEvery: number, isRepacking: boolean): TouchpointDriver => {
    const driver = new TouchpointDriver();
    driver.isRepacking = isRepacking;
    for (let step = 0; step < 400; step++) {
      const at = MIDNIGHT + step * 5 * HOUR;
      if (step % sweepEvery === 0) driver.silence(at - 1);
      driver.record(at, COMPLAINT);
      if (step > 200 && step < 240) complainAt(driver, at, 3);
    }
    return driver.silence(MIDNIGHT + 700 * DAY);
  };
  const lazy = play(1000, false);
  expect(new Set(lazy.alerts.map(({ change }) => change))).toEqual(new Set(['RAISED', 'CLEARED']));
  for (const other of [play(1, true), play(7, false)]) {
    expect(other.outputs).toEqual(lazy.outputs);
    expect(other.packed()).toEqual(lazy.packed());
  }
});
