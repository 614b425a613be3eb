import { FEELINGS } from '../core/definitions.ts';
import type { RatedText } from './rated-text.ts';
import { balanceOf } from './train.ts';

/** With fewer a model knows its few texts and not the language. */
export const TEXTS_MIN = 200;
export const TEXTS_OF_EACH_MIN = 40;

/** Why texts are too few to train a model with, or null. */
export function tooFew(rated: readonly RatedText[]): string | null {
  if (rated.length < TEXTS_MIN) return `${rated.length} different texts, at least ${TEXTS_MIN} are needed`;
  const short = balanceOf(rated).flatMap((count, feeling) =>
    count < TEXTS_OF_EACH_MIN ? [`${count} ${FEELINGS[feeling] ?? ''}`] : [],
  );
  return short.length === 0 ? null : `${short.join(', ')} texts, at least ${TEXTS_OF_EACH_MIN} of each are needed`;
}
