import { describe, expect, test } from 'vitest';
import { FoundInTopic, topicPlace } from '../../processors/cli/erasure-places.ts';
import { subjectsGiven } from '../../processors/cli/erase.ts';
import { ConfigurationError } from '../../processors/core/errors.ts';
import { kizuna } from '../harness/recording-terminal.ts';

const HASH = 'ab'.repeat(32);
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 4, 1);

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

  test('by whichever comes first, where several would take it', () => {
    expect(place('customer-events.v1', found(false), timed)).toEqual(['purge', NOW + 8 * DAY]);
    const soon = { ...timed, 'retention.ms': '0', 'segment.ms': '0' };
    expect(place('customer-events.v1', found(false), soon)).toEqual(['retention', NOW]);
    const both = { ...timed, ...compacted, 'cleanup.policy': 'compact,delete' };
    expect(place('customer-traits.v1', found(false, true), both)).toEqual(['compaction', NOW + 1 + 7 * DAY]);
    expect(place('customer-traits.v1', found(true, false), both)).toEqual(['retention', NOW + 1 + 35 * DAY]);
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
