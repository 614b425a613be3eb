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

/**
 * How much a subject says about who somebody is: 3 for a user id, 2 for the hash of an e-mail address, 1 for an anonymous id,
 * 0 for what is no subject. Links go from a weaker subject to a stronger one, so no chain of them is longer than two or a ring.
 */
export function strengthOf(subject: string): 0 | 1 | 2 | 3 {
  if (subject.startsWith('u:')) return 3;
  if (subject.startsWith('e:')) return 2;
  return subject.startsWith('a:') ? 1 : 0;
}

/** The key of a customer's records and document: split again at the first `|`, which no brand id holds. */
export function subjectKey(brandId: string, subject: string): string {
  return `${brandId}|${subject}`;
}
