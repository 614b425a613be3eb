import { describe, expect, test } from 'vitest';
import { createProcessors } from '../../processors/catalog.ts';
import { simulateShop } from '../../processors/simulation/shop.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { toJson } from '../../schemas/json.ts';
import { definitionsWith } from '../harness/definition-sets.ts';
import { line, order, replayed, START, type PublishedRow } from './replay-fixture.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NONE = definitionsWith({});

/** A fortnight of the simulated shop as lines, rubbish included. */
function shopLines(): (string | Buffer)[] {
  const to = START + 14 * DAY;
  return [...simulateShop({ seed: 7, customers: 120, from: START, to })].map((record) =>
    record.kind === 'raw'
      ? Buffer.from(`raw ${record.bytes?.toString('base64') ?? 'null'}`)
      : JSON.stringify({ ...toJson('Interaction', record.value), timestamp: record.timestamp }),
  );
}

describe('the files of a replay', () => {
  test('are the same, byte for byte, for the same file', async () => {
    const lines = shopLines();
    const definitions = await loadDefinitions(shippedDefinitions);
    const [first, second] = [await replayed(lines, definitions), await replayed(lines, definitions)];
    expect(second.files).toEqual(first.files);
    for (const [name, text] of Object.entries(first.files)) {
      // Nobody was asked anything in this fortnight.
      if (!/^(touchpoint-|cases)/.test(name)) expect(text.length, name).toBeGreaterThan(0);
    }
    const { records, applied, skipped, rejected } = first.summary;
    const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
    expect(records).toBe(lines.length);
    expect(applied + sum(skipped) + sum(rejected)).toBe(records);
    expect(Math.min(applied, sum(skipped), sum(rejected))).toBeGreaterThan(0);
  });

  test('have a line for each output in order of position, fields in the order of the schema', async () => {
    const { rows, summary } = await replayed(
      [line(START), line(START + HOUR, { userId: 'v', eventId: 'other' })],
      definitionsWith({ seen: { 'traits.page_views.1h': { $gte: 1 } } }),
    );
    const memberships = rows<PublishedRow<object>>('segment-memberships.v1');
    expect(memberships).toEqual([
      {
        key: 'acme|u:u',
        value: {
          brandId: 'acme',
          customerId: 'u:u',
          occurredAt: START,
          cause: 'EVENT',
          definitionsVersion: 'hash-of-the-set',
          changes: [
            {
              segmentId: 'seen',
              change: 'ENTERED',
              evidence: [{ path: 'traits.page_views.1h', value: 1, comparison: '>= 1' }],
            },
          ],
          members: ['seen'],
        },
        timestamp: START,
        position: 'kizuna.customer.v1@1/customer-events.v1/0:1.0',
      },
      expect.objectContaining({ key: 'acme|u:v', position: 'kizuna.customer.v1@1/customer-events.v1/0:1.2' }),
    ]);
    expect(rows<{ key: string }>('profiles').map(({ key }) => key)).toEqual(['acme|u:u', 'acme|u:v']);
    expect(summary).toMatchObject({ customers: 2, outputs: { 'segment-memberships.v1': 2, 'customer-traits.v1': 2 } });
  });
});

test('what comes out is what a processor of the catalog writes and none reads', async () => {
  const processors = createProcessors(NONE);
  const read = processors.flatMap(({ inputs }) => inputs);
  const topics = processors.flatMap(({ outputs }) => outputs).filter((topic) => !read.includes(topic));
  expect(topics.length).toBeGreaterThan(0);
  expect(Object.keys((await replayed([], NONE)).summary.outputs)).toEqual(topics);
});

test('every line is counted once, by its final outcome', async () => {
  const until = START + 2 * DAY;
  const fold = await replayed(
    [
      line(START),
      'not JSON',
      '[1, 2]',
      line(START, { eventId: 'no type', type: 7 }),
      line(START, { eventId: 'twice' }),
      line(START, { eventId: 'twice' }),
      line(START, order('o-1')),
      line(START, { ...order('o-1'), eventId: 'o-1 again' }),
      line(START, { brandId: 'ACME' }),
      line(START, { userId: 'guest' }),
      line(START, { eventId: 'tomorrow', occurredAt: START + DAY, timestamp: START }),
      line(START, { eventId: 'later type', type: 'HOLOGRAM_WAVED' }),
      line(START, { eventId: 'old', occurredAt: START - 400 * DAY, timestamp: START + HOUR }),
      Buffer.from([0xff, 0xfe, 0x00]),
      '',
      line(until, { eventId: 'at the end' }),
      line(until + 1, { eventId: 'after it' }),
      line(START + HOUR, { eventId: 'again before it' }),
    ],
    NONE,
    until,
  );
  expect(fold.summary).toEqual({
    records: 16,
    applied: 5,
    skipped: { unknown_type: 1, duplicate_event: 1, duplicate_order: 1, beyond_horizon: 1 },
    rejected: { undecodable: 4, invalid_brand: 1, no_identifier: 1, future_timestamp: 1 },
    outputs: expect.any(Object) as object,
    customers: 1,
    afterUntil: 1,
  });
  expect(JSON.parse(fold.files['summary.json'] ?? '')).toEqual(fold.summary);
  expect(fold.faults.map((fault) => fault.split(':')[0])).toEqual(['2', '3', '4', '14']);
  const letters = fold.rows<{ value: string; headers: Record<string, string> }>('dead-letters');
  expect(letters.map(({ headers }) => headers['dlq.code'])).toEqual([
    ...['undecodable', 'undecodable', 'undecodable', 'invalid_brand', 'no_identifier', 'future_timestamp'],
    'undecodable',
  ]);
  expect(Buffer.from(letters[0]?.value ?? '', 'base64').toString()).toBe('not JSON');
  expect(Buffer.from(letters[6]?.value ?? '', 'base64')).toEqual(Buffer.from([0xff, 0xfe, 0x00]));
});

describe('traits that are held back', () => {
  const traitsAt = async (lines: readonly string[], until: number | null): Promise<number[]> =>
    (await replayed(lines, NONE, until))
      .rows<PublishedRow<object>>('customer-traits.v1')
      .map(({ timestamp }) => timestamp);

  test('leave at --until', async () => {
    expect(await traitsAt([line(START), line(START + 10_000)], START + 30_000)).toEqual([START, START + 30_000]);
  });

  test('leave with the last record when there is no --until', async () => {
    expect(await traitsAt([line(START), line(START + 10_000)], null)).toEqual([START, START + 10_000]);
  });

  test('leave a minute after those before them when --until is later', async () => {
    const lines = [line(START), line(START + 10_000), line(START + 20_000)];
    expect(await traitsAt(lines, START + HOUR)).toEqual([START, START + MINUTE]);
  });

  test('are not sent again when nothing was held back', async () => {
    expect(await traitsAt([line(START)], START + HOUR)).toEqual([START]);
  });
});

interface Changed {
  readonly occurredAt: number;
  readonly cause: string;
  readonly changes: readonly { readonly segmentId: string; readonly change: string }[];
}

describe('silence ends a membership at its exact deadline', () => {
  /** `+entered` and `-exited` by silence, each with its time. */
  const bySilence = async (segments: Parameters<typeof definitionsWith>[0], lines: readonly string[], until: number) =>
    (await replayed(lines, definitionsWith(segments), until))
      .rows<PublishedRow<Changed>>('segment-memberships.v1')
      .filter(({ value }) => value.cause === 'TIME')
      .map(({ value, timestamp }) => {
        expect(timestamp).toBe(value.occurredAt);
        const changes = value.changes.map(({ segmentId, change }) => `${change === 'ENTERED' ? '+' : '-'}${segmentId}`);
        return [new Date(timestamp).toISOString(), ...changes];
      });

  test('of 24 hours: 25 hour tiles after the one of the event, 10:00', async () => {
    const segments = { day: { 'traits.page_views.24h': { $gte: 1 } } };
    const deadline = Date.parse('2026-05-05T11:00:00Z');
    expect(await bySilence(segments, [line(START)], deadline)).toEqual([['2026-05-05T11:00:00.000Z', '-day']]);
    expect(await bySilence(segments, [line(START)], deadline - 1)).toEqual([]);
  });

  test('of 30 days: 31 days after the day of the event', async () => {
    const segments = { month: { 'traits.page_views.30d': { $gte: 1 } } };
    const deadline = Date.parse('2026-06-04T00:00:00Z');
    expect(await bySilence(segments, [line(START)], deadline)).toEqual([['2026-06-04T00:00:00.000Z', '-month']]);
    expect(await bySilence(segments, [line(START)], deadline - 1)).toEqual([]);
  });

  test('by age: whole days after the last one, to the millisecond', async () => {
    const segments = { fresh: { 'ages.page_views': { $lt: 2 } }, stale: { 'ages.page_views': { $gte: 30 } } };
    expect(await bySilence(segments, [line(START), line(START + DAY + 1)], START + 40 * DAY)).toEqual([
      ['2026-05-07T10:07:00.001Z', '-fresh'],
      ['2026-06-04T10:07:00.001Z', '+stale'],
    ]);
  });

  test('before the next record of the same customer, not after it', async () => {
    const segments = { day: { 'traits.page_views.24h': { $gte: 1 } } };
    const lines = [line(START), line(START + 3 * DAY)];
    expect(await bySilence(segments, lines, START + 3 * DAY)).toEqual([['2026-05-05T11:00:00.000Z', '-day']]);
  });
});

describe('churn risk rises by silence', () => {
  const WEEK = 7 * DAY;
  const [r, alpha, a, b] = [0.525, 6.183, 0.891, 1.614];
  const H = 90 / 7;

  /** 1 − P(buys within H): the closed form of MBG/NBD, in weeks, straight from its source. */
  function risk(x: number, tx: number, T: number): number {
    const alive = 1 / (1 + (a / (b + x)) * ((alpha + T) / (alpha + tx)) ** (r + x));
    return 1 - alive * (1 - ((alpha + T) / (alpha + T + H)) ** (r + x));
  }

  /** The first whole millisecond at which the risk after `x` repeats, the last after `txMs`, reaches `level`. */
  function crossing(x: number, txMs: number, level: number): number {
    let [low, high] = [txMs, txMs + 500 * WEEK];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (risk(x, txMs / WEEK, middle / WEEK) >= level) high = middle;
      else low = middle;
    }
    return high;
  }

  const baseline = { x: 1, tx: 10, T: 30 };
  const definitions = definitionsWith({ lost: { 'churn.band': 'HIGH' } }, [
    {
      brandId: 'acme',
      model: 'mbg-nbd',
      horizonDays: 90,
      parameters: { r, alpha, a, b },
      baseline: { probability: risk(1, 10, 30), ...baseline },
      fittedAt: '2026-01-01T00:00:00Z',
      quality: {},
      version: 'v',
      file: 'churn/acme.json',
    },
  ]);

  test('into the next band and its segment at the instant of the crossing', async () => {
    const last = 4 * WEEK;
    const high = crossing(2, last, 2 / 3);
    const lines = [0, WEEK, last].map((after, index) => line(START + after, order(`o-${index}`)));
    const { rows } = await replayed(lines, definitions, START + 60 * WEEK);
    const byTime = rows<PublishedRow<{ occurredAt: number; cause: string; band: string; previousBand: string }>>(
      'churn-risk.v1',
    ).filter(({ value }) => value.cause === 'TIME' && value.band !== value.previousBand);
    expect(byTime.map(({ timestamp, value }) => [timestamp - START, value.previousBand, value.band])).toContainEqual([
      high,
      'MEDIUM',
      'HIGH',
    ]);
    const entered = rows<PublishedRow<Changed>>('segment-memberships.v1').filter(({ value }) => value.cause === 'TIME');
    expect(entered.map(({ timestamp, value }) => [timestamp - START, value.cause, value.changes[0]?.change])).toEqual([
      [high, 'TIME', 'ENTERED'],
    ]);
    const [profile] = rows<{ profile: { churn: { probability: number } } }>('profiles');
    expect(profile?.profile.churn.probability).toBeCloseTo(risk(2, 4, 60), 12);
  });
});
