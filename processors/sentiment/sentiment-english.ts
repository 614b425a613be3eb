import winkSentiment from 'wink-sentiment';
import { READ_UNITS } from './sentiment-grams.ts';

/** What is published as the model of an English text. */
export const ENGLISH_MODEL = 'wink-sentiment-5.0.2';

/** The lexicon's valences lie between −5 and 5. */
const VALENCE_MAX = 5;
/** What the lexicon counts as a word. */
const COUNTED: ReadonlySet<string> = new Set(['word', 'emoji', 'emoticon', 'hashtag']);
/**
 * Its tokenizer takes a text in quotes for one token and takes time quadratic in the length of a run without white space; and its
 * word lists are plain objects, in which `constructor` is found though nobody put it there.
 */
const TROUBLE = /"|\S{41,}|\bconstructor\b/gi;

/** What the AFINN lexicon of wink-sentiment says of an English text; a score of null where no word of it has a valence. */
export function judgeEnglish(text: string): { readonly score: number | null; readonly coverage: number } {
  const { normalizedScore, tokenizedPhrase = [] } = winkSentiment(text.slice(0, READ_UNITS).replace(TROUBLE, ' '));
  let [words, telling] = [0, 0];
  for (const { tag, score } of tokenizedPhrase) {
    if (COUNTED.has(tag)) words += 1;
    if (score !== undefined) telling += 1;
  }
  return telling === 0
    ? { score: null, coverage: 0 }
    : { score: normalizedScore / VALENCE_MAX, coverage: telling / words };
}
