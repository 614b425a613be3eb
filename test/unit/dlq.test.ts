import { describe, expect, test } from 'vitest';
import { receiptId } from '../../processors/cli/dlq-audit.ts';
import { filterOf, isWanted, parsePlace, sourceTopic } from '../../processors/cli/dlq-filter.ts';
import { originalHeaders, readLetter, type Letter } from '../../processors/cli/dlq-letter.ts';
import { judgeDiscard, judgeRedrive, type RedriveRules } from '../../processors/cli/dlq-plan.ts';
import { describeList, describeWork, Newest, summaryOf } from '../../processors/cli/dlq-report.ts';
import { hexDump, readValue } from '../../processors/cli/dlq-show.ts';
import { printable } from '../../processors/cli/dlq-text.ts';
import { ConfigurationError, PipelineError } from '../../processors/core/errors.ts';
import { CLAIM_MS, type Receipt, type ReceiptStatus } from '../../processors/runtime/dead-letter-receipts.ts';
import { deadLetter } from '../../processors/runtime/dead-letter.ts';
import type { LogRecord } from '../../processors/runtime/ports.ts';

const SOURCE = 'interactions.v1';
const GROUP = 'kizuna.intake.v1';
const LETTERS = `${SOURCE}.${GROUP}.dlq`;
const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 24 * 60 * 60 * 1000;

interface Given {
  readonly offset?: number;
  readonly reason?: Parameters<typeof deadLetter>[1]['reason'];
  readonly age?: number;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly headers?: LogRecord['headers'];
  readonly message?: string;
}

/** A letter as a processor writes it and the log keeps it. */
function letterOf({ offset = 7, reason = 'undecodable', age = 0, ...given }: Given = {}): Letter {
  const refused: LogRecord = {
    offset: 41,
    timestamp: NOW - age,
    key: given.key === undefined ? Buffer.from('demo') : given.key,
    value: given.value === undefined ? Buffer.from('rubbish') : given.value,
    headers: given.headers ?? {},
  };
  const at = { topic: SOURCE, partition: 3, group: GROUP, stage: 'decode', deadLetterTopic: LETTERS } as const;
  const { key, value, timestamp, headers } = deadLetter(refused, { reason, message: given.message ?? 'why' }, at);
  return readLetter({ topic: LETTERS, partition: 1 }, { offset, key, value, timestamp, headers });
}

function receiptOf(status: ReceiptStatus, ageMs = 0): Receipt {
  const event = { status, at: NOW - ageMs, by: 'somebody', run: 'run', note: '' };
  return { ...event, history: [event] };
}

const RULES: RedriveRules = {
  now: NOW,
  time: 'original',
  force: false,
  again: false,
  retentionMs: () => -1,
};

describe('a letter', () => {
  test('says where it came from and why', () => {
    expect(letterOf({ age: 5 })).toMatchObject({
      ...{ topic: LETTERS, partition: 1, time: NOW - 5, stage: 'decode', reason: 'undecodable', redrives: 0 },
      origin: { topic: SOURCE, partition: 3, offset: 41, timestamp: NOW - 5, group: GROUP },
    });
  });

  test('of another topic or with headers that make no sense has no origin', () => {
    const { record } = letterOf();
    const headers = (changes: LogRecord['headers']) =>
      readLetter({ topic: LETTERS, partition: 1 }, { ...record, headers: { ...record.headers, ...changes } });
    expect(readLetter({ topic: 'customer-events.v1.kizuna.customer.v1.dlq', partition: 1 }, record).origin).toBeNull();
    expect(headers({ 'dlq.topic': 'segment-memberships.v1' }).origin).toBeNull();
    expect(headers({ 'dlq.offset': '-3' }).origin).toBeNull();
    expect(headers({ 'dlq.offset': '9'.repeat(40) }).origin).toBeNull();
    expect(headers({ 'dlq.redrives': 'many' }).redrives).toBe(0);
    expect(headers({ 'dlq.timestamp': '-1' }).origin?.timestamp).toBe(-1);
  });

  test('that was written twice is one letter in the audit, another record at the same place is another', () => {
    expect(receiptId(letterOf({ offset: 7 }))).toBe(receiptId(letterOf({ offset: 8 })));
    expect(receiptId(letterOf({ age: 1 }))).not.toBe(receiptId(letterOf({ age: 2 })));
  });

  test('prints nothing that moves a cursor', () => {
    expect(printable(Buffer.from('café|u:1'))).toBe('café|u:1');
    expect(printable('a\u001b[2Jb\n\u202ec')).toBe('a\\u{1b}[2Jb\\u{a}\\u{202e}c');
    expect(printable(Buffer.from([0xff, 0x00]))).toBe('0xff00');
    expect(printable(null)).toBe('(none)');
  });
});

describe('a filter', () => {
  const wants = (letter: Letter, flags: Parameters<typeof filterOf>[0]): boolean =>
    isWanted(letter, filterOf(flags, [], ''));

  test('holds by reason, stage, time, both ends included, and key', () => {
    const letter = letterOf({ reason: 'no_identifier', key: Buffer.from([0xff, 1]) });
    expect(wants(letter, {})).toBe(true);
    expect(wants(letter, { reason: ['no_identifier', 'null_value'] })).toBe(true);
    expect(wants(letter, { reason: ['null_value'] })).toBe(false);
    expect(wants(letter, { stage: ['decode'] })).toBe(true);
    expect(wants(letter, { stage: ['fold'] })).toBe(false);
    expect(wants(letter, { since: NOW, until: NOW })).toBe(true);
    expect(wants(letter, { since: NOW + 1 })).toBe(false);
    expect(wants(letter, { until: NOW - 1 })).toBe(false);
    expect(wants(letter, { key: '0xff01' })).toBe(true);
    expect(wants(letter, { key: 'demo' })).toBe(false);
    expect(wants(letterOf({ key: null }), { key: '' })).toBe(false);
  });

  test('names a topic by itself, by the topic its letters come from, or with the prefix', () => {
    expect(filterOf({ topic: SOURCE }, [], '').topics).toEqual([LETTERS]);
    expect(filterOf({ topic: LETTERS }, [], '').topics).toEqual([LETTERS]);
    expect(filterOf({ topic: `test.${SOURCE}` }, [], 'test.').topics).toEqual([LETTERS]);
    expect(filterOf({}, [], '').topics).toContain('customer-events.v1.kizuna.customer.v1.dlq');
    expect(sourceTopic(LETTERS)).toBe(SOURCE);
  });

  test('tells every fault at once', () => {
    const asked = () => filterOf({ topic: 'churn-risk.v1', reason: ['odd'], stage: ['x'], since: 2, until: 1 }, [], '');
    expect(asked).toThrow(ConfigurationError);
    expect(asked).toThrow(/--reason: odd[^]*--stage: x[^]*--since[^]*--topic: churn-risk.v1/);
  });

  test('takes letters by their place, with or without the prefix, and nothing else', () => {
    const place = { topic: LETTERS, partition: 1, offset: 7 };
    expect(parsePlace(`${LETTERS}/1/7`, '')).toEqual(place);
    expect(parsePlace(`p.${LETTERS}/1/7`, 'p.')).toEqual(place);
    for (const text of [`${SOURCE}/1/7`, `${LETTERS}/1`, `${LETTERS}/1/-7`, `${LETTERS}/1/7/9`, '']) {
      expect(() => parsePlace(text, '')).toThrow(ConfigurationError);
    }
    const filter = filterOf({}, [place], '');
    expect(filter.topics).toEqual([LETTERS]);
    expect(isWanted(letterOf({ offset: 7 }), filter)).toBe(true);
    expect(isWanted(letterOf({ offset: 8 }), filter)).toBe(false);
  });
});

describe('a redrive', () => {
  test('gives the record back as it was, with one redrive more and without its position', () => {
    const headers = { trace: Buffer.from('abc'), position: 'x@1/t/0:1.0', 'dlq.redrives': '1' };
    const verdict = judgeRedrive(letterOf({ headers, age: 9, key: null }), undefined, RULES);
    expect(verdict).toEqual({
      kind: 'redrive',
      record: {
        ...{ topic: SOURCE, key: null, value: Buffer.from('rubbish'), timestamp: NOW - 9 },
        headers: { trace: Buffer.from('abc'), 'dlq.redrives': '2' },
      },
    });
    expect(originalHeaders(letterOf({ headers }))).toHaveProperty('position');
  });

  const why = (letter: Letter, rules: Partial<RedriveRules> = {}, receipt?: Receipt): string => {
    const verdict = judgeRedrive(letter, receipt, { ...RULES, ...rules });
    return verdict.kind === 'refuse' ? verdict.why : verdict.kind;
  };

  test('stops after three, unless forced', () => {
    const redriven = (times: number) => letterOf({ headers: { 'dlq.redrives': String(times) } });
    expect(why(redriven(2))).toBe('redrive');
    expect(why(redriven(3))).toBe('looping');
    expect(why(redriven(3), { force: true })).toBe('redrive');
  });

  test('leaves alone what its own time keeps wrong or lets retention take; the time of the redrive mends both', () => {
    const monthly = { retentionMs: () => 28 * DAY_MS };
    expect(why(letterOf({ reason: 'future_timestamp' }))).toBe('still_in_the_future');
    expect(why(letterOf({ age: 26.9 * DAY_MS }), monthly)).toBe('redrive');
    expect(why(letterOf({ age: 27.1 * DAY_MS }), monthly)).toBe('beyond_retention');
    expect(why(letterOf({ age: 2 }), { retentionMs: () => 3 })).toBe('beyond_retention');
    const late = judgeRedrive(letterOf({ reason: 'future_timestamp', age: 99 * DAY_MS }), undefined, {
      ...RULES,
      ...monthly,
      time: 'now',
    });
    expect(late).toMatchObject({ kind: 'redrive', record: { timestamp: NOW } });
  });

  test('sends nothing twice, keeps off what another run has in hand, and takes over what a run left in doubt', () => {
    expect(why(letterOf(), {}, receiptOf('redriven'))).toBe('done');
    expect(why(letterOf(), {}, receiptOf('discarded'))).toBe('done');
    expect(why(letterOf(), { again: true }, receiptOf('discarded'))).toBe('redrive');
    expect(why(letterOf(), { again: true }, receiptOf('redriving'))).toBe('claimed');
    expect(why(letterOf(), {}, receiptOf('redriving', CLAIM_MS - 1))).toBe('claimed');
    expect(why(letterOf(), {}, receiptOf('redriving', CLAIM_MS))).toBe('redrive');
  });

  test('never sends what is not the record: a letter without its value, unlike one without its headers', () => {
    expect(why(letterOf({ value: Buffer.alloc(7 * 1024 * 1024) }), { force: true, again: true })).toBe('incomplete');
    expect(why(letterOf({ key: Buffer.alloc(17 * 1024) }))).toBe('incomplete');
    expect(why(letterOf({ headers: { wide: Buffer.alloc(33 * 1024) } }))).toBe('redrive');
  });

  test('refuses what does not say where it came from; a discard takes it', () => {
    const { record } = letterOf();
    const foreign = readLetter({ topic: LETTERS, partition: 1 }, { ...record, headers: {} });
    expect(why(foreign)).toBe('foreign');
    expect(judgeDiscard(undefined, NOW)).toBeNull();
    expect(judgeDiscard(receiptOf('redriven'), NOW)).toBe('done');
    expect(judgeDiscard(receiptOf('redriving'), NOW)).toBe('claimed');
  });
});

describe('what is told', () => {
  test('of any number of letters: the newest, oldest first, and counts of all', () => {
    const newest = new Newest(2);
    for (let age = 0; age < 500; age++) {
      const letter = letterOf({
        offset: age,
        age: (age * 7) % 500,
        reason: age % 5 === 0 ? 'null_value' : 'undecodable',
      });
      newest.add({ id: receiptId(letter), letter, receipt: undefined });
    }
    expect(newest.rows().map(({ time }) => Date.parse(time))).toEqual([NOW - 1, NOW]);
    const text = describeList(newest);
    expect(text).toMatch(/^LETTER +TIME +REASON +REDRIVES +KEY +MESSAGE$/m);
    expect(text).toMatch(/undecodable +400\nnull_value +100\nThe newest 2 of 500\.$/);
    expect(describeList(new Newest(2))).toBe('No dead letters.');
  });

  test('of keys and messages no more than a line takes', () => {
    const newest = new Newest(5);
    const letter = letterOf({ key: Buffer.from('k'.repeat(300)), message: 'm'.repeat(900) });
    newest.add({ id: 'x', letter, receipt: receiptOf('discarded') });
    expect(describeList(newest)).toContain('STATUS');
    expect(
      Math.max(
        ...describeList(newest)
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThan(300);
    expect(newest.rows()[0]?.key).toHaveLength(300);
  });

  test('of a run: what was sent where, what was left alone and why, and what is left to do', () => {
    const done = {
      taken: new Map([['a', { reason: 'unknown_schema', target: SOURCE, letters: 2 }]]),
      refused: new Map([['looping' as const, 1]]),
      ...{ before: 4, beyondMax: 5 },
    };
    const told = (dryRun: boolean): string =>
      describeWork(summaryOf(done, { action: 'redrive', dryRun, interrupted: false }));
    expect(told(true)).toMatch(/unknown_schema +2 +interactions\.v1/);
    expect(told(true)).toMatch(/1 left alone, looping: .*--force/);
    expect(told(true)).toMatch(/4 done with before\.\n5 more are beyond --max/);
    expect(told(true)).toMatch(/2 dead letters would be redriven; --yes does it\.$/);
    expect(told(false)).toMatch(/2 dead letters redriven\.$/);
  });

  test('of bytes: as a hex dump, of many only the beginning', () => {
    expect(hexDump(Buffer.from('0123456789abcdef\n'))).toBe(
      '  00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  |0123456789abcdef|\n' +
        `  00000010  0a ${' '.repeat(44)}  |.|`,
    );
    const long = hexDump(Buffer.alloc(5000)).split('\n');
    expect(long).toHaveLength(257);
    expect(long.at(-1)).toBe('  … 904 more bytes: --json has them all');
  });

  test('of a value even while the registry is away', async () => {
    const away = () => Promise.reject(new PipelineError('registry_unavailable', 'no answer', { retriable: true }));
    const codec = { learn: away, decode: () => 'undecodable' as const };
    expect(await readValue(letterOf(), codec)).toMatchObject({
      kind: 'bytes',
      why: expect.stringMatching(/no answer/) as string,
    });
    const broken = () => Promise.reject(new TypeError('a bug'));
    await expect(readValue(letterOf(), { ...codec, learn: broken })).rejects.toThrow('a bug');
    const answers = { learn: () => Promise.resolve(), decode: () => 'undecodable' as const };
    expect(await readValue(letterOf(), answers)).toMatchObject({
      why: expect.stringMatching(/no Interaction/) as string,
    });
    expect(await readValue(letterOf({ value: null }), answers)).toMatchObject({
      why: expect.stringMatching(/no value/) as string,
    });
  });
});
