import { InvalidArgumentError, Option, type Command } from 'commander';
import { CHURN_MODELS, type ChurnModelName } from '../core/definitions.ts';
import type { Instant } from '../core/processor.ts';
import { brandId } from './brand-argument.ts';
import { backtest } from './churn-backtest.ts';
import { fit } from './churn-fit.ts';
import { parseInstant } from './replay.ts';
import { JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';
import { wholeNumber } from './whole-number.ts';

/** What both commands are asked. */
export interface ChurnFlags extends JsonFlag {
  readonly brand: string;
  readonly model: ChurnModelName;
  readonly horizon: number;
  readonly until?: Instant;
}
export interface FitFlags extends ChurnFlags {
  readonly out?: string;
  readonly dryRun?: true;
}
export interface BacktestFlags extends ChurnFlags {
  readonly every?: number;
  readonly cutOffs: number;
}

const HORIZON_MAX = 3_650;
const CUT_OFFS_MAX = 100;

const SOURCES =
  '\nOrders come from the documents in MongoDB, or from a file: FILE.csv with the columns customer and date (a UTC day or an\n' +
  'ISO time), any other one as `kizuna replay` reads it. Several orders of a customer on one UTC day count as one. A model needs\n' +
  '500 customers with orders and 180 days.';

export function addChurn(program: Command, terminal: Terminal): void {
  const churn = program.command('churn').description('fit churn models, and judge them by what customers then did');
  withOptions(churn.command('fit'))
    .description("fit a model to a brand's orders by maximum likelihood and write it as a definition")
    .option('--out <dir>', 'definitions to write churn/<brand>.json into (default: KIZUNA_DEFINITIONS)')
    .option('--dry-run', 'write nothing: exit code 2 when the definition would change')
    .addHelpText(
      'after',
      `${SOURCES}\n\nExamples:\n  $ kizuna churn fit --brand acme --out ./definitions\n` +
        '  $ kizuna churn fit orders.csv --brand acme --dry-run --json',
    )
    .action((file: string | undefined, flags: FitFlags) => fit(file ?? null, flags, terminal));
  withOptions(churn.command('backtest'))
    .description('fit as of several days in the past and hold the risks against what happened within the horizon')
    .option('--cut-offs <n>', 'how many days to judge at, the newest possible ones', wholeNumber(CUT_OFFS_MAX), 4)
    .option('--every <days>', 'days between two of them (default: the horizon)', wholeNumber(HORIZON_MAX))
    .addHelpText(
      'after',
      `${SOURCES} Only days whose horizon has passed are judged, each by a\nmodel fitted to the orders before it.\n\n` +
        'AUC: the chance that somebody who was lost had the higher risk. Brier, log-loss: the lower the better. ECE: mean distance\n' +
        'of risk and share lost, over ten bins of equal width. Lift: how many times as many of the tenth at least risk ordered as of\n' +
        'all. Beside it, everybody given the share that was lost, and the rule that whoever ordered last is least at risk.\n\n' +
        'Example:\n  $ kizuna churn backtest orders.csv --brand acme --horizon 90',
    )
    .action((file: string | undefined, flags: BacktestFlags) => backtest(file ?? null, flags, terminal));
}

function withOptions(command: Command): Command {
  return command
    .argument('[file]', 'orders; without it the documents in MongoDB')
    .requiredOption('--brand <id>', 'the brand, as in the events', brandId)
    .addOption(new Option('--model <name>', 'kind of model').choices(CHURN_MODELS).default('mbg-nbd'))
    .option('--horizon <days>', 'how far ahead the risk looks', wholeNumber(HORIZON_MAX), 90)
    .option('--until <time>', 'take orders up to here, inclusive (ISO 8601; default: all that is known)', instant)
    .option(...JSON_OPTION);
}

function instant(text: string): Instant {
  const time = parseInstant(text);
  if (time < 0) throw new InvalidArgumentError('It is before 1970.');
  return time;
}
