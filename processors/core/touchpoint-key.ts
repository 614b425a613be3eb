/** The touchpoint of an interaction that names none. */
const UNNAMED = 'unnamed';

const CASE = /^([^|]*\|[uea]:.+)\|([1-9]\d{0,8})$/s;

/** A touchpoint as it is counted: blank or absent names become one. */
export function touchpointName(given: string | null): string {
  return given === null || given.trim() === '' ? UNNAMED : given;
}

/**
 * The key of what is kept of a touchpoint on a channel (`last` is the channel), or of one customer's case at a touchpoint
 * (`last` is the subject): they are told apart by the colon, which every subject has second. A bar inside the name of the
 * touchpoint is written as %7C, so that the first two bars divide every key.
 */
export function touchpointKey(brandId: string, touchpoint: string, last: string): string {
  return `${brandId}|${escaped(touchpoint)}|${last}`;
}

/** The parts of a key that `touchpointKey` made. */
export function splitTouchpointKey(key: string): { brandId: string; touchpoint: string; last: string } {
  const first = key.indexOf('|');
  const second = key.indexOf('|', first + 1);
  const touchpoint = key
    .slice(first + 1, second)
    .replaceAll('%7C', '|')
    .replaceAll('%25', '%');
  return { brandId: key.slice(0, first), touchpoint, last: key.slice(second + 1) };
}

/** The name of a customer's `number`th case at a touchpoint, which is what commands name. */
export function caseIdOf(key: string, number: number): string {
  return `${key.slice(key.indexOf('|') + 1)}|${number}`;
}

/** The key of the document that a case is kept in, and its number there; null for what cannot be a case. */
export function placeOfCase(brandId: string, caseId: string): { key: string; subject: string; number: number } | null {
  const [, place, number] = CASE.exec(caseId) ?? [];
  if (place === undefined) return null;
  return { key: `${brandId}|${place}`, subject: place.slice(place.indexOf('|') + 1), number: Number(number) };
}

function escaped(touchpoint: string): string {
  return touchpoint.replaceAll('%', '%25').replaceAll('|', '%7C');
}
