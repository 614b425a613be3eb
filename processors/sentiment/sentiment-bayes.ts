/** What was counted of each class: documents, and how often each token stood in them. */
export interface TokenCounts {
  readonly documents: readonly number[];
  readonly tokens: ReadonlyMap<string, readonly number[]>;
}

/**
 * Multinomial naive Bayes with one count added to each (Manning, Raghavan and Schütze 2008, section 13.2): to class c belongs
 * log P(c) + Σ log((T(c, t) + 1) / (Σ T(c, t′) + V)) over the tokens t that are known, V of them.
 */
export class NaiveBayes {
  /** log P(c), in the order of the classes. */
  readonly priors: readonly number[];
  readonly #places = new Map<string, number>();
  /** `classes` numbers for each token. */
  readonly #weights: Float64Array;

  constructor({ documents, tokens }: TokenCounts) {
    const classes = documents.length;
    const total = sum(documents);
    this.priors = documents.map((count) => Math.log(count / total));
    const sums = documents.map((_, index) => sum([...tokens.values()].map((counts) => counts[index] ?? 0)));
    this.#weights = new Float64Array(tokens.size * classes);
    for (const [token, counts] of tokens) {
      const place = this.#places.size * classes;
      this.#places.set(token, place);
      for (const [index, of] of sums.entries()) {
        this.#weights[place + index] = Math.log(((counts[index] ?? 0) + 1) / (of + tokens.size));
      }
    }
  }

  /** Adds what a token says to `scores`, one for each class; false for one that is not known, which says nothing. */
  add(token: string, scores: Float64Array): boolean {
    const place = this.#places.get(token);
    if (place === undefined) return false;
    for (let index = 0; index < this.priors.length; index++) {
      scores[index] = (scores[index] ?? 0) + (this.#weights[place + index] ?? 0);
    }
    return true;
  }
}

/** Probabilities from their logarithms, up to a constant, in place. */
export function normalise(scores: Float64Array): void {
  const most = Math.max(...scores);
  let total = 0;
  for (const [index, score] of scores.entries()) total += scores[index] = Math.exp(score - most);
  for (const [index, score] of scores.entries()) scores[index] = score / total;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
