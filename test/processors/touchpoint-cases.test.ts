import { describe, expect, test } from 'vitest';
import { REMEMBERED_COMMANDS } from '../../processors/touchpoint/case-state.ts';
import type { CaseChanged, TouchpointEvent } from '../../schemas/types.ts';
import { DAY, HOUR, MINUTE, T, TouchpointDriver } from './touchpoint-fixture.ts';

const CASE = 'checkout|u:1|1';
const DUE = 72 * HOUR;

const open = (): TouchpointDriver => new TouchpointDriver('u:1').record(T, { value: 3, channel: 'SURVEY' });
const command = (kind: TouchpointEvent['kind'], caseId = CASE): Partial<TouchpointEvent> => {
  return { kind, caseId, issuedBy: 'mika', reason: 'called back', channel: 'UNKNOWN' };
};
const RESOLVE = command('CASE_RESOLVE');
const steps = (driver: TouchpointDriver): [number, string, string][] =>
  driver.cases.map(({ occurredAt, change, state }: CaseChanged) => [occurredAt - T, change, state]);

describe('a case', () => {
  test('is opened by a dissatisfied answer, worked on by command, and verified by the next answer', () => {
    const driver = open()
      .record(T + HOUR, command('CASE_ACKNOWLEDGE'))
      .record(T + 5 * HOUR, RESOLVE)
      .record(T + 9 * HOUR, { value: 8, channel: 'WEB' })
      .silence(T + 900 * DAY);
    expect(steps(driver)).toEqual([
      [0, 'OPENED', 'OPEN'],
      [HOUR, 'ACKNOWLEDGED', 'ACKNOWLEDGED'],
      [5 * HOUR, 'RESOLVED', 'RESOLVED'],
      [9 * HOUR, 'VERIFIED', 'VERIFIED'],
    ]);
    expect(driver.outputs.map(({ key }) => key)).toEqual(Array<string>(4).fill(`acme|${CASE}`));
    const signal = { kind: 'SCORE', eventId: 'event-1', occurredAt: T, channel: 'SURVEY', metric: 'NPS', value: 3 };
    expect(driver.cases[0]).toMatchObject({ caseId: CASE, customerId: 'u:1', signal, dueAt: T + DUE, by: null });
    expect(driver.cases[2]).toMatchObject({
      ...{ acknowledgedAt: T + HOUR, resolvedAt: T + 5 * HOUR, verifiedAt: null, dueAt: null },
      ...{ resolveSeconds: 5 * 3600, by: 'mika', reason: 'called back', overdue: false, reopenings: 0 },
    });
    expect(driver.cases[3]).toMatchObject({ verifiedAt: T + 9 * HOUR, resolveSeconds: 5 * 3600, by: null, signal });
    expect(driver.gauges).toEqual({ 'cases VERIFIED': 1, case_resolutions: 1, case_resolve_seconds: 5 * 3600 });
    expect(driver.summary).toMatchObject({ kind: 'case', caseId: CASE, state: 'VERIFIED', customerId: 'u:1' });
  });

  test.each<[string, Partial<TouchpointEvent>, boolean]>([
    ['a detractor', { value: 6 }, true],
    ['a passive answer', { value: 7 }, false],
    ['a bad review', { metric: 'RATING', value: 2 }, true],
    ['a fair review', { metric: 'RATING', value: 3 }, false],
    ['high effort', { metric: 'CES', value: 4 }, true],
    ['low effort', { metric: 'CES', value: 1 }, false],
    ['a complaint', { kind: 'COMPLAINT', metric: 'UNKNOWN', value: 0 }, true],
  ])('is opened by what is dissatisfied: %s', (_, changes, isOpened) => {
    expect(new TouchpointDriver('u:1').record(T, changes).cases).toHaveLength(isOpened ? 1 : 0);
  });

  test('is opened by a form that praises and complains at one instant, in whichever order', () => {
    const praise = { metric: 'CSAT', value: 9, occurredAt: T } as const;
    const complaint = { metric: 'NPS', value: 2, occurredAt: T } as const;
    for (const [first, second] of [
      [praise, complaint],
      [complaint, praise],
    ] as const) {
      const driver = new TouchpointDriver('u:1').record(T, first).record(T + 1, second);
      expect(steps(driver).map(([, change]) => change)).toEqual(['OPENED']);
    }
  });

  test('is reopened when the customer is still dissatisfied, and may be resolved again', () => {
    const driver = open()
      .record(T + HOUR, RESOLVE)
      .record(T + 2 * HOUR, { kind: 'COMPLAINT' })
      .record(T + 4 * HOUR, RESOLVE)
      .record(T + 5 * HOUR, { value: 9 });
    expect(steps(driver).map(([, change]) => change)).toEqual([
      'OPENED',
      'RESOLVED',
      'REOPENED',
      'RESOLVED',
      'VERIFIED',
    ]);
    expect(driver.cases[2]).toMatchObject({
      ...{ state: 'OPEN', reopenings: 1, resolvedAt: null, resolveSeconds: null, dueAt: T + 2 * HOUR + DUE },
      signal: { kind: 'COMPLAINT', metric: 'UNKNOWN' },
    });
    expect(driver.cases[3]).toMatchObject({ resolveSeconds: 2 * 3600 });
    expect(driver.gauges).toEqual({
      ...{ 'cases VERIFIED': 1, case_reopenings: 1, case_resolutions: 2, case_resolve_seconds: 3 * 3600 },
    });
  });

  test('is one at a time: more of the same opens no other, and after it is over the next has its own number', () => {
    const driver = open()
      .record(T + MINUTE, { value: 0 })
      .record(T + 2 * MINUTE, { kind: 'COMPLAINT' })
      .record(T + HOUR, RESOLVE)
      .record(T + 2 * HOUR, { value: 10 })
      .record(T + 3 * HOUR, { value: 1 });
    expect(driver.cases.map(({ caseId, change }) => [caseId, change])).toEqual([
      [CASE, 'OPENED'],
      [CASE, 'RESOLVED'],
      [CASE, 'VERIFIED'],
      ['checkout|u:1|2', 'OPENED'],
    ]);
    expect(driver.cases[3]).toMatchObject({ reopenings: 0, acknowledgedAt: null, resolvedAt: null, verifiedAt: null });
    expect(driver.gauges).toMatchObject({ 'cases VERIFIED': 1, 'cases OPEN': 1 });
  });

  test('that nobody resolves is overdue by silence, at its exact deadline and once', () => {
    const driver = open()
      .record(T + HOUR, command('CASE_ACKNOWLEDGE'))
      .silence(T + 90 * DAY);
    expect(steps(driver).at(-1)).toEqual([DUE, 'OVERDUE', 'ACKNOWLEDGED']);
    expect(driver.wakeups).toEqual([T + DUE]);
    expect(driver.cases.at(-1)).toMatchObject({ cause: 'TIME', overdue: true, dueAt: T + DUE });
    expect(driver.gauges).toEqual({ 'cases ACKNOWLEDGED': 1, cases_overdue: 1 });
    driver.record(T + 91 * DAY, RESOLVE);
    expect(driver.cases.at(-1)).toMatchObject({ change: 'RESOLVED', overdue: true });
    expect(driver.gauges).not.toHaveProperty('cases_overdue');
  });
});

describe('what is said is ordered by when it was said', () => {
  test('an answer from before the resolution does not judge it', () => {
    const driver = open().record(T + 5 * HOUR, RESOLVE);
    driver.record(T + 6 * HOUR, { value: 0, occurredAt: T + 4 * HOUR });
    driver.record(T + 6 * HOUR, { value: 10, occurredAt: T + 4 * HOUR });
    expect(driver.cases).toHaveLength(2);
  });

  test('the answer that opened it, sent again, opens and reopens nothing', () => {
    const again = { value: 3, eventId: 'event-1', occurredAt: T } as const;
    const driver = open()
      .record(T + MINUTE, again)
      .record(T + HOUR, RESOLVE)
      .record(T + 2 * HOUR, again);
    driver.record(T + 3 * HOUR, { value: 9 }).record(T + 4 * HOUR, again);
    expect(steps(driver).map(([, change]) => change)).toEqual(['OPENED', 'RESOLVED', 'VERIFIED']);
  });

  test('a dissatisfied answer that comes after a later content one opens nothing', () => {
    const driver = new TouchpointDriver('u:1')
      .record(T, { value: 9 })
      .record(T + 1, { value: 0, occurredAt: T - HOUR });
    expect(driver.cases).toEqual([]);
  });

  test('what is older than a year opens nothing', () => {
    const driver = new TouchpointDriver('u:1').record(T, { value: 0, occurredAt: T - 400 * DAY });
    expect(driver.outcomes).toEqual(['beyond_horizon']);
    expect(driver.summary).toMatchObject({ kind: 'case', caseId: null, state: null });
  });
});

describe('a command', () => {
  test('about a case that is not there, or not the newest, is skipped', () => {
    const driver = new TouchpointDriver('u:1').record(T, RESOLVE);
    driver.record(T, { value: 0 }).record(T, command('CASE_RESOLVE', 'checkout|u:1|2'));
    driver.record(T, { ...RESOLVE, caseId: null });
    expect(driver.outcomes).toEqual(['unknown_case', 'apply', 'unknown_case', 'unknown_case']);
  });

  test('for a step that was taken is skipped', () => {
    const acknowledge = command('CASE_ACKNOWLEDGE');
    const driver = open().record(T, acknowledge).record(T, acknowledge).record(T, RESOLVE).record(T, RESOLVE);
    driver.record(T, acknowledge);
    expect(driver.outcomes.slice(1)).toEqual([
      'apply',
      'duplicate_event',
      'apply',
      'duplicate_event',
      'duplicate_event',
    ]);
  });

  test('that comes twice counts once, whatever happened in between', () => {
    const driver = open()
      .record(T + 1, { ...RESOLVE, eventId: 'r-1' })
      .record(T + 2, { value: 0 });
    driver.record(T + 3, { ...RESOLVE, eventId: 'r-1' });
    expect(driver.outcomes.at(-1)).toBe('duplicate_event');
    expect(driver.cases.at(-1)).toMatchObject({ change: 'REOPENED' });
    for (let more = 0; more < REMEMBERED_COMMANDS; more++)
      driver.record(T + 10 + 2 * more, RESOLVE).record(T + 11 + 2 * more, { value: 0 });
    driver.record(T + 100, { ...RESOLVE, eventId: 'r-1' });
    expect(driver.outcomes.at(-1)).toBe('apply');
  });
});

test('a name with bars and percent signs has a case of its own', () => {
  const driver = new TouchpointDriver('u:a|b', undefined, 'a|50%|u:x').record(T, { value: 0, subject: 'u:a|b' });
  const [opened] = driver.cases;
  expect(opened).toMatchObject({ touchpoint: 'a|50%|u:x', customerId: 'u:a|b', caseId: 'a%7C50%25%7Cu:x|u:a|b|1' });
  expect(driver.record(T + 1, command('CASE_RESOLVE', opened?.caseId)).outcomes).toEqual(['apply', 'apply']);
});
