/** SHA-256 of nothing: what hashing an absent e-mail address gives. */
const HASH_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The first is the empty string: a blank. */
const JUNK_NAMES = new Set(['', 'null', 'nil', 'none', 'guest', 'anonymous', 'undefined', 'unknown', 'blank']);
const LONGEST_JUNK_NAME = 9;

/** Nothing but zeros, hyphens aside: 0, 000, the nil UUID. */
const ALL_ZEROS = /^[0-]*0[0-]*$/;

/**
 * Whether an identifier names nobody: an absent value as some system spelled it out. Letter case and surrounding white space
 * do not matter. Such values count as absent; otherwise thousands of people would become one customer.
 */
export function isJunkIdentifier(value: string): boolean {
  const name = value.trim();
  if (ALL_ZEROS.test(name)) return true;
  if (name.length <= LONGEST_JUNK_NAME) return JUNK_NAMES.has(name.toLowerCase());
  return name.length === HASH_OF_NOTHING.length && name.toLowerCase() === HASH_OF_NOTHING;
}

/** The key of a customer's records and document: split again at the first `|`, which no brand id holds. */
export function subjectKey(brandId: string, subject: string): string {
  return `${brandId}|${subject}`;
}
