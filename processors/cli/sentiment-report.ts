import { FEELINGS, type SentimentModelDefinition } from '../core/definitions.ts';
import type { CrossValidation } from '../sentiment/cross-validation.ts';
import { columns } from './terminal.ts';

/** A sentiment model as its file says it. */
export interface WrittenSentiment extends Pick<SentimentModelDefinition, 'language' | 'texts' | 'sharpness'> {
  readonly quality: Readonly<Record<string, number>>;
  readonly grams: SentimentModelDefinition['grams'];
}

export interface TrainDocument {
  readonly language: string;
  readonly texts: number;
  readonly repeated: number;
  readonly balance: Readonly<Record<string, number>>;
  readonly grams: number;
  readonly crossValidation: CrossValidation;
  readonly file: string;
  readonly bytes: number;
  readonly changed: boolean;
  readonly dryRun: boolean;
}

/** One n-gram a line, so that a change of the texts is a small change of the file. Formatted as Prettier does it. */
export function sentimentFileText({ language, texts, sharpness, quality, grams }: WrittenSentiment): string {
  const qualities = Object.entries(quality).map(([name, value]) => `    ${JSON.stringify(name)}: ${value}`);
  const lines = [...grams].map(([gram, counts]) => `    ${JSON.stringify(gram)}: [${counts.join(', ')}]`);
  return [
    '{',
    `  "language": ${JSON.stringify(language)},`,
    `  "texts": [${texts.join(', ')}],`,
    `  "sharpness": ${sharpness},`,
    '  "quality": {',
    qualities.join(',\n'),
    '  },',
    '  "grams": {',
    lines.join(',\n'),
    '  }',
    '}\n',
  ].join('\n');
}

/** What was trained, for a person. */
export function describeTraining(document: TrainDocument): string {
  const { language, texts, repeated, balance, grams, crossValidation } = document;
  const { folds, accuracy, macroF1, evidence, sharpness, confusion } = crossValidation;
  const told = confusion.map((row, feeling) => [FEELINGS[feeling] ?? '', ...row.map(String)]);
  return [
    `naive Bayes of language ${language}: ${texts} texts, ${grams} n-grams of 1 to 3 characters`,
    `${Object.entries(balance)
      .map(([feeling, count]) => `${feeling} ${count}`)
      .join(', ')}${repeated === 0 ? '' : `; ${repeated} lines repeat a text and do not count`}`,
    '',
    `cross-validated over ${folds} folds: accuracy ${accuracy.toFixed(3)}, macro-F1 ${macroF1.toFixed(3)}, evidence for ${evidence.toFixed(3)} of the texts, sharpness ${sharpness}`,
    columns([['RATED', ...FEELINGS.map((name) => name.toUpperCase()), 'NO EVIDENCE'], ...told]),
    '',
    endOf(document),
  ].join('\n');
}

function endOf({ file, changed, dryRun, bytes }: TrainDocument): string {
  if (!changed) return `${file} says the same already.`;
  return dryRun ? `Nothing written: a dry run. It would change ${file}.` : `Written to ${file}, ${bytes} bytes.`;
}
