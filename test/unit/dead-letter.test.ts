import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { deadLetter, letterBytes } from '../../processors/runtime/dead-letter.ts';
import type { LogRecord } from '../../processors/runtime/ports.ts';
import { TOPICS } from '../../topics/catalog.ts';

const MIB = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** The letter of a record that is `changes`, and otherwise empty. */
function letterOf(changes: Partial<LogRecord>, straight = false) {
  const record: LogRecord = { offset: 41, timestamp: 7, key: null, value: null, headers: {}, ...changes };
  const at = { topic: 'a.v1', partition: 3, group: 'kizuna.g.v1', stage: 'decode', deadLetterTopic: 'a.dlq' } as const;
  return deadLetter(record, { reason: 'undecodable', message: 'why' }, { ...at, straight });
}

describe('a dead letter', () => {
  test('leaves out headers that together are more than 32 KiB, keeps key and value, and says so', () => {
    const headers = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`h${index}`, 'v']));
    const letter = letterOf({ headers, key: Buffer.from('k'), value: Buffer.from('v') });
    expect(letter).toMatchObject({ key: Buffer.from('k'), value: Buffer.from('v') });
    expect(letter.headers).toMatchObject({ 'dlq.truncated': 'headers', 'dlq.offset': '41' });
    expect(Object.keys(letter.headers).filter((name) => name.startsWith('dlq.header.'))).toEqual([]);
  });

  test('counts the prefix that each header gets', () => {
    const headers = Object.fromEntries(Array.from({ length: 1_400 }, (_, index) => [String(index), NOTHING]));
    expect(letterOf({ headers: { one: Buffer.alloc(32_000) } }).headers).not.toHaveProperty('dlq.truncated');
    // 20 KB as they were, 35 KB as they would be.
    expect(letterOf({ headers }).headers).toHaveProperty('dlq.truncated', 'headers');
  });

  test('keeps a count of redrives, and no other bytes that stand in its place', () => {
    expect(letterOf({ headers: { 'dlq.redrives': '2' } }).headers['dlq.redrives']).toBe('2');
    expect(letterOf({ headers: { 'dlq.redrives': '9'.repeat(MIB) } }).headers['dlq.redrives']).toBe('0');
  });

  test('keeps a value up to 6 MiB, and leaves out a larger one with its size', () => {
    const largest = Buffer.alloc(6 * MIB);
    const kept = letterOf({ value: largest });
    expect(kept.value).toBe(largest);
    expect(kept.headers).not.toHaveProperty('dlq.truncated');
    const larger = letterOf({ key: Buffer.from('k'), value: Buffer.alloc(6 * MIB + 1) });
    expect(larger).toMatchObject({ key: Buffer.from('k'), value: null });
    expect(larger.headers).toMatchObject({ 'dlq.truncated': 'value', 'dlq.value-bytes': String(6 * MIB + 1) });
  });

  test('that goes straight to its topic keeps what compresses to that much, and nothing above 64 MiB', () => {
    const zeros = Buffer.alloc(20 * MIB);
    expect(letterOf({ value: zeros }, true).value).toBe(zeros);
    expect(letterOf({ value: randomBytes(6 * MIB + 1) }, true).value).toBeNull();
    expect(letterOf({ value: Buffer.alloc(64 * MIB + 1) }, true).value).toBeNull();
  });

  test('leaves out a key above 16 KiB, and names all that is missing', () => {
    const { key, headers } = letterOf({
      key: Buffer.alloc(16 * 1024 + 1),
      value: Buffer.alloc(7 * MIB),
      headers: { wide: Buffer.alloc(MIB) },
    });
    expect(key).toBeNull();
    expect(headers).toMatchObject({ 'dlq.truncated': 'key,headers,value', 'dlq.key-bytes': '16385' });
  });

  test('fits every dead-letter topic when all of it is as large as it may be and does not compress', () => {
    const letter = letterOf({
      key: randomBytes(16 * 1024),
      value: randomBytes(6 * MIB),
      headers: { wide: randomBytes(32 * 1024 - 64) },
    });
    expect(letter.headers).not.toHaveProperty('dlq.truncated');
    const compressed = gzipSync(letter.value ?? NOTHING).length;
    const bytes = letterBytes({ ...letter, value: null }) + compressed;
    const limits = TOPICS.filter(({ role }) => role === 'dead-letter').map(({ maxMessageBytes }) => maxMessageBytes);
    expect(limits).toHaveLength(TOPICS.flatMap(({ readers }) => readers).length);
    for (const limit of limits) expect(bytes).toBeLessThan(limit - 4096);
  });
});
