import { FEELINGS, type SentimentModelDefinition } from '../core/definitions.ts';
import { gramsOf } from './sentiment-grams.ts';
import type { RatedText } from './rated-text.ts';

/** What training gives; the rest of a definition says where it stands. */
export type TrainedCounts = Pick<SentimentModelDefinition, 'texts' | 'grams'>;

/** An n-gram that stands in fewer texts says more of that text than of the language. */
const TEXTS_MIN = 2;
/** Of more n-grams those are kept that stand in the most texts. */
export const GRAMS_MAX = 20_000;

interface Counted {
  readonly counts: [number, number, number];
  /** How many texts it stands in. */
  texts: number;
  /** The last text that it was counted for. */
  last: number;
}

/** Counts the n-grams of rated texts. Depends on the texts alone, not on their order. */
export function train(rated: readonly RatedText[]): TrainedCounts {
  const texts: [number, number, number] = [0, 0, 0];
  const counted = new Map<string, Counted>();
  for (const [index, { text, feeling }] of rated.entries()) {
    texts[feeling] = (texts[feeling] ?? 0) + 1;
    for (const gram of gramsOf(text)) {
      let own = counted.get(gram);
      if (own === undefined) counted.set(gram, (own = { counts: [0, 0, 0], texts: 0, last: -1 }));
      own.counts[feeling] = (own.counts[feeling] ?? 0) + 1;
      if (own.last !== index) own.texts += 1;
      own.last = index;
    }
  }
  return { texts, grams: new Map(keep(counted).map(([gram, { counts }]) => [gram, counts])) };
}

/** In the order of their code units. Half of a surrogate pair is no character, and cannot be written into a file. */
function keep(counted: ReadonlyMap<string, Counted>): [string, Counted][] {
  const kept = [...counted].filter(([gram, { texts }]) => texts >= TEXTS_MIN && gram.isWellFormed());
  kept.sort(([left], [right]) => (left < right ? -1 : 1));
  if (kept.length <= GRAMS_MAX) return kept;
  const most = kept.toSorted(([, left], [, right]) => right.texts - left.texts).slice(0, GRAMS_MAX);
  return most.sort(([left], [right]) => (left < right ? -1 : 1));
}

/** How many texts there are of each feeling, in the order of FEELINGS. */
export function balanceOf(rated: readonly RatedText[]): number[] {
  return FEELINGS.map((_, feeling) => rated.filter((each) => each.feeling === feeling).length);
}
