import { describe, expect, test } from 'vitest';
import { createIntake } from '../../processors/intake/processor.ts';
import { ENGLISH_MODEL } from '../../processors/sentiment/sentiment-english.ts';
import type { Command, Interaction, ScoreMetric, TextSentiment, TouchpointEvent } from '../../schemas/types.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { interaction, NOW } from './intake-fixture.ts';
import { EASE } from './touchpoint-fixture.ts';

const intake = createIntake({ ...definitionsWith({}), surveys: new Map([['ease', { ...EASE, brands: ['demo'] }]]) });

const answered = (changes: Partial<Interaction> = {}): Interaction =>
  interaction({
    type: 'SURVEY_ANSWERED',
    channel: 'SURVEY',
    touchpoint: 'delivery',
    score: { metric: 'NPS', value: 3, surveyId: null },
    text: 'late again',
    ...changes,
  });

const order = (changes: Partial<Command> = {}): Command => ({
  commandId: 'c-1',
  brandId: 'demo',
  kind: 'CASE_RESOLVE',
  issuedAt: NOW - 1000,
  issuedBy: 'mika',
  subject: null,
  target: 'delivery|u:123|1',
  reason: 'called back',
  ...changes,
});

function outputsOf(record: Interaction | Command) {
  const outcome = intake.onRecord(record, NOW, 'commandId' in record ? 'commands.v1' : 'interactions.v1');
  return outcome.kind === 'apply' ? outcome.outputs.filter((output) => output !== null) : [];
}
function fateOf(record: Interaction | Command): string {
  const outcome = intake.onRecord(record, NOW, 'commandId' in record ? 'commands.v1' : 'interactions.v1');
  return outcome.kind === 'apply' ? 'apply' : outcome.reason;
}
const routes = (record: Interaction | Command): [string, string][] =>
  outputsOf(record).map(({ topic, key }) => [topic, key]);

describe('an answer', () => {
  test('goes to the customer, to the touchpoint on its channel, and to the case of the customer, in this order', () => {
    expect(routes(answered())).toEqual([
      ['customer-events.v1', 'demo|u:123'],
      ['touchpoint-events.v1', 'demo|delivery|SURVEY'],
      ['touchpoint-events.v1', 'demo|delivery|u:123'],
    ]);
    const [, toTouchpoint, toCase] = outputsOf(answered());
    const expected: TouchpointEvent = {
      ...{
        brandId: 'demo',
        touchpoint: 'delivery',
        channel: 'SURVEY',
        subject: 'u:123',
        kind: 'SCORE',
        eventId: 'event-1',
      },
      ...{
        occurredAt: NOW - 1000,
        metric: 'NPS',
        value: 3,
        surveyId: null,
        caseId: null,
        issuedBy: null,
        reason: null,
      },
      sentiment: { score: null, label: 'NO_EVIDENCE', coverage: 0, language: 'en', model: ENGLISH_MODEL },
    };
    expect(toTouchpoint).toMatchObject({ value: expected, timestamp: NOW });
    expect(toCase?.value).toEqual(expected);
  });

  test.each<[string, Partial<Interaction>, number]>([
    ['a review', { type: 'REVIEW_POSTED' }, 3],
    ['a complaint, with or without a score', { type: 'COMPLAINT', score: null }, 3],
    ['a complaint', { type: 'COMPLAINT' }, 3],
    ['any other type that has a score', { type: 'PAGE_VIEW' }, 1],
    ['a metric that nobody knows, with a text', { score: { metric: 'UNKNOWN', value: 3, surveyId: null } }, 2],
    ['a metric that nobody knows', { score: { metric: 'UNKNOWN', value: 3, surveyId: null }, text: null }, 1],
  ])('%s', (_, changes, outputs) => {
    expect(outputsOf(answered(changes))).toHaveLength(outputs);
  });

  test('that names two identifiers is the case of the stronger: cases follow no links, the weaker is told of its own', () => {
    const [, ...others] = routes(answered({ anonymousId: 'device-1' }));
    expect(others.toSorted(([, one], [, other]) => (one < other ? -1 : 1))).toEqual([
      ['customer-events.v1', 'demo|a:device-1'],
      ['touchpoint-events.v1', 'demo|delivery|SURVEY'],
      ['touchpoint-events.v1', 'demo|delivery|u:123'],
    ]);
    expect(routes(answered({ userId: null, anonymousId: 'device-1' })).at(-1)?.[1]).toBe('demo|delivery|a:device-1');
  });

  test('without a touchpoint is one about the unnamed one; bars in names divide nothing', () => {
    expect(routes(answered({ touchpoint: null }))[1]).toEqual(['touchpoint-events.v1', 'demo|unnamed|SURVEY']);
    expect(routes(answered({ touchpoint: '  ' }))[2]).toEqual(['touchpoint-events.v1', 'demo|unnamed|u:123']);
    expect(routes(answered({ touchpoint: 'a|u:x%7C' }))[1]?.[1]).toBe('demo|a%7Cu:x%257C|SURVEY');
  });

  test.each<[number, string | null, ScoreMetric, string]>([
    [7, 'ease', 'CES', 'apply'],
    [8, 'ease', 'CES', 'invalid_score'],
    [7, null, 'CES', 'invalid_score'],
    [7, 'another', 'CES', 'invalid_score'],
    [3, 'ease', 'NPS', 'invalid_score'],
  ])('of %i to the survey %s on %s: %s', (value, surveyId, metric, fate) => {
    expect(fateOf(answered({ score: { metric, value, surveyId } }))).toBe(fate);
  });
});

test('a survey of another brand means nothing: the answer has the usual scale', () => {
  const score = { metric: 'CES', value: 7, surveyId: 'ease' } as const;
  expect(fateOf(answered({ score }))).toBe('apply');
  expect(fateOf(answered({ brandId: 'acme', score }))).toBe('invalid_score');
  expect(fateOf(answered({ brandId: 'acme', score: { ...score, value: 5 } }))).toBe('apply');
  expect(fateOf(answered({ brandId: 'acme', score: { ...score, metric: 'NPS' } }))).toBe('apply');
});

describe('a text', () => {
  const sentimentOf = (changes: Partial<Interaction>): TextSentiment | null | undefined =>
    (outputsOf(answered(changes))[1]?.value as TouchpointEvent | undefined)?.sentiment;

  test('goes no further than before: of it only the feeling reaches the touchpoint', () => {
    const text = 'I love this teapot, and my name is Hanako';
    const [toCustomer, ...others] = outputsOf(answered({ text }));
    expect(JSON.stringify(toCustomer)).toContain('Hanako');
    expect(JSON.stringify(others)).not.toMatch(/Hanako|teapot/);
    expect(sentimentOf({ text })).toMatchObject({ label: 'POSITIVE', score: 0.6, language: 'en' });
  });

  test.each(['SUPPORT_CONTACTED', 'SOCIAL_COMMENT', 'SOCIAL_REPLY', 'SOCIAL_QUESTION'] as const)(
    'alone, with %s, goes to the touchpoint and opens no case',
    (type) => {
      const text = 'this is terrible';
      expect(routes(answered({ type, text, channel: 'SOCIAL', score: null }))).toEqual([
        ['customer-events.v1', 'demo|u:123'],
        ['touchpoint-events.v1', 'demo|delivery|SOCIAL'],
      ]);
      expect(outputsOf(answered({ type, text, score: null }))[1]?.value).toMatchObject({ kind: 'REMARK', value: 0 });
      expect(sentimentOf({ type, text, score: null })).toMatchObject({ label: 'NEGATIVE', score: -0.6 });
    },
  );

  test.each<[string, Partial<Interaction>]>([
    ['that the brand wrote', { type: 'MESSAGE_SENT', text: 'we love you', score: null }],
    ['that somebody searched for', { type: 'SEARCH', text: 'good tea', score: null }],
    ['that is blank', { type: 'SOCIAL_COMMENT', text: ' \n', score: null }],
  ])('%s is none', (_, changes) => {
    expect(outputsOf(answered(changes))).toHaveLength(1);
  });

  test('of an answer without one has no feeling', () => {
    expect(sentimentOf({ text: null })).toBeNull();
  });
});

describe('a command', () => {
  test('about a case goes to the case', () => {
    const [output] = outputsOf(order({ target: 'a%7Cb|u:1|2|34', subject: 'u:1|2' }));
    expect(output).toMatchObject({ topic: 'touchpoint-events.v1', key: 'demo|a%7Cb|u:1|2', timestamp: NOW });
    expect(output?.value).toEqual({
      ...{
        brandId: 'demo',
        touchpoint: 'a|b',
        channel: 'UNKNOWN',
        subject: 'u:1|2',
        kind: 'CASE_RESOLVE',
        eventId: 'c-1',
      },
      ...{ occurredAt: NOW - 1000, metric: 'UNKNOWN', value: 0, surveyId: null, caseId: 'a%7Cb|u:1|2|34' },
      ...{ issuedBy: 'mika', reason: 'called back', sentiment: null },
    });
  });

  test.each<[Partial<Command>, string]>([
    [{ brandId: 'Demo' }, 'invalid_brand'],
    [{ commandId: '' }, 'invalid_event_id'],
    [{ commandId: 'c'.repeat(129) }, 'invalid_event_id'],
    [{ target: null }, 'no_identifier'],
    [{ target: 'delivery|u:123' }, 'invalid_identifier'],
    [{ target: 'delivery|123|1' }, 'invalid_identifier'],
    [{ target: 'delivery|u:123|0' }, 'invalid_identifier'],
    [{ subject: 'u:124' }, 'invalid_identifier'],
    [{ issuedAt: NOW + 300_001 }, 'future_timestamp'],
    [{ issuedAt: NOW + 300_000 }, 'apply'],
    [{ issuedBy: 'm'.repeat(257) }, 'field_too_long'],
    [{ reason: 'r'.repeat(257) }, 'field_too_long'],
    [{ kind: 'ERASE', subject: null, target: null }, 'no_identifier'],
    [{ kind: 'UNKNOWN' }, 'unknown_type'],
    [{ kind: 'CASE_ACKNOWLEDGE' }, 'apply'],
  ])('%j: %s', (changes, fate) => {
    expect(fateOf(order(changes))).toBe(fate);
  });

  test('tells when it was given, for the latency', () => {
    expect(intake.occurredAt?.(order())).toBe(NOW - 1000);
  });
});
