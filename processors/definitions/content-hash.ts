import { createHash } from 'node:crypto';

const HASH_LENGTH = 16;

/**
 * A hash of what a JSON value says, not of how it is written: keys are sorted and white space does not count. The first 16
 * hexadecimal digits of a SHA-256, enough to tell sets of definitions apart.
 */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, HASH_LENGTH);
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`).join(',')}}`;
}
