import { basename } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { FEELINGS } from '../core/definitions.ts';
import { ConfigurationError } from '../core/errors.ts';
import { crossValidate } from '../sentiment/cross-validation.ts';
import { TEXTS_MIN, TEXTS_OF_EACH_MIN, tooFew } from '../sentiment/enough-texts.ts';
import { balanceOf, train } from '../sentiment/train.ts';
import { holds, replaceFile } from './definition-file.ts';
import { CommandFailed } from './failure.ts';
import { Progress } from './progress.ts';
import { readRated } from './rated-lines.ts';
import { describeTraining, sentimentFileText, type TrainDocument } from './sentiment-report.ts';
import { answer, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

interface TrainFlags extends JsonFlag {
  readonly to: string;
  readonly folds: number;
  readonly dryRun?: true;
}

const FOLDS_MAX = 100;
const LANGUAGE_FILE = /^([a-z]{2,3})\.json$/;

export function addSentiment(program: Command, terminal: Terminal): void {
  const sentiment = program.command('sentiment').description('train what tells the feelings of texts');
  sentiment
    .command('train')
    .description(
      'train a model of a language from rated feedback, judge it by cross-validation and write it as a definition',
    )
    .argument('<file>', 'one JSON object a line: text, rating, and scale where it is not [1, 5]')
    .requiredOption('--to <file>', 'where to write it: <definitions>/sentiment/<language>.json')
    .option('--folds <n>', 'how often it is trained on the other texts and judged by the rest', folds, 10)
    .option('--dry-run', 'write nothing: exit code 2 when the definition would change')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nThe rating is the label: on the scale [worst, best] the best three tenths are positive, the worst three negative, what is\n' +
        `between neutral. A model needs ${TEXTS_MIN} different texts, and ${TEXTS_OF_EACH_MIN} of each. The same texts give the same file.\n\n` +
        'Example:\n  $ kizuna sentiment train feedback.ndjson --to definitions/sentiment/ja.json',
    )
    .action((file: string, flags: TrainFlags) => trainModel(file, flags, terminal));
}

async function trainModel(file: string, flags: TrainFlags, terminal: Terminal): Promise<void> {
  const { to, folds: count, dryRun = false } = flags;
  const language = LANGUAGE_FILE.exec(basename(to))?.[1];
  if (language === undefined) {
    throw new ConfigurationError([{ where: '--to', message: 'must be named after its language: sentiment/ja.json' }]);
  }
  const progress = new Progress(terminal);
  const { rated, repeated } = await readRated(file, (lines) => {
    progress.often(() => `${lines} lines read`);
  });
  const refused = tooFew(rated);
  if (refused !== null) throw new CommandFailed(`${file}: ${refused}`);
  const crossValidation = crossValidate(rated, count);
  const { texts, grams } = train(rated);
  const { sharpness } = crossValidation;
  const digits = (value: number): number => Number(value.toFixed(4));
  const quality = {
    folds: count,
    accuracy: digits(crossValidation.accuracy),
    macroF1: digits(crossValidation.macroF1),
    evidence: digits(crossValidation.evidence),
    logLoss: digits(crossValidation.logLoss),
  };
  const text = sentimentFileText({ language, texts, sharpness, quality, grams });
  const changed = !(await holds(to, text));
  if (changed && !dryRun) await replaceFile(to, text);
  if (changed && dryRun) terminal.exitCode = 2;
  const balance = Object.fromEntries(FEELINGS.map((feeling, index) => [feeling, balanceOf(rated)[index] ?? 0]));
  const document: TrainDocument = {
    ...{ language, texts: rated.length, repeated, balance, grams: grams.size, crossValidation },
    ...{ file: to, bytes: Buffer.byteLength(text), changed, dryRun },
  };
  answer(terminal, flags, document, describeTraining(document));
}

function folds(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 2 || count > FOLDS_MAX) throw new InvalidArgumentError(`It is no whole number from 2 to ${FOLDS_MAX}.`);
  return count;
}
