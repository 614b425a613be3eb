import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAbout } from '../../processors/cli/erasure-about.ts';
import { hashOf, Sought } from '../../processors/cli/erasure-subjects.ts';
import { embedServices } from '../../processors/runtime/embed.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { interaction } from '../processors/intake-fixture.ts';

const HASH = 'ab'.repeat(32);
const KEY = 'what-receipts-are-hashed-with-0001';
const NOBODY = { userId: null, emailHash: null, anonymousId: null };
const LETTERS = '';

describe('a record is about somebody', () => {
  const subjects = ['u:1', `e:${HASH}`, 'a:x|y', 'a:x|17'];
  const plain = new Sought('demo', subjects);
  const hashes = subjects.map((subject) => hashOf(KEY, `demo|${subject}`));
  const hashed = new Sought('demo', [], hashes, KEY);
  const step = { subject: 'u:9', via: null, state: null, at: null };
  const of = (topic: string, key: string) => [topic, key] as const;

  test.each<[string, readonly [string, string] | null, object | null, boolean]>([
    ['the key of a customer', of('customer-events.v1', 'demo|u:1'), null, true],
    ['of another brand', of('customer-events.v1', 'shop|u:1'), null, false],
    ['of somebody whose id begins so', of('customer-events.v1', 'demo|u:12'), null, false],
    ['of somebody whose id looks like a case', of('customer-events.v1', 'demo|a:x|u:1'), null, false],
    ['the key of a case document', of('touchpoint-events.v1', 'demo|check%7Cout|a:x|y'), null, true],
    ['one whose id ends as a case does', of('touchpoint-events.v1', 'demo|checkout|a:x|17'), null, true],
    ['of somebody whose id ends so', of('touchpoint-events.v1', 'demo|checkout|u:1|17'), null, false],
    ['the key of a case', of('cases.v1', 'demo|checkout|u:1|17'), null, true],
    ['the key of a case of somebody else', of('cases.v1', 'demo|checkout|u:2|1'), null, false],
    ['the key of a measure', of('brand-kpis.v1', 'demo|segment|u:1|orders|1h'), null, false],
    ['a key that the brand chose', of('interactions.v1', '1'), null, true],
    ['a key of ours there', of('commands.v1', 'demo|u:1'), null, true],
    ['one with a value of its brand', of('interactions.v1', '1'), interaction({ brandId: 'demo', ...NOBODY }), true],
    ['the bare key of another brand', of('interactions.v1', '1'), interaction({ brandId: 'shop', ...NOBODY }), false],
    ['a key of a letter that nobody knows', of(LETTERS, 'demo|checkout|u:1|17'), null, true],
    ['an interaction', null, interaction({ brandId: 'demo', ...NOBODY, emailHash: HASH.toUpperCase() }), true],
    ['an interaction by anonymous id', null, interaction({ brandId: 'demo', ...NOBODY, anonymousId: 'x|y' }), true],
    ['one of another brand', null, interaction({ brandId: 'shop', ...NOBODY, userId: '1' }), false],
    ['one of somebody else', null, interaction({ brandId: 'demo', ...NOBODY, userId: '2' }), false],
    ['a customer’s output', null, { brandId: 'demo', customerId: 'u:1' }, true],
    ['a link', null, { brandId: 'demo', weaker: 'a:1', stronger: 'u:1' }, true],
    ['a step', null, { brandId: 'demo', subject: 'u:9', identity: { ...step, via: 'u:1' } }, true],
    ['a step of others', null, { brandId: 'demo', subject: 'u:9', identity: step }, false],
    ['what is within', null, { brandId: 'demo', subject: 'u:9', interaction: { brandId: 'demo', userId: '1' } }, true],
    ['a command about a case', null, { brandId: 'demo', kind: 'CASE_RESOLVE', target: 'shop|u:1|2' }, true],
    ['the end of a link', null, { brandId: 'demo', kind: 'UNLINK', subject: 'u:9', target: 'a:x|y' }, true],
    ['one whose id looks like a case', null, { brandId: 'demo', kind: 'UNLINK', target: 'a:q|u:1|2' }, false],
    ['JSON of ours', null, Buffer.from('{"brandId":"demo","userId":1,"order":{"amountMinor":5}}'), true],
    ['JSON of another brand', null, Buffer.from('{"brandId":"shop","userId":"1"}'), false],
    ['an amount in JSON', null, Buffer.from('{"brandId":"demo","userId":"2","amountMinor":1}'), false],
    ['JSON of whatever names', null, Buffer.from('{"data":[{"who":"nobody","what":"\\u0061:x|y"}]}'), true],
    ['JSON of nobody', null, Buffer.from('{"data":[{"who":"12"}]}'), false],
  ])('by %s', (_, key, value, isOurs) => {
    const [topic, text] = key ?? [LETTERS, null];
    const bytes = text === null ? null : Buffer.from(text);
    expect(isAbout(plain, topic, bytes, value)).toBe(isOurs);
    expect(isAbout(hashed, topic, bytes, value)).toBe(isOurs);
  });

  test('by bytes that nobody can read, of what was named', () => {
    const among = (text: string): boolean => isAbout(plain, LETTERS, null, Buffer.from(text));
    expect(among(`\u0000\u0001${HASH}`)).toBe(true);
    expect(among(`{"emailHash":"${HASH.toUpperCase()}","cut`)).toBe(true);
    expect(among('nothing')).toBe(false);
    expect(among('user=1&page=2')).toBe(true);
    expect(among('user=12&page=21')).toBe(false);
  });
});

describe('bytes that no schema reads', async () => {
  const { codec } = await embedServices({ topics: TOPICS, partitions: 1, clock: { now: () => 0 }, keepRecords: 0 });
  await codec.prepare(['interactions.v1']);
  // Few characters, so that most are part of others.
  const identifier = fc.string({ unit: fc.constantFrom('4', '2', '1', '-', 'é'), minLength: 3, maxLength: 70 });
  const person = fc.record(
    { userId: fc.option(identifier), anonymousId: fc.option(identifier) },
    { requiredKeys: ['userId', 'anonymousId'] },
  );
  const value = person.map(({ userId, anonymousId }) =>
    interaction({ eventId: 'event', emailHash: null, userId, anonymousId, touchpoint: 'checkout', text: 'said so' }),
  );
  const isOurs = (id: string, { userId, anonymousId }: { userId: string | null; anonymousId: string | null }) =>
    userId === id || anonymousId === id;
  /** Half of them are whole records of one of those who are sought. */
  const cases = fc.tuple(identifier, value, fc.boolean()).map(([id, other, same]) => {
    return { id, value: same ? { ...other, userId: id } : other };
  });

  const named = (id: string, bytes: Buffer): boolean =>
    isAbout(new Sought('demo', [`u:${id}`, `a:${id}`]), LETTERS, null, bytes);

  test('in Avro name exactly those who are in them', () => {
    fc.assert(
      fc.property(cases, ({ id, value }) => {
        expect(named(id, codec.encode('interactions.v1', value))).toBe(isOurs(id, value));
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  test('in JSON, whole or cut off behind the names, likewise', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ id, value }, isCut) => {
        const text = JSON.stringify(value);
        const bytes = Buffer.from(isCut ? text.slice(0, text.indexOf('"channel"')) : text);
        expect(named(id, bytes)).toBe(isOurs(id, value));
      }),
      { numRuns: 500, seed: 12 },
    );
  });
});
