import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { touchpointPacking } from '../../processors/touchpoint/state.ts';
import type { SentimentLabel, TextSentiment, TouchpointEvent } from '../../schemas/types.ts';
import { DAY, HOUR, MIDNIGHT, MINUTE, T, TouchpointDriver } from './touchpoint-fixture.ts';

const sentiment = (label: SentimentLabel, score: number | null): TextSentiment => {
  return { score, label, coverage: 0.5, language: 'ja', model: 'm' };
};
const GOOD = sentiment('POSITIVE', 0.8);
const FAIR = sentiment('NEUTRAL', 0.1);
const BAD = sentiment('NEGATIVE', -0.5);
const NOTHING = sentiment('NO_EVIDENCE', null);
const remark = (of: TextSentiment | null): Partial<TouchpointEvent> => {
  return { kind: 'REMARK', metric: 'UNKNOWN', value: 0, sentiment: of };
};
const EMPTY = {
  ...{ texts: 0, positive: 0, negative: 0, withoutEvidence: 0 },
  ...{ value: null, low: null, high: null, mean: null },
};

describe('the feeling of texts', () => {
  test('is counted over every window with its interval, beside scores and complaints, and apart from what has no evidence', () => {
    const driver = new TouchpointDriver()
      .record(T, { sentiment: GOOD })
      .record(T, { kind: 'COMPLAINT', metric: 'UNKNOWN', value: 0, sentiment: BAD })
      .record(T, remark(FAIR))
      .record(T, remark(GOOD))
      .record(T, remark(NOTHING))
      .end(T);
    const last = driver.scores.at(-1);
    expect(last?.scores).toMatchObject([{ metric: 'NPS', last24h: { answers: 1 } }]);
    expect(last?.complaints.last24h).toBe(1);
    const figures = { texts: 4, positive: 2, negative: 1, withoutEvidence: 1, value: 25 };
    expect(last?.sentiment).toMatchObject({ last24h: figures, last7d: figures, last365d: figures });
    expect(last?.sentiment?.last24h.mean).toBeCloseTo((0.8 - 0.5 + 0.1 + 0.8) / 4, 12);
    expect(last?.sentiment?.last24h.low).toBeLessThan(25);
    expect(last?.sentiment?.last24h.high).toBeGreaterThan(25);
    expect(driver.gauges).toEqual({
      'touchpoint_answers WEB NPS satisfied': 1,
      'touchpoint_answers WEB SENTIMENT satisfied': 2,
      'touchpoint_answers WEB SENTIMENT neutral': 1,
      'touchpoint_answers WEB SENTIMENT dissatisfied': 1,
    });
    expect(driver.summary).toMatchObject({
      last30d: [{ metric: 'NPS' }, { metric: 'SENTIMENT', satisfied: 2, neutral: 1, dissatisfied: 1 }],
    });
  });

  test('is null where nobody ever wrote, and empty where nothing was known', () => {
    expect(new TouchpointDriver().record(T).scores[0]?.sentiment).toBeNull();
    const [scores] = new TouchpointDriver().record(T, remark(NOTHING)).scores;
    expect(scores?.sentiment?.last24h).toEqual({ ...EMPTY, withoutEvidence: 1 });
  });

  test('counts once when it comes twice, and in its own time when it comes late', () => {
    const driver = new TouchpointDriver()
      .record(T, { ...remark(BAD), eventId: 'same' })
      .record(T + HOUR, { ...remark(BAD), eventId: 'same' })
      .record(T + 2 * HOUR, { ...remark(GOOD), occurredAt: T - 3 * DAY });
    expect(driver.outcomes).toEqual(['apply', 'duplicate_event', 'apply']);
    expect(driver.scores.at(-1)?.sentiment).toMatchObject({
      last24h: { texts: 1, value: -100 },
      last7d: { texts: 2, value: 0 },
    });
    driver.record(T + 3 * HOUR, { ...remark(GOOD), occurredAt: T - 400 * DAY });
    expect(driver.outcomes.at(-1)).toBe('beyond_horizon');
  });

  test('is gone by silence, window by window', () => {
    const driver = new TouchpointDriver().record(T, remark(NOTHING)).silence(T + 400 * DAY);
    const hour = MIDNIGHT + 10 * HOUR;
    expect(driver.wakeups).toEqual([
      ...[hour + 25 * HOUR, hour + 169 * HOUR],
      ...[MIDNIGHT + 31 * DAY, MIDNIGHT + 91 * DAY, MIDNIGHT + 366 * DAY],
    ]);
    expect(driver.scores.at(-1)?.sentiment?.last365d).toEqual(EMPTY);
  });

  test('that is missing, or of a label that this version does not know, is no answer', () => {
    const driver = new TouchpointDriver().record(T, remark(null)).record(T + MINUTE, remark(sentiment('UNKNOWN', 0.3)));
    expect(driver.outcomes).toEqual(['unknown_type', 'apply']);
    expect(driver.scores.at(-1)?.sentiment?.last24h).toEqual({ ...EMPTY, withoutEvidence: 1 });
  });

  test('opens no case of its own', () => {
    const driver = new TouchpointDriver('u:1').record(T, remark(BAD)).record(T, { value: 9, sentiment: BAD });
    expect(driver.outcomes).toEqual(['unknown_type', 'apply']);
    expect(driver.cases).toEqual([]);
  });

  test('raises an alert when it becomes worse, which says that it is no score', () => {
    const driver = new TouchpointDriver();
    driver.isRepacking = false;
    for (let index = 0; index < 100; index++)
      driver.record(T + index * HOUR, remark([GOOD, FAIR, BAD][index % 3] ?? FAIR));
    for (let index = 100; index < 150; index++) driver.record(T + index * HOUR, remark(BAD));
    const raised = driver.alerts.filter(({ change }) => change === 'RAISED');
    expect(new Set(raised.map(({ chart }) => chart))).toEqual(new Set(['CUSUM', 'EWMA', 'BERNOULLI_CUSUM']));
    for (const alert of raised)
      expect(alert).toMatchObject({ measure: 'SENTIMENT', metric: 'UNKNOWN', direction: 'WORSE' });
  });
});

describe('a document of version 1', () => {
  const VERSION_1 =
    'AQERYWNtZXxjaGVja291dHxXRUKgvb2b3jOAx+HC3jOTAQADAAABAQAAob29m94zAIDH4cLeM6C9vZveMwIAAgCgg4aY3jMAAAAAAAAAAAIAAgCIOwCIOwAAAcQdkIzoBgGgg4aY3jOg4OGZ3jMCAAIAAAAAAAAAAACArwEAgK8BAAABwFeAoOg7AKDg4ZneMwMyd1iL3x0BoIOGmN4zPbFAKCDHBYDd2wHxvOKeFUQFgN3bAQ==';

  test('is read as it was, has no texts, and is written as the newest', () => {
    const driver = new TouchpointDriver();
    driver.state = touchpointPacking.unpack(new ByteReader(Buffer.from(VERSION_1, 'base64')));
    const writer = new ByteWriter();
    touchpointPacking.pack(driver.state, writer);
    const rewritten = writer.copy();
    expect(rewritten[0]).toBe(3);
    // A chart of complaints that has learnt nothing yet is four bytes.
    expect(rewritten.length).toBe(Buffer.from(VERSION_1, 'base64').length + 4);
    driver.record(T + 3 * HOUR, { ...remark(GOOD), eventId: 'of-version-2' });
    expect(driver.scores.at(-1)).toMatchObject({
      scores: [
        { metric: 'NPS', last24h: { answers: 1 } },
        { metric: 'CSAT', last24h: { answers: 1 } },
      ],
      complaints: { last24h: 1 },
      sentiment: { last24h: { texts: 1 } },
    });
  });
});
