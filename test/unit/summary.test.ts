import { describe, expect, test } from 'vitest';
import type { ExperimentResults, ExperimentVerdict } from '../../schemas/types.ts';
import { cut, displayWidth, fit, printable } from '../../processors/simulation/display-width.ts';
import { createPainter } from '../../processors/simulation/painter.ts';
import type { ShopSummary } from '../../processors/simulation/summary.ts';
import { renderSummary } from '../../processors/simulation/terminal.ts';

const STARTED = Date.UTC(2025, 5, 1);
function results(metricId: string, verdict: ExperimentVerdict): ExperimentResults {
  const variant = { crossovers: 0, heldOut: 0, deviation: 1, share: 0.5 };
  const isEarly = metricId === 'ordered';
  const interval = { liftLow: isEarly ? null : -0.021, liftHigh: isEarly ? null : 0.2 };
  const difference = { difference: 0.1, differenceLow: null, differenceHigh: null, lift: isEarly ? null : 0.09 };
  return {
    ...{ brandId: 'demo', experimentId: 'banner', metricId, occurredAt: STARTED, kind: 'COUNT', direction: 'UP' },
    ...{ guardrail: false, windowDays: 7, alpha: 0.05, winner: null, withheld: 'NO', definitionsVersion: 'v' },
    variants: [
      { ...variant, variant: 'A', control: true, units: 1200, mean: 1, comparison: null },
      {
        ...variant,
        variant: 'B',
        control: false,
        units: 1234,
        mean: 1.1,
        comparison: { ...difference, ...interval, p: 0.318, verdict },
      },
    ],
    sampleRatio: { verdict: isEarly ? 'FAILED' : 'AS_INTENDED', p: 0.5, chiSquare: null, chiSquareP: null },
  };
}

const SUMMARY: ShopSummary = {
  services: [],
  startedAt: STARTED,
  simulatedAt: Date.UTC(2026, 4, 31, 15, 30),
  live: false,
  elapsedSeconds: 9,
  events: 345_678,
  eventsPerSecond: 23_456.4,
  customers: 2101,
  segments: [
    { id: 'active-buyers', name: 'Active buyers', members: 612 },
    { id: 'silent', name: '三十日間静かなお客様 (とても長い名前のセグメント)', members: 1207 },
    { id: 'nobody', name: 'Nobody', members: 0 },
  ],
  churn: [
    { band: 'LOW', customers: 196 },
    { band: 'MEDIUM', customers: 334 },
    { band: 'HIGH', customers: 926 },
    { band: 'INSUFFICIENT_DATA', customers: 645 },
  ],
  kpis: {
    average_order_value: 5421.7,
    retention_rate: 66.25,
    churn_rate: 0.3375,
    nps: -12.4,
    average_time_on_page: 21_340,
    orders: 9,
  },
  weekKpis: { orders: 3, revenue: 16_265.4, churn_rate: 0.0125, customers: 70 },
  triggers: [
    { trigger: 'cart_abandoned', fired: 2_468, cancelled: 391 },
    { trigger: 'win_back', fired: 53, cancelled: 0 },
  ],
  touchpoints: [
    {
      touchpoint: 'delivery',
      channel: 'SURVEY',
      metric: 'CSAT',
      satisfied: 61,
      neutral: 20,
      dissatisfied: 19,
      alerts: 1,
    },
    {
      touchpoint: 'relationship',
      channel: 'SURVEY',
      metric: 'NPS',
      satisfied: 90,
      neutral: 30,
      dissatisfied: 40,
      alerts: 0,
    },
    { touchpoint: 'old', channel: 'WEB', metric: 'CES', satisfied: 0, neutral: 0, dissatisfied: 0, alerts: 2 },
  ],
  experiments: [results('ordered', 'UNDECIDED'), results('revenue', 'NOT_WORSE')],
  cases: { open: 17, acknowledged: 5, overdue: 11, resolved: 3, verified: 29, reopenings: 4 },
  changes: [
    {
      brandId: 'demo',
      customerId: 'u:100042',
      occurredAt: Date.UTC(2026, 4, 31, 15),
      cause: 'TIME',
      definitionsVersion: 'v',
      changes: [
        {
          segmentId: 'silent',
          change: 'ENTERED',
          evidence: [{ path: 'ages.interactions', value: 30, comparison: '{"$gte":30}' }],
        },
        {
          segmentId: 'active-buyers',
          change: 'EXITED',
          evidence: [{ path: 'attributes.x', value: null, comparison: '"\u001b[2J"' }],
        },
      ],
      members: ['silent'],
    },
  ],
  outcomes: [
    {
      processor: 'intake',
      applied: 344_640,
      replayed: 7,
      skipped: { unknown_type: 82 },
      rejected: { no_identifier: 115, undecodable: 119, missing_order: 73, future_timestamp: 116, invalid_order: 107 },
    },
    { processor: 'customer', applied: 340_001, replayed: 11, skipped: {}, rejected: {} },
  ],
  metricsAddress: 'http://127.0.0.1:9464/metrics',
};
const NUMBERS = ['345,678', '23,456', '2,101', '612', '1,207', '196', '334', '926', '645', '344,640', '340,001'];
const TRIGGERS = ['2,468 fired    391 cancelled', '53 fired'];
const SATISFACTION = ['61 % satisfied of   100  1 alert', 'NPS +31 of   160', 'none of     0  2 alerts'];
const EXPERIMENTS = [
  'banner ordered: B no lift yet, p 0.32, undecided, but the',
  'banner revenue: B +9.0 % (-2.1 to +20.0), p 0.32, not',
];
const MEASURES = ['order value 5,422 JPY,', 'churn 33.8 %,', 'retention 66.3 %,', 'time on page 21.3 s,', 'NPS -12'];
const CASES = ['open 17', 'acknowledged 5', 'overdue 11', 'resolved 3', 'verified 29', 'reopened 4 times'];
const REASONS = [
  'skipped 82',
  '(unknown_type 82)',
  '(no_identifier 115,',
  'missing_order 73,',
  'invalid_order 107)',
  'rejected 530',
];

describe('the summary', () => {
  test.each([60, 80, 100, 160])('fits %i columns and shows every number', (columns) => {
    const text = renderSummary(SUMMARY, { columns, colour: false });
    for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    const told = [...TRIGGERS, ...SATISFACTION, ...EXPERIMENTS, ...MEASURES, ...CASES, ...REASONS];
    for (const shown of [...NUMBERS, ...told]) expect(text).toContain(shown);
    // No control character but the ends of lines.
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });

  test('fits a narrow terminal too', () => {
    for (let columns = 20; columns < 60; columns++) {
      for (const line of renderSummary(SUMMARY, { columns, colour: false }).split('\n')) {
        expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }
    }
  });

  test('says where things are kept, and when it is', () => {
    const embedded = renderSummary(SUMMARY, { columns: 100, colour: false });
    expect(embedded).toContain('embedded log and store: nothing is kept');
    expect(embedded).toContain('2026-06-01 00:30 JST');
    expect(embedded).toContain('a year passes  (after 9 s)');
    expect(embedded).toContain('http://127.0.0.1:9464/metrics');
    const real = {
      ...SUMMARY,
      services: ['Kafka 127.0.0.1:9092', 'MongoDB 127.0.0.1'],
      live: true,
      metricsAddress: null,
    };
    const text = renderSummary(real, { columns: 100, colour: false });
    expect(text).toContain('Kafka 127.0.0.1:9092, MongoDB 127.0.0.1');
    expect(text).not.toContain('nothing is kept');
    expect(text).toContain('live');
    expect(text).not.toContain('metrics');
  });

  test('tells who changed segment, by what cause and evidence', () => {
    const lines = renderSummary(SUMMARY, { columns: 140, colour: false }).split('\n');
    expect(lines).toContainEqual(
      expect.stringMatching(/u:100042 +entered +silent +TIME +ages\.interactions is 30 \{"\$gte":30\}/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/u:100042 +exited +active-buyers +TIME +attributes\.x is missing/),
    );
  });

  test('keeps the columns in line behind wide characters', () => {
    const lines = renderSummary(SUMMARY, { columns: 80, colour: false }).split('\n');
    const before = ['612', '1,207'].map((number) => {
      const line = lines.find((text) => text.includes(` ${number} `)) ?? '';
      return displayWidth(line.slice(0, line.indexOf(number) + number.length));
    });
    expect(before[0]).toBe(before[1]);
    expect(before[0]).toBeGreaterThan(20);
  });

  test('has the longest bar for the most members, none for nobody', () => {
    const lines = renderSummary(SUMMARY, { columns: 80, colour: false }).split('\n');
    const bar = (name: string) => (lines.find((line) => line.includes(name)) ?? '').split('█').length - 1;
    expect(bar('三十日間')).toBeGreaterThan(bar('Active buyers'));
    expect(bar('Active buyers')).toBeGreaterThan(0);
    expect(bar('Nobody')).toBe(0);
  });

  test('colours add nothing but colours', () => {
    const coloured = renderSummary(SUMMARY, { columns: 80, colour: true });
    const plain = coloured.replace(/\u001b\[\d+m/g, '');
    expect(plain).toBe(renderSummary(SUMMARY, { columns: 80, colour: false }));
    expect(plain.length).toBeLessThan(coloured.length);
  });
});

test('text widths', () => {
  expect(displayWidth('abc')).toBe(3);
  expect(displayWidth('日本語 ok')).toBe(9);
  expect(displayWidth('🍵')).toBe(2);
  expect(displayWidth('e\u0301')).toBe(1);
  expect(cut('日本語', 5)).toBe('日本…');
  expect(cut('日本語', 4)).toBe('日…');
  expect(cut('日本語', 6)).toBe('日本語');
  expect(fit('日本語', 5)).toBe('日本…');
  expect(fit('日本語', 4)).toBe('日… ');
  expect(fit('ab', 4)).toBe('ab  ');
  expect(printable('a\u001b[2Jb\u202ec')).toBe('a·[2Jb·c');
});

describe('the painter', () => {
  function paint(screen: { isTTY?: boolean; columns?: number; rows?: number }, json = false) {
    const written: string[] = [];
    const painter = createPainter({ ...screen, write: (text) => written.push(text) }, { colour: false, json });
    return { painter, written };
  }

  test('draws in place on a terminal, never more than its rows, and all of it at the end', () => {
    const { painter, written } = paint({ isTTY: true, columns: 80, rows: 12 });
    painter.update(SUMMARY);
    painter.update(SUMMARY);
    painter.finish(SUMMARY);
    expect(written).toHaveLength(3);
    expect(written[0]?.split('\n')).toHaveLength(12);
    expect(written[1]?.startsWith('\u001b[11A')).toBe(true);
    expect(written[2]).toContain('Last changes');
  });

  test('elsewhere writes a plain line every five seconds, and the summary at the end', () => {
    const { painter, written } = paint({});
    for (let second = 0; second < 12; second++) painter.update({ ...SUMMARY, elapsedSeconds: second });
    expect(written).toHaveLength(3);
    expect(written[0]).toBe(
      '2026-06-01 00:30 JST  345,678 events, 23,456/s, 2,101 customers, churn LOW 196 MEDIUM 334 HIGH 926 INSUFFICIENT_DATA 645\n',
    );
    painter.finish(SUMMARY);
    expect(written[3]).toBe(`${renderSummary(SUMMARY, { columns: 100, colour: false })}\n`);
  });

  test('as JSON writes one object at the end and nothing before', () => {
    const { painter, written } = paint({ isTTY: true }, true);
    painter.update(SUMMARY);
    painter.finish(SUMMARY);
    expect(written).toHaveLength(1);
    expect(JSON.parse(written[0] ?? '')).toEqual(SUMMARY);
  });
});
