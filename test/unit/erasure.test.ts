import { describe, expect, test } from 'vitest';
import { FoundInTopic, topicPlace } from '../../processors/cli/erasure-places.ts';
import { hashOf, isAbout, Sought } from '../../processors/cli/erasure-subjects.ts';
import { subjectsGiven } from '../../processors/cli/erase.ts';
import { ConfigurationError } from '../../processors/core/errors.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { interaction } from '../processors/intake-fixture.ts';

const HASH = 'ab'.repeat(32);
const KEY = 'what-receipts-are-hashed-with-0001';
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 4, 1);
const NOBODY = { userId: null, emailHash: null, anonymousId: null };

describe('a record is about somebody', () => {
  const plain = new Sought('demo', ['u:1', `e:${HASH}`, 'a:x|y']);
  const hashed = new Sought(
    'demo',
    [],
    [hashOf(KEY, 'demo|u:1'), hashOf(KEY, `demo|e:${HASH}`), hashOf(KEY, 'demo|a:x|y')],
    KEY,
  );
  const step = { subject: 'u:9', via: null, state: null, at: null };

  test.each<[string, string | null, object | null, boolean]>([
    ['the key of a customer', 'demo|u:1', null, true],
    ['of another brand', 'shop|u:1', null, false],
    ['of somebody whose id begins so', 'demo|u:12', null, false],
    ['the key of a case document', 'demo|check%7Cout|a:x|y', null, true],
    ['the key of a case', 'demo|checkout|u:1|17', null, true],
    ['the key of a case of somebody else', 'demo|checkout|u:2|1', null, false],
    ['a key that the brand chose', '1', null, true],
    ['an interaction', null, interaction({ brandId: 'demo', ...NOBODY, emailHash: HASH.toUpperCase() }), true],
    ['an interaction by anonymous id', null, interaction({ brandId: 'demo', ...NOBODY, anonymousId: 'x|y' }), true],
    ['one of another brand', null, interaction({ brandId: 'shop', ...NOBODY, userId: '1' }), false],
    ['one of somebody else', null, interaction({ brandId: 'demo', ...NOBODY, userId: '2' }), false],
    ['a customer’s output', null, { brandId: 'demo', customerId: 'u:1' }, true],
    ['a link', null, { brandId: 'demo', weaker: 'a:1', stronger: 'u:1' }, true],
    ['a step', null, { brandId: 'demo', subject: 'u:9', identity: { ...step, via: 'u:1' } }, true],
    ['a step of others', null, { brandId: 'demo', subject: 'u:9', identity: step }, false],
    ['what is within', null, { brandId: 'demo', subject: 'u:9', interaction: { brandId: 'demo', userId: '1' } }, true],
    ['a command about a case', null, { brandId: 'demo', target: 'checkout|u:1|2', subject: null }, true],
  ])('by %s', (_, key, value, isOurs) => {
    const bytes = key === null ? null : Buffer.from(key);
    expect(isAbout(plain, bytes, value)).toBe(isOurs);
    expect(isAbout(hashed, bytes, value)).toBe(isOurs);
  });

  test('by bytes that nobody can read, of what was named', () => {
    expect(isAbout(plain, null, Buffer.from(`\u0000\u0001${HASH}`))).toBe(true);
    expect(isAbout(plain, null, Buffer.from('nothing'))).toBe(false);
  });
});

describe('what was found in a topic goes', () => {
  const found = (...tombstones: readonly boolean[]): FoundInTopic => {
    const each = new FoundInTopic();
    tombstones.forEach((isTombstone, index) => {
      each.add('k', NOW + index, isTombstone);
    });
    return each;
  };
  const place = (
    name: string,
    each: FoundInTopic,
    settings: Record<string, string>,
    purgeAfterMs: number | null = 7 * DAY,
  ) => {
    const { by, until } = topicPlace(name, each, new Map(Object.entries(settings)), purgeAfterMs, NOW + DAY);
    return [by, until];
  };
  const timed = { 'cleanup.policy': 'delete', 'retention.ms': String(28 * DAY), 'segment.ms': String(7 * DAY) };
  const kept = { ...timed, 'retention.ms': '-1' };
  const compacted = { 'cleanup.policy': 'compact', 'max.compaction.lag.ms': String(7 * DAY) };

  test('by retention, once the whole segment is as old', () => {
    expect(place('interactions.v1', found(false, false), timed)).toEqual(['retention', NOW + 1 + 35 * DAY]);
    expect(place('interactions.v1', found(false), kept)).toEqual([null, null]);
    expect(place('interactions.v1', found(), timed)).toEqual([null, null]);
  });

  test('by the purge, where only that deletes', () => {
    expect(place('customer-events.v1', found(false), kept)).toEqual(['purge', NOW + 8 * DAY]);
    expect(place('customer-events.v1', found(false), kept, null)).toEqual([null, null]);
  });

  test('by compaction behind a tombstone, and by nothing but another erasure before one', () => {
    expect(place('customer-traits.v1', found(false, true), compacted)).toEqual(['compaction', NOW + 1 + 7 * DAY]);
    expect(place('customer-traits.v1', found(true, false), compacted)).toEqual(['erase', null]);
    expect(place('customer-traits.v1', found(true), compacted)).toEqual([null, null]);
    const unset = { ...compacted, 'max.compaction.lag.ms': '9223372036854775807' };
    expect(place('customer-traits.v1', found(false, true), unset)).toEqual(['compaction', null]);
  });
});

describe('on the command line', () => {
  test('identifiers have a kind, once each, hashes in lower case', () => {
    expect(subjectsGiven(['u:1', `e:${HASH.toUpperCase()}`, 'u:1'])).toEqual(['u:1', `e:${HASH}`]);
    expect(() => subjectsGiven(['1', 'u:1', 'a:guest', 'e:me'])).toThrow(ConfigurationError);
  });

  test.each([
    ['erase', 2],
    ['erase Demo u:1', 2],
    ['erase demo 1', 2],
    ['erase demo u:1', 2],
    ['erase demo u:1 --within 0', 2],
    ['verify-erasure demo', 2],
    ['verify-erasure demo 1', 2],
    ['erase --help', 0],
    ['verify-erasure --help', 0],
  ])('%s ends with %i', async (line, code) => {
    expect((await kizuna(line)).code).toBe(code);
  });

  test('nothing is erased without a key for the receipt', async () => {
    const services = {
      KIZUNA_KAFKA_BROKERS: 'nowhere:9092',
      KIZUNA_MONGODB_URI: 'mongodb://nowhere/?replicaSet=rs0',
      KIZUNA_SCHEMA_REGISTRY_URL: 'http://nowhere:8081',
    };
    const { code, stderr } = await kizuna('erase demo u:1 --yes', services);
    expect([code, stderr]).toEqual([2, expect.stringContaining('KIZUNA_ERASURE_KEY: is missing')]);
    const short = await kizuna('erase demo u:1 --yes', { ...services, KIZUNA_ERASURE_KEY: 'short' });
    expect(short.stderr).toContain('at least 32 visible ASCII characters');
    expect(short.stderr).not.toContain('short');
  });
});
