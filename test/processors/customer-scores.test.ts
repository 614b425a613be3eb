import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { readFieldsWith } from '../../processors/customer/read-fields.ts';
import { LAST_SCORES, type LastScores } from '../../processors/customer/scores.ts';
import type { Interaction, ScoreMetric } from '../../schemas/types.ts';
import { refusalOf } from '../harness/definition-sets.ts';
import { bytesOf, CustomerDriver, DAY, definitions, HOUR, MIDNIGHT } from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR;
const SAD = { sad: { 'scores.sentiment': { $lt: 0 } } };

const answer = (metric: ScoreMetric, value: number, changes: Partial<Interaction> = {}): Partial<Interaction> => {
  return { type: 'SURVEY_ANSWERED', channel: 'SURVEY', score: { metric, value, surveyId: null }, ...changes };
};
const wrote = (text: string, changes: Partial<Interaction> = {}): Partial<Interaction> => {
  return { type: 'SUPPORT_CONTACTED', channel: 'CHAT', text, language: 'en', ...changes };
};

describe('the last answers of a customer', () => {
  test('are there for rules and traits, until there are others; silence changes nothing', () => {
    const driver = new CustomerDriver(
      definitions({ promoter: { 'scores.nps': { $gte: 9 } }, hard: { 'scores.ces': { $gt: 3 }, 'scores.csat': 2 } }),
    );
    driver
      .record(T, answer('NPS', 9))
      .record(T + DAY, answer('CSAT', 2))
      .record(T + 2 * DAY, answer('CES', 5));
    driver
      .record(T + 3 * DAY, answer('NPS', 10))
      .record(T + 4 * DAY, answer('NPS', 3))
      .silence(T + 900 * DAY);
    expect(driver.memberships.map(({ at, changes, cause }) => [at, changes, cause])).toEqual([
      [T, ['+promoter'], 'EVENT'],
      [T + 2 * DAY, ['+hard'], 'EVENT'],
      [T + 4 * DAY, ['-promoter'], 'EVENT'],
    ]);
    expect(driver.view(T + 900 * DAY)).toMatchObject({
      scores: { nps: 3, csat: 2, ces: 5 },
      scoredAt: { nps: new Date(T + 4 * DAY).toISOString() },
    });
    expect(driver.traits.at(-1)?.scores).toEqual([
      { score: 'nps', value: 3, answeredAt: T + 4 * DAY },
      { score: 'csat', value: 2, answeredAt: T + DAY },
      { score: 'ces', value: 5, answeredAt: T + 2 * DAY },
    ]);
  });

  test('are the latest by when they were given, of two at once the greater: in any order, told twice', () => {
    const given = [answer('NPS', 4), answer('NPS', 8), answer('NPS', 6), answer('CES', 1), answer('NPS', 10)];
    const times = [T, T + HOUR, T + HOUR, T, T - DAY];
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (order) => {
        const driver = new CustomerDriver(definitions({ passive: { 'scores.nps': { $in: [7, 8] } } }));
        for (const each of order) {
          const changes = { ...given[each], eventId: `e${each}`, occurredAt: times[each] ?? T };
          driver.record(T + 2 * HOUR, changes).record(T + 2 * HOUR, changes);
        }
        expect(driver.view(T + 2 * HOUR)).toMatchObject({ scores: { nps: 8, ces: 1 }, segments: ['passive'] });
      }),
    );
  });

  test('count however late they come, if nothing later is known', () => {
    const driver = new CustomerDriver(definitions({ promoter: { 'scores.nps': { $gte: 9 } } }));
    driver
      .record(T)
      .record(T + DAY, answer('NPS', 9, { occurredAt: T - 500 * DAY }))
      .silence(T + DAY);
    expect([driver.outcomes.at(-1), driver.memberships]).toMatchObject([
      'beyond_horizon',
      [{ at: T + DAY, changes: ['+promoter'] }],
    ]);
  });

  test('are none of a rating, of an unknown metric, and of whoever gave none', () => {
    const driver = new CustomerDriver(definitions({ rated: { 'scores.nps': { $exists: true } } }));
    driver.record(T, answer('RATING', 5, { type: 'REVIEW_POSTED' })).record(T, answer('UNKNOWN', 3));
    driver.record(T, { ...answer('NPS', 9), type: 'PAGE_VIEW' }).record(T, wrote('I love it'));
    expect([bytesOf(driver, LAST_SCORES), driver.view(T).scores, driver.memberships]).toEqual([0, undefined, []]);
  });

  test('take at most 35 bytes', () => {
    const driver = new CustomerDriver(definitions(SAD));
    for (const [index, metric] of (['NPS', 'CSAT', 'CES'] as const).entries()) {
      driver.record(T + index, answer(metric, 5, { text: 'terrible', language: 'en' }));
    }
    expect(bytesOf(driver, LAST_SCORES)).toBeLessThanOrEqual(35);
  });

  test('of two customers who are one are the later ones', () => {
    const [one, two]: LastScores[] = [
      [{ at: 5, value: 9 }, { at: 5, value: 1 }, null, { at: 8, value: -50 }],
      [{ at: 6, value: 2 }, { at: 5, value: 3 }, { at: 1, value: 4 }, null],
    ];
    const merged = (into: LastScores, from: LastScores): LastScores => {
      const scores = [...into];
      LAST_SCORES.merge(scores, from);
      return scores;
    };
    const both = [
      { at: 6, value: 2 },
      { at: 5, value: 3 },
      { at: 1, value: 4 },
      { at: 8, value: -50 },
    ];
    expect([merged(one ?? [], two ?? []), merged(two ?? [], one ?? [])]).toEqual([both, both]);
  });
});

describe('what a customer’s last text tells', () => {
  test('is read where a segment asks for it, and no evidence takes nothing back', () => {
    const driver = new CustomerDriver(definitions(SAD));
    driver.record(T, wrote('This is terrible and awful')).record(T + HOUR, wrote('The parcel has number 17'));
    driver.record(T + 2 * HOUR, wrote('I hate spam', { type: 'SEARCH' })).record(T + 2 * HOUR, wrote('  '));
    expect(driver.view(T + 2 * HOUR).scores?.['sentiment']).toBeLessThan(-0.3);
    driver.record(T + 3 * HOUR, answer('NPS', 9, { text: 'I love it, great service', language: null }));
    expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([
      [T, ['+sad']],
      [T + 3 * HOUR, ['-sad']],
    ]);
    expect(driver.view(T + 3 * HOUR).scores).toMatchObject({ nps: 9 });
    expect(driver.traits.at(-1)?.scores.map(({ score }) => score)).toEqual(['nps', 'sentiment']);
  });

  test('is forgotten with the last segment that asks for it', () => {
    const driver = new CustomerDriver(definitions(SAD, 'one')).record(T, wrote('terrible'));
    driver.record(T, answer('CES', 2));
    driver.processor = new CustomerDriver(definitions({}, 'two')).processor;
    driver.record(T + HOUR, wrote('awful'));
    expect(driver.view(T + HOUR).scores).toEqual({ ces: 2 });
  });

  test('is decoded then alone', () => {
    const fieldsOf = (segments: Record<string, Record<string, unknown>>) =>
      readFieldsWith(compileDefinitions(definitions(segments)).asks)['interaction'];
    expect(fieldsOf(SAD)).toMatchObject({ text: true, language: true });
    expect(fieldsOf({ promoter: { 'scores.nps': 10 } })).not.toHaveProperty('text');
  });

  test('and the last answers have ranges that rules are held to', () => {
    expect(
      [{ 'scores.nps': 11 }, { 'scores.sentiment': { $lt: -1 } }].flatMap((where) => refusalOf(definitions({ where }))),
    ).toHaveLength(2);
  });
});
