import type { Judgement } from '../churn/back-test.ts';
import type { ChurnParameters } from '../churn/likelihood.ts';
import type { CalibrationBin } from '../core/calibration.ts';
import type { ChurnModelDefinition, ChurnModelName } from '../core/definitions.ts';
import { columns } from './terminal.ts';

/** A churn model as its file says it. */
export interface WrittenModel extends Pick<
  ChurnModelDefinition,
  'model' | 'horizonDays' | 'parameters' | 'baseline' | 'fittedAt'
> {
  readonly quality: Readonly<Record<string, number | string | null>>;
}

export interface FitDocument {
  readonly brand: string;
  readonly customers: number;
  readonly logLikelihood: number;
  readonly standardErrors: ChurnParameters | null;
  readonly evaluations: number;
  readonly definition: WrittenModel;
  readonly file: string | null;
  readonly changed: boolean;
  readonly dryRun: boolean;
}

export interface BacktestDocument {
  readonly brand: string;
  readonly model: ChurnModelName;
  readonly horizonDays: number;
  readonly until: string;
  readonly cutOffs: readonly (Judgement & { readonly at: string })[];
  readonly calibration: readonly CalibrationBin[];
}

/** What was fitted, for a person. */
export function describeFit(document: FitDocument): string {
  const { brand, customers, definition, logLikelihood, standardErrors, evaluations } = document;
  const { parameters, baseline, quality } = definition;
  const names = ['r', 'alpha', 'a', 'b'] as const;
  return [
    `${definition.model} of brand ${brand}: no order within ${definition.horizonDays} days, fitted to the orders of ${customers} customers up to ${definition.fittedAt}`,
    '',
    columns([
      ['PARAMETER', 'VALUE', 'STANDARD ERROR'],
      ...names.map((name) => [
        name,
        parameters[name].toPrecision(4),
        standardErrors?.[name].toPrecision(2) ?? 'unknown',
      ]),
    ]),
    `log-likelihood ${logLikelihood.toFixed(2)}, the highest found in ${evaluations} steps`,
    '',
    `reference customer: ${baseline.x} repeat order days, ${baseline.T} weeks old, last order after ${baseline.tx}: risk ${baseline.probability.toFixed(3)}`,
    ...Object.entries(quality)
      .filter(([name]) => !['fittedTo', 'logLikelihood'].includes(name))
      .map(([name, value]) => `${name}: ${value ?? 'unknown'}`),
    '',
    endOf(document),
  ].join('\n');
}

function endOf({ file, changed, dryRun }: FitDocument): string {
  if (file === null) return 'Nothing was written: a dry run.';
  if (!changed) return `${file} says the same already.`;
  return dryRun ? `Nothing was written: a dry run. It would change ${file}.` : `Written to ${file}.`;
}

/** How the model did, for a person. */
export function describeBacktest({ brand, model, horizonDays, cutOffs, calibration }: BacktestDocument): string {
  const three = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : '-');
  const two = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '-');
  const rows = cutOffs.flatMap(({ at, customers, lost, baseRate, recency, ...scores }) => [
    [
      ...[at.slice(0, 10), String(customers), three(lost), model, three(scores.auc), three(scores.brier)],
      ...[three(scores.logLoss), three(scores.calibrationError), two(scores.lift)],
    ],
    ['', '', '', 'base rate', '0.500', three(baseRate.brier), three(baseRate.logLoss), '0.000', '1.00'],
    ['', '', '', 'recency', three(recency.auc), '-', '-', '-', two(recency.lift)],
  ]);
  const orders = cutOffs.map(({ at, orders: { made, expected } }) => [
    ...[at.slice(0, 10), String(made), expected.toFixed(0), percent(expected / made - 1)],
  ]);
  const bins = calibration.map(({ from, to, cases, predicted, observed }) => [
    ...[`${from.toFixed(1)} to ${to.toFixed(1)}`, String(cases), three(predicted), three(observed)],
  ]);
  return [
    `${model} of brand ${brand}: no order within ${horizonDays} days, judged at ${cutOffs.length} cut-off${cutOffs.length === 1 ? '' : 's'}`,
    '',
    columns([['CUT-OFF', 'CUSTOMERS', 'LOST', 'BY', 'AUC', 'BRIER', 'LOG-LOSS', 'ECE', 'LIFT'], ...rows]),
    '',
    columns([['RISK', 'CUSTOMERS', 'PREDICTED', 'LOST'], ...bins]),
    '',
    columns([['CUT-OFF', 'ORDERS', 'EXPECTED', ''], ...orders]),
  ].join('\n');
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %` : '';
}
