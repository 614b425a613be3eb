import { describe, expect, test } from 'vitest';
import { REMEMBERED_EVENTS } from '../../processors/touchpoint/recent-events.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { DAY, EASE, HOUR, MIDNIGHT, MINUTE, T, TouchpointDriver } from './touchpoint-fixture.ts';

const NOTHING = { answers: 0, satisfied: 0, dissatisfied: 0, value: null, low: null, high: null, mean: null };

describe('scores', () => {
  test('count answers by kind over every window, with the interval', () => {
    const driver = new TouchpointDriver();
    for (const value of [...Array<number>(7).fill(10), 8, 7, 0]) driver.record(T, { value });
    driver.end(T);
    const [scores] = driver.scores.at(-1)?.scores ?? [];
    const figures = { answers: 10, satisfied: 7, dissatisfied: 1, value: 60, mean: 8.5 };
    expect(scores).toMatchObject({ metric: 'NPS', last24h: figures, last365d: figures });
    expect(scores?.last24h.low).toBeLessThan(60);
    expect(driver.gauges).toEqual({
      'touchpoint_answers WEB NPS satisfied': 7,
      'touchpoint_answers WEB NPS neutral': 2,
      'touchpoint_answers WEB NPS dissatisfied': 1,
    });
    expect(driver.summary).toMatchObject({
      kind: 'scores',
      channel: 'WEB',
      alerts: 0,
      last30d: [{ metric: 'NPS', satisfied: 7, neutral: 2, dissatisfied: 1 }],
    });
  });

  test('judge an answer by its survey, and give the mean on the usual scale', () => {
    const driver = new TouchpointDriver('WEB', { ...definitionsWith({}), surveys: new Map([['ease', EASE]]) })
      .record(T, { metric: 'CES', value: 7, surveyId: 'ease' })
      .record(T + HOUR, { metric: 'CES', value: 1, surveyId: 'ease' })
      .record(T + 2 * HOUR, { metric: 'CES', value: 1 });
    const [scores] = driver.scores.at(-1)?.scores ?? [];
    const others = { ...EASE, brands: ['another'] };
    const ofNobody = new TouchpointDriver('WEB', { ...definitionsWith({}), surveys: new Map([['ease', others]]) });
    ofNobody.record(T, { metric: 'CES', value: 5, surveyId: 'ease' });
    expect(ofNobody.scores[0]?.scores[0]?.last24h).toMatchObject({ answers: 1, dissatisfied: 1, mean: 5 });
    // 7 of 7 is the best, 1 on the usual scale; 1 of 7 the worst, 5; and 1 without a survey is the best.
    expect(scores?.last24h).toMatchObject({ answers: 3, satisfied: 2, dissatisfied: 1, mean: 7 / 3 });
  });

  test('are published at once, then once a minute, the last one held back until then', () => {
    const driver = new TouchpointDriver();
    for (let second = 0; second < 90; second += 10) driver.record(T + second * 1000);
    driver.silence(T + 10 * MINUTE);
    expect(driver.scores.map(({ occurredAt }) => occurredAt - T)).toEqual([0, MINUTE, 2 * MINUTE]);
    expect(driver.scores.map(({ scores }) => scores[0]?.last24h.answers)).toEqual([1, 6, 9]);
  });

  test('that were held back leave at the end', () => {
    const driver = new TouchpointDriver()
      .record(T)
      .record(T + 1000)
      .end(T + 2000);
    expect(driver.scores.map(({ occurredAt }) => occurredAt - T)).toEqual([0, 2000]);
  });

  test('become empty by silence, window by window, at exact deadlines', () => {
    const driver = new TouchpointDriver()
      .record(T)
      .record(T, { kind: 'COMPLAINT' })
      .silence(T + 400 * DAY);
    const hour = MIDNIGHT + 10 * HOUR;
    expect(driver.wakeups).toEqual([
      T + MINUTE,
      hour + 25 * HOUR,
      hour + 169 * HOUR,
      MIDNIGHT + 31 * DAY,
      MIDNIGHT + 91 * DAY,
      MIDNIGHT + 366 * DAY,
    ]);
    const last = driver.scores.at(-1);
    expect(last).toMatchObject({
      occurredAt: MIDNIGHT + 366 * DAY,
      scores: [
        { metric: 'NPS', last24h: NOTHING, last7d: NOTHING, last30d: NOTHING, last90d: NOTHING, last365d: NOTHING },
      ],
      complaints: { last24h: 0, last7d: 0, last30d: 0, last90d: 0, last365d: 0 },
    });
    expect(driver.scores.at(-2)).toMatchObject({
      scores: [{ last90d: NOTHING, last365d: { answers: 1 } }],
      complaints: { last365d: 1 },
    });
    expect(driver.gauges).toEqual({});
    expect(driver.processor.nextDue(driver.state)).toBe(Infinity);
  });

  test('take a late answer into the windows that still hold its time, and never publish the past', () => {
    const driver = new TouchpointDriver().record(T).record(T + HOUR, { occurredAt: T - 3 * DAY, value: 0 });
    const last = driver.scores.at(-1);
    expect(last?.occurredAt).toBe(T + HOUR);
    expect(last?.scores[0]).toMatchObject({ last24h: { answers: 1 }, last7d: { answers: 2, dissatisfied: 1 } });
    // It leaves the week before the newer one does.
    driver.silence(T + 6 * DAY);
    expect(driver.scores.at(-1)?.scores[0]).toMatchObject({ last7d: { answers: 1, dissatisfied: 0 } });
    driver.record(T - DAY, { occurredAt: T - DAY });
    expect(driver.scores.at(-1)?.occurredAt).toBeGreaterThan(T + 4 * DAY);
  });
});

describe('an event', () => {
  test('counts once while it is remembered, for its own customer', () => {
    const driver = new TouchpointDriver()
      .record(T, { eventId: 'same' })
      .record(T + HOUR, { eventId: 'same' })
      .record(T + HOUR, { eventId: 'same', subject: 'u:2' })
      .record(T + DAY, { eventId: 'same' });
    expect(driver.outcomes).toEqual(['apply', 'duplicate_event', 'apply', 'apply']);
  });

  test('is forgotten once so many newer ones came', () => {
    const driver = new TouchpointDriver().record(T, { eventId: 'first' });
    driver.isRepacking = false;
    for (let more = 1; more < REMEMBERED_EVENTS; more++) driver.record(T + more);
    driver
      .record(T + MINUTE, { eventId: 'first' })
      .record(T + MINUTE)
      .record(T + MINUTE, { eventId: 'first' });
    expect(driver.outcomes.slice(-3)).toEqual(['duplicate_event', 'apply', 'apply']);
    expect(driver.packed().length).toBeLessThan(12_000);
  });

  test('of a kind, a metric or an age that nobody counts is skipped', () => {
    const driver = new TouchpointDriver()
      .record(T, { kind: 'UNKNOWN' })
      .record(T, { metric: 'UNKNOWN' })
      .record(T, { occurredAt: T - 367 * DAY })
      .record(T, { kind: 'CASE_RESOLVE', caseId: 'checkout|u:1|1' });
    expect(driver.outcomes).toEqual(['unknown_type', 'unknown_type', 'beyond_horizon', 'unknown_type']);
    expect(driver.outputs).toEqual([]);
  });
});

test('when sweeps ran makes no difference', () => {
  const play = (sweepEvery: number, isRepacking: boolean): TouchpointDriver => {
    const driver = new TouchpointDriver();
    driver.isRepacking = isRepacking;
    for (let step = 0; step < 300; step++) {
      const at = T + step * 7 * HOUR + (step % 5) * 11_000;
      if (step % sweepEvery === 0) driver.silence(at - 1);
      driver.record(at, { value: (step * 7) % 11, occurredAt: at - (step % 3) * 2 * DAY });
      driver.record(at + 5_000, { metric: 'CSAT', value: 1 + ((step * step) % 10) });
      if (step % 9 === 0) driver.record(at + 6_000, { kind: 'COMPLAINT' });
    }
    return driver.silence(T + 700 * DAY);
  };
  const lazy = play(1000, false);
  for (const other of [play(1, true), play(7, false)]) {
    expect(other.outputs).toEqual(lazy.outputs);
    expect(other.packed()).toEqual(lazy.packed());
  }
  expect(lazy.gauges).toEqual({});
});
