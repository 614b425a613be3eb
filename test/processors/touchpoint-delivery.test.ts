import { expect, test } from 'vitest';
import { ByteReader } from '../../processors/core/packing.ts';
import { touchpointKey } from '../../processors/core/touchpoint-key.ts';
import type { LogRecord } from '../../processors/runtime/ports.ts';
import { createTouchpoint } from '../../processors/touchpoint/processor.ts';
import type { TouchpointEvent } from '../../schemas/types.ts';
import { definitionsWith, TOUCHPOINTS } from '../harness/definition-sets.ts';
import { documentsOf, foldWithCrash, uniqueByPosition, type Folding } from '../harness/folding-with-crash.ts';
import { DAY, HOUR, T, touchpointEvent } from './touchpoint-fixture.ts';

const AT = { topic: 'touchpoint-events.v1', partition: 0 };
const END = T + 20 * DAY;
const settings = { ...TOUCHPOINTS, baselineAnswers: 20, subgroupAnswers: 1 };
const definitions = { ...definitionsWith({}), defaultTouchpoints: settings };

/** Answers of ten customers that become bad, each to the touchpoint and to the case; operators resolve; all of it written twice. */
function input(): LogRecord[] {
  const records: LogRecord[] = [];
  const write = (last: string, changes: Partial<TouchpointEvent>, at: number, n: number, index: number): void => {
    const key = Buffer.from(touchpointKey('acme', 'checkout', last));
    const value = Buffer.from(JSON.stringify(touchpointEvent({ ...changes, occurredAt: at })));
    const headers = { position: Buffer.from(`kizuna.upstream.v1@1/interactions.v1/0:${n}.${index}`) };
    records.push({ offset: records.length, timestamp: at, key, value, headers });
  };
  for (let n = 0; n < 80; n++) {
    const at = T + n * 2 * HOUR;
    const subject = `u:${n % 10}`;
    const answer = { subject, eventId: `e-${n}`, value: n < 40 ? 8 + (n % 3) : n % 4 === 3 ? 9 : 1 };
    for (let time = 0; time < (n % 7 === 0 ? 2 : 1); time++) {
      write('WEB', answer, at, 2 * n, 1);
      write(subject, answer, at, 2 * n, 2);
    }
    const command = { subject, kind: 'CASE_RESOLVE', eventId: `c-${n}`, caseId: `checkout|${subject}|1` } as const;
    if (n % 5 === 0) write(subject, command, at + HOUR, 2 * n + 1, 0);
  }
  return records;
}

const foldingOf = (records: readonly LogRecord[]): Folding => ({
  ...{ create: () => createTouchpoint(definitions), at: AT, records, end: END, batchRecords: 20 },
});

test('a crash before or after any durable effect, and repeats from upstream, leave the same documents and outputs', async () => {
  const folding = foldingOf(input());
  const whole = await foldWithCrash(folding, Number.POSITIVE_INFINITY);
  const outputs = uniqueByPosition(whole.sent).sort();
  const topics = new Set(outputs.map((line) => line.split(' ')[0]));
  expect(topics).toEqual(new Set(['touchpoint-scores.v1', 'touchpoint-alerts.v1', 'cases.v1']));
  for (const change of ['RAISED', 'OPENED', 'RESOLVED', 'VERIFIED', 'REOPENED', 'OVERDUE']) {
    expect(
      outputs.some((line) => line.includes(`"change":"${change}"`)),
      change,
    ).toBe(true);
  }
  expect(whole.points).toBeGreaterThan(40);
  for (let nth = 1; nth <= whole.points; nth++) {
    const crashed = await foldWithCrash(folding, nth);
    expect(crashed.crashes).toBe(1);
    expect(uniqueByPosition(crashed.sent).sort(), `crash at ${nth}`).toEqual(outputs);
    expect(documentsOf(folding, crashed), `crash at ${nth}`).toEqual(documentsOf(folding, whole));
  }
});

test('what is skipped leaves no document behind where nothing is remembered, and nothing is lost where something is', async () => {
  const subject = 'u:1';
  const write = (last: string, changes: Partial<TouchpointEvent>, offset: number): LogRecord => {
    const value = Buffer.from(JSON.stringify(touchpointEvent({ subject, ...changes })));
    const key = Buffer.from(touchpointKey('acme', 'checkout', last));
    return { offset, timestamp: T + offset, key, value, headers: {} };
  };
  const madeUp = { kind: 'CASE_RESOLVE', caseId: 'checkout|u:7|1', subject: 'u:7' } as const;
  const records = [
    write('u:7', madeUp, 0),
    write('u:7', { ...madeUp, eventId: 'again' }, 1),
    write('APP', { occurredAt: T - 400 * DAY }, 2),
    write('STORE', { kind: 'UNKNOWN' }, 3),
    // A content answer opens no case, and must not be forgotten: the older complaint after it opens none either.
    write('u:1', { value: 9 }, 4),
    write('u:1', { ...madeUp, caseId: 'checkout|u:1|1', subject }, 5),
    write('u:1', { value: 0, occurredAt: T - HOUR }, 6),
    // Skipped at first, then born, in one batch and under the same key.
    write('u:2', { ...madeUp, caseId: 'checkout|u:2|1', subject: 'u:2' }, 7),
    write('u:2', { value: 0, subject: 'u:2' }, 8),
  ];
  const { store } = await foldWithCrash(foldingOf(records), Number.POSITIVE_INFINITY);
  const stored = [...store.documents('touchpoint.v1').all()].map(({ key, state }) => {
    return [key, createTouchpoint(definitions).state.summarize(new ByteReader(state))['state']];
  });
  expect(stored.toSorted()).toEqual([
    ['acme|checkout|u:1', null],
    ['acme|checkout|u:2', 'OPEN'],
  ]);
});
