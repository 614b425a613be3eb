import { expect, test } from 'vitest';
import { caseIdOf } from '../../processors/core/touchpoint-key.ts';
import { REMEMBERED_COMMANDS } from '../../processors/touchpoint/case-state.ts';
import { REMEMBERED_EVENTS } from '../../processors/touchpoint/recent-events.ts';
import { MEASURES, newMeasure, seriesOf } from '../../processors/touchpoint/score-state.ts';
import { addToBundle } from '../../processors/touchpoint/series.ts';
import { definitionsWith, TOUCHPOINTS } from '../harness/definition-sets.ts';
import { DAY, HOUR, MIDNIGHT, T, TouchpointDriver } from '../processors/touchpoint-fixture.ts';

/** As processors/touchpoint/README.md says it. */
const FULL_MAX_BYTES = 96 * 1024;
const USUAL_MAX_BYTES = 4 * 1024;
const CASE_MAX_BYTES = 2.5 * 1024;

const SENTIMENT = { score: 0.5, label: 'POSITIVE', coverage: 1, language: 'en', model: 'm' } as const;

test('the fullest touchpoint, a million answers of each kind in every hour of a year, is under 96 KiB', () => {
  const settings = { ...TOUCHPOINTS, baselineAnswers: 20 };
  const driver = new TouchpointDriver('WEB', { ...definitionsWith({}), defaultTouchpoints: settings });
  driver.isRepacking = false;
  const { state } = driver;
  if (state.kind !== 'scores') throw new Error('it is a case');
  const now = MIDNIGHT + 23 * HOUR;
  // Never twice the same, so that no two tiles can be written as one.
  let more = 1e6;
  const million = (series: number): number[] =>
    Array.from({ length: series }, (_, place) => more++ * (place === 3 ? 12_600 : 1));
  for (let hour = 366 * 24; hour >= 0; hour -= hour > 170 ? 24 : 1) {
    const at = now - hour * HOUR;
    addToBundle(state.complaints, at, million(1), now);
    for (const [index, measure] of MEASURES.entries()) {
      const { answers } = (state.measures[index] ??= newMeasure(measure));
      addToBundle(answers, at, million(seriesOf(measure)), now);
    }
  }
  for (let event = 0; event < REMEMBERED_EVENTS; event++) {
    const metric = (['NPS', 'CSAT', 'CES', 'RATING'] as const)[event % 4] ?? 'NPS';
    driver.record(now + event * 60_000, { metric, value: 1 + (event % 4), sentiment: SENTIMENT });
  }
  const bytes = driver.packed().length;
  expect(bytes).toBeLessThan(FULL_MAX_BYTES);
  // Else the test would measure nothing.
  expect(bytes).toBeGreaterThan(FULL_MAX_BYTES / 3);
});

test('a touchpoint with an answer an hour and a text for each is under 4 KiB after a month, before its remembered events', () => {
  const driver = new TouchpointDriver();
  driver.isRepacking = false;
  for (let hour = 0; hour < 30 * 24; hour++) driver.record(T + hour * HOUR, { value: hour % 11, sentiment: SENTIMENT });
  expect(driver.packed().length).toBeLessThan(USUAL_MAX_BYTES);
});

test('the fullest case, with every identifier as long as it may be, is under 2.5 KiB', () => {
  const subject = `u:${'u'.repeat(256)}`;
  const driver = new TouchpointDriver(subject, undefined, '%'.repeat(256));
  driver.isRepacking = false;
  const eventId = 'e'.repeat(128);
  for (let more = 0; more <= REMEMBERED_COMMANDS; more++) {
    driver.record(T + 2 * more * DAY, { value: 0, subject, eventId });
    const caseId = caseIdOf(driver.state.key, 1);
    driver.record(T + (2 * more + 1) * DAY, { kind: 'CASE_RESOLVE', caseId, eventId: `c-${more}` });
  }
  expect(driver.cases.at(-1)).toMatchObject({ state: 'RESOLVED', reopenings: REMEMBERED_COMMANDS });
  expect(driver.packed().length).toBeLessThan(CASE_MAX_BYTES);
});
