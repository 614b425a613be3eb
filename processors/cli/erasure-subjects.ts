import { createHmac } from 'node:crypto';
import { subjectKey } from '../core/identity.ts';
import { placeOfCase } from '../core/touchpoint-key.ts';

/** What a hash of an identifier is made of: the receipts of erasures hold these. */
export function hashOf(erasureKey: string, key: string): string {
  return createHmac('sha256', erasureKey).update(key).digest('hex');
}

const REMEMBERED_MAX = 100_000;

/** Whom a scan looks for: identifiers in plain, and those that only a receipt knows, as hashes. */
export class Sought {
  readonly brand: string;
  readonly #plain: ReadonlySet<string>;
  readonly #bytes: readonly Buffer[];
  readonly #hashes: ReadonlySet<string>;
  readonly #hash: (key: string) => string;
  readonly #judged = new Map<string, boolean>();

  constructor(brand: string, subjects: readonly string[], hashes: readonly string[] = [], erasureKey = '') {
    this.brand = brand;
    this.#plain = new Set(subjects.map((subject) => subjectKey(brand, subject)));
    this.#bytes = subjects.map((subject) => Buffer.from(subject.slice(2)));
    this.#hashes = new Set(hashes);
    this.#hash = (key) => hashOf(erasureKey, key);
  }

  /** `key`: brand and subject, as a customer's records are keyed. */
  has(key: string): boolean {
    if (this.#plain.has(key)) return true;
    if (this.#hashes.size === 0) return false;
    const known = this.#judged.get(key);
    if (known !== undefined) return known;
    const isSought = this.#hashes.has(this.#hash(key));
    if (this.#judged.size >= REMEMBERED_MAX) this.#judged.clear();
    this.#judged.set(key, isSought);
    return isSought;
  }

  /** Whether bytes that nobody can read hold one of the identifiers: those in plain alone can be found so. */
  isIn(bytes: Buffer): boolean {
    return this.#bytes.some((each) => bytes.includes(each));
  }
}

/** Whether a record names somebody who is sought. `value`: decoded, null for a tombstone, or the bytes that say nothing. */
export function isAbout(sought: Sought, key: Buffer | null, value: object | null): boolean {
  if (key !== null && keysInKey(sought, key.toString()).some((each) => sought.has(each))) return true;
  if (value === null) return false;
  return Buffer.isBuffer(value) ? sought.isIn(value) : isInValue(sought, value, null);
}

/** The key of a customer, of a case document or of a case; on an input, whatever the brand chose: the identifier alone, too. */
function keysInKey({ brand }: Sought, text: string): string[] {
  const keys = [text, ...KINDS.map((kind) => subjectKey(brand, kind + text)), subjectKey(brand, text)];
  const [, own, behind] = /^([^|]*)\|[^|]*\|(.+)$/s.exec(text) ?? [];
  if (own === undefined || behind === undefined) return keys;
  keys.push(subjectKey(own, behind));
  const [, subject] = /^(.+)\|\d+$/s.exec(behind) ?? [];
  if (subject !== undefined) keys.push(subjectKey(own, subject));
  return keys;
}

const KINDS = ['u:', 'e:', 'a:'];
/** Fields that hold a subject, or the case of one. */
const SUBJECTS = ['subject', 'customerId', 'weaker', 'stronger', 'via', 'target', 'caseId'];
const IDENTIFIERS = { userId: 'u:', emailHash: 'e:', anonymousId: 'a:' };
const WITHIN = ['interaction', 'identity'];

function isInValue(sought: Sought, value: object, outer: string | null): boolean {
  const fields = value as Readonly<Record<string, unknown>>;
  const brand = typeof fields['brandId'] === 'string' ? fields['brandId'] : outer;
  if (brand === null) return false;
  for (const name of SUBJECTS) {
    const text = fields[name];
    if (typeof text !== 'string') continue;
    if (sought.has(subjectKey(brand, text))) return true;
    const place = placeOfCase(brand, text);
    if (place !== null && sought.has(subjectKey(brand, place.subject))) return true;
  }
  for (const [name, kind] of Object.entries(IDENTIFIERS)) {
    const text = fields[name];
    if (typeof text !== 'string') continue;
    if (sought.has(subjectKey(brand, kind + (kind === 'e:' ? text.toLowerCase() : text)))) return true;
  }
  return WITHIN.some((name) => {
    const within = fields[name];
    return typeof within === 'object' && within !== null && isInValue(sought, within, brand);
  });
}
