import { subjectKey } from '../core/identity.ts';
import { brandOf, hasNames, isInFields } from './erasure-fields.ts';
import { keysInKey, KINDS } from './erasure-keys.ts';
import type { Sought } from './erasure-subjects.ts';

/**
 * Whether bytes that are no record of any topic name somebody who is sought. JSON is read: by its fields
 * where it has ours, else each of its texts and numbers is an identifier or is none. In anything else one of those in plain is looked for, as a text of exactly its length as Avro writes
 * it, or between characters that identifiers are not made of. Of which brand such bytes are nobody knows: they count for each.
 */
export function isInBytes(sought: Sought, bytes: Buffer): boolean {
  const json = jsonOf(bytes);
  if (json !== undefined) return isInJson(sought, json, sought.brand);
  const lower = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1');
  return sought.subjects.some((subject) => {
    // The case of a hash means nothing.
    const within = subject.startsWith('e:') ? lower : bytes;
    const forms = [subject.slice(2), subject, subjectKey(sought.brand, subject)];
    return forms.some((form) => stands(within, Buffer.from(form)));
  });
}

/** Undefined for what is none, and for what is cut off. */
function jsonOf(bytes: Buffer): unknown {
  const text = bytes.toString().trim();
  if (!/^[[{"\d]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isInJson(sought: Sought, value: unknown, brand: string): boolean {
  if (typeof value === 'string' || typeof value === 'number') return isNamed(sought, String(value), brand);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((each) => isInJson(sought, each, brand));
  if (hasNames(value)) return isInFields(sought, withTexts(value), brand);
  const own = brandOf(value, brand) ?? brand;
  return Object.entries(value).some(([name, each]) => isNamed(sought, name, own) || isInJson(sought, each, own));
}

/** An identifier that is written as a number is one all the same. */
function withTexts(value: object): object {
  const fields = Object.entries(value).map(([name, each]: [string, unknown]) => [
    name,
    typeof each === 'number' ? String(each) : each,
  ]);
  return Object.fromEntries(fields) as object;
}

function isNamed(sought: Sought, text: string, brand: string): boolean {
  const hash = KINDS[1] + text.toLowerCase();
  return keysInKey('', text, brand).some((each) => sought.has(each)) || sought.has(subjectKey(brand, hash));
}

function stands(bytes: Buffer, text: Buffer): boolean {
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    if (isCounted(bytes, at, text.length)) return true;
    if (!isOfName(bytes[at - 1]) && !isOfName(bytes[at + text.length])) return true;
  }
  return false;
}

/** Whether the length stands in front of a text, as Avro writes it: doubled, seven bits a byte. Identifiers take two at most. */
function isCounted(bytes: Buffer, at: number, length: number): boolean {
  const doubled = length * 2;
  if (doubled < 0x80) return bytes[at - 1] === doubled;
  return bytes[at - 1] === doubled >> 7 && bytes[at - 2] === ((doubled & 0x7f) | 0x80);
}

/** What identifiers are made of in most brands: letters, digits, any of another script, and what joins them. */
function isOfName(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return byte >= 0x80 || /[\w.@+%~-]/.test(String.fromCharCode(byte));
}
