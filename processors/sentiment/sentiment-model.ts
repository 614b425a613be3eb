import type { SentimentModelDefinition } from '../core/definitions.ts';
import { NaiveBayes, normalise } from './sentiment-bayes.ts';
import { gramsOf, TELLING_LENGTH } from './sentiment-grams.ts';

/** What a text says for each feeling, in the order of FEELINGS, as logarithms, and how much of it is known. */
export interface Evidence {
  readonly weights: Float64Array;
  /** Known n-grams of two and three characters ÷ all of them; 0 for a text of one character. */
  readonly coverage: number;
}

/** Less than this of a text known is no evidence: what few n-grams any two texts of a language share. */
const COVERAGE_MIN = 0.15;

/** A model that is ready to read texts (`readText`). */
export class SentimentModel {
  readonly version: string;
  readonly #bayes: NaiveBayes;
  readonly #sharpness: number;

  constructor({ texts, grams, sharpness, version }: Omit<SentimentModelDefinition, 'language' | 'file'>) {
    this.version = version;
    this.#bayes = new NaiveBayes({ documents: texts, tokens: grams });
    this.#sharpness = sharpness;
  }

  /** Null where too little is known. */
  evidence(text: string): Evidence | null {
    const weights = new Float64Array(this.#bayes.priors.length);
    let [telling, known] = [0, 0];
    for (const gram of gramsOf(text)) {
      const isKnown = this.#bayes.add(gram, weights);
      if (gram.length < TELLING_LENGTH) continue;
      telling += 1;
      if (isKnown) known += 1;
    }
    const coverage = telling === 0 ? 0 : known / telling;
    return coverage < COVERAGE_MIN ? null : { weights, coverage };
  }

  /** How likely each feeling is; by another sharpness than the model's own while one is looked for. */
  probabilities({ weights }: Evidence, sharpness = this.#sharpness): Float64Array {
    const scores = weights.map((weight, index) => (this.#bayes.priors[index] ?? 0) + sharpness * weight);
    normalise(scores);
    return scores;
  }
}
