/** The longest n-gram. */
const LONGEST = 3;
/** From here on an n-gram tells something of words; every text shares single characters with every other. */
export const TELLING_LENGTH = 2;

/** So much of a text is read. */
export const READ_UNITS = 1_000;

/**
 * A text as it is read: full and half width alike, lower case, every digit a 0, white space as one space. A compatible form may
 * be longer than what it stands for, so the limit holds before and after.
 */
export function readText(text: string): string {
  return text
    .slice(0, READ_UNITS)
    .normalize('NFKC')
    .slice(0, READ_UNITS)
    .toLowerCase()
    .replace(/\p{Nd}/gu, '0')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Every run of 1 to 3 UTF-16 units of a text as it is read, as often as it stands there, shortest first. */
export function gramsOf(text: string): string[] {
  const grams: string[] = [];
  for (let length = 1; length <= LONGEST; length++) {
    for (let start = 0; start + length <= text.length; start++) grams.push(text.slice(start, start + length));
  }
  return grams;
}
