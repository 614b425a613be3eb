import { isUtf8 } from 'node:buffer';

/** Bytes for a person: text with anything that would move a cursor written out, else hexadecimal; null as `(none)`. */
export function printable(bytes: Buffer | string | null): string {
  if (bytes === null) return '(none)';
  if (typeof bytes !== 'string' && !isUtf8(bytes)) return `0x${bytes.toString('hex')}`;
  return bytes
    .toString()
    .replaceAll(/[\p{C}\u2028\u2029]/gu, (mark) => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A time as ISO 8601, or as the number that no date can hold. */
export function timeText(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}
