import { createHmac } from 'node:crypto';
import { subjectKey } from '../core/identity.ts';

/** What a hash of an identifier is made of: the receipts of erasures hold these. */
export function hashOf(erasureKey: string, key: string): string {
  return createHmac('sha256', erasureKey).update(key).digest('hex');
}

const REMEMBERED_MAX = 100_000;

/** Whom a scan looks for: identifiers in plain, and those that only a receipt knows, as hashes. */
export class Sought {
  readonly brand: string;
  /** In plain. */
  readonly subjects: readonly string[];
  readonly #plain: ReadonlySet<string>;
  readonly #hashes: ReadonlySet<string>;
  readonly #hash: (key: string) => string;
  readonly #judged = new Map<string, boolean>();

  constructor(brand: string, subjects: readonly string[], hashes: readonly string[] = [], erasureKey = '') {
    this.brand = brand;
    this.subjects = subjects;
    this.#plain = new Set(subjects.map((subject) => subjectKey(brand, subject)));
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
}
