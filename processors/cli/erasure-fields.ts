import { subjectKey } from '../core/identity.ts';
import { placeOfCase } from '../core/touchpoint-key.ts';
import type { Sought } from './erasure-subjects.ts';

/** Fields that hold a subject. */
const SUBJECTS = ['subject', 'customerId', 'weaker', 'stronger', 'via'];
const IDENTIFIERS = { userId: 'u:', emailHash: 'e:', anonymousId: 'a:' };
const WITHIN = ['interaction', 'identity'];

type Fields = Readonly<Record<string, unknown>>;

/** Whether a value has fields that tell who it is about, as values of ours have. */
export function hasNames(value: object): boolean {
  return [...SUBJECTS, ...Object.keys(IDENTIFIERS), ...WITHIN].some((name) => name in value);
}

/** Whether the fields of a value of any topic name somebody who is sought. `outer`: the brand, where the value says none. */
export function isInFields(sought: Sought, value: object, outer: string | null): boolean {
  const fields = value as Fields;
  const brand = brandOf(value, outer);
  if (brand === null) return false;
  for (const name of SUBJECTS) {
    const text = fields[name];
    if (typeof text === 'string' && sought.has(subjectKey(brand, text))) return true;
  }
  if (isInCase(sought, brand, fields)) return true;
  for (const [name, kind] of Object.entries(IDENTIFIERS)) {
    const text = fields[name];
    if (typeof text !== 'string') continue;
    if (sought.has(subjectKey(brand, kind + (kind === 'e:' ? text.toLowerCase() : text)))) return true;
  }
  return WITHIN.some((name) => {
    const within = fields[name];
    return typeof within === 'object' && within !== null && isInFields(sought, within, brand);
  });
}

/** A case, or what a command is about: a subject, a case, or a touchpoint, which an order to erase names. */
function isInCase(sought: Sought, brand: string, { kind, target, caseId }: Fields): boolean {
  if (typeof target === 'string') {
    if (kind === 'UNLINK') return sought.has(subjectKey(brand, target));
    if (kind !== 'ERASE' && isCaseOf(sought, brand, target)) return true;
  }
  return typeof caseId === 'string' && isCaseOf(sought, brand, caseId);
}

function isCaseOf(sought: Sought, brand: string, text: string): boolean {
  const place = placeOfCase(brand, text);
  return place !== null && sought.has(subjectKey(brand, place.subject));
}

export function brandOf(value: object, outer: string | null): string | null {
  const { brandId } = value as Fields;
  return typeof brandId === 'string' ? brandId : outer;
}
