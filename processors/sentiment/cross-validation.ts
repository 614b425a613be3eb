import { FEELINGS } from '../core/definitions.ts';
import { SentimentModel, type Evidence } from './sentiment-model.ts';
import type { RatedText } from './rated-text.ts';
import { train } from './train.ts';

/** How well feelings of texts are told that a model was not trained on. */
export interface CrossValidation {
  readonly folds: number;
  /** The sharpness with the least log-loss. */
  readonly sharpness: number;
  /** Texts told rightly ÷ all texts: one without evidence is told wrongly. */
  readonly accuracy: number;
  /** Mean over the feelings of 2PR ÷ (P + R). */
  readonly macroF1: number;
  /** Texts with evidence ÷ all. */
  readonly evidence: number;
  /** Mean of −log of the true feeling's probability, of texts with evidence. */
  readonly logLoss: number;
  /** Texts of each feeling by what was told: [feeling][told], without evidence last. */
  readonly confusion: readonly (readonly number[])[];
}

const SHARPNESSES = Array.from({ length: 20 }, (_, step) => (step + 1) / 20);
const PROBABILITY_MIN = 1e-15;

interface HeldOut {
  readonly feeling: number;
  readonly evidence: Evidence;
  readonly model: SentimentModel;
}

/** The texts of each feeling are dealt to the folds one by one, in the order they come in: nothing is left to chance. */
export function crossValidate(rated: readonly RatedText[], folds: number): CrossValidation {
  const judged: HeldOut[] = [];
  const confusion = FEELINGS.map(() => Array<number>(FEELINGS.length + 1).fill(0));
  const foldOf = dealt(rated, folds);
  for (let fold = 0; fold < folds; fold++) {
    const rest = rated.filter((_, index) => foldOf[index] !== fold);
    const model = new SentimentModel({ ...train(rest), sharpness: 1, version: '' });
    for (const [index, { text, feeling }] of rated.entries()) {
      if (foldOf[index] !== fold) continue;
      const evidence = model.evidence(text);
      if (evidence === null) count(confusion, feeling, FEELINGS.length);
      else judged.push({ feeling, evidence, model });
    }
  }
  const losses = SHARPNESSES.map((sharpness) => ({ sharpness, logLoss: logLossOf(judged, sharpness) }));
  const { sharpness, logLoss } = losses.reduce((best, each) => (each.logLoss < best.logLoss ? each : best));
  for (const { feeling, evidence, model } of judged) {
    const probabilities = model.probabilities(evidence, sharpness);
    count(confusion, feeling, probabilities.indexOf(Math.max(...probabilities)));
  }
  const right = FEELINGS.reduce((total, _, feeling) => total + (confusion[feeling]?.[feeling] ?? 0), 0);
  return {
    ...{ folds, sharpness, logLoss, confusion },
    accuracy: right / rated.length,
    macroF1: macroF1(confusion),
    evidence: judged.length / rated.length,
  };
}

/** F1 of a feeling is 2 · right ÷ (texts of it + texts told to be of it); 0 where there are none. */
export function macroF1(confusion: readonly (readonly number[])[]): number {
  const scores = confusion.map((row, feeling) => {
    const right = row[feeling] ?? 0;
    const of = row.reduce((total, each) => total + each, 0);
    const told = confusion.reduce((total, each) => total + (each[feeling] ?? 0), 0);
    return of + told === 0 ? 0 : (2 * right) / (of + told);
  });
  return scores.reduce((total, each) => total + each, 0) / scores.length;
}

function dealt(rated: readonly RatedText[], folds: number): number[] {
  const seen = FEELINGS.map(() => 0);
  return rated.map(({ feeling }) => {
    const index = seen[feeling] ?? 0;
    seen[feeling] = index + 1;
    return index % folds;
  });
}

function logLossOf(judged: readonly HeldOut[], sharpness: number): number {
  if (judged.length === 0) return 0;
  const losses = judged.map(({ feeling, evidence, model }) => {
    return -Math.log(Math.max(PROBABILITY_MIN, model.probabilities(evidence, sharpness)[feeling] ?? 0));
  });
  return losses.reduce((total, each) => total + each, 0) / judged.length;
}

function count(confusion: number[][], feeling: number, told: number): void {
  const row = confusion[feeling];
  if (row !== undefined) row[told] = (row[told] ?? 0) + 1;
}
