import { join } from 'node:path';
import type { ChurnFit } from '../churn/fit.ts';
import type { OrderHistory } from '../churn/order-history.ts';
import { referenceCustomer } from '../churn/reference-customer.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import { churnModelOf, churnRisk } from '../customer/churn-model.ts';
import { loadConfig } from '../runtime/config.ts';
import type { FitFlags } from './churn.ts';
import { readOrders } from './churn-orders.ts';
import { describeFit, type WrittenModel } from './churn-report.ts';
import { fitAt, judgeCutOffs, statisticsAt, type JudgedCutOff } from './churn-run.ts';
import { holds, replaceFile } from './definition-file.ts';
import { Progress } from './progress.ts';
import { answer, type Terminal } from './terminal.ts';

/** `kizuna churn fit`. */
export async function fit(file: string | null, flags: FitFlags, terminal: Terminal): Promise<void> {
  const { brand, model, horizon: horizonDays, dryRun } = flags;
  const folder = flags.out ?? loadConfig(terminal.environment).definitionsFolder;
  if (folder === null && dryRun !== true) {
    const message = 'is missing, and so is KIZUNA_DEFINITIONS: where shall the definition go? --dry-run writes none';
    throw new ConfigurationError([{ where: '--out', message }]);
  }
  const { histories, until } = await readOrders({ file, brand, until: flags.until ?? null }, terminal);
  const progress = new Progress(terminal);
  const fitted = fitAt(model, histories, until, progress);
  const [judged] = judgeCutOffs(histories, { model, horizonDays, everyDays: 1, count: 1, until }, progress);
  const definition = definitionOf(fitted, horizonDays, histories, until, judged);

  const target = folder === null ? null : join(folder, 'churn', `${brand}.json`);
  const changed = target === null || !(await holds(target, textOf(definition)));
  if (target !== null && changed && dryRun !== true) await replaceFile(target, textOf(definition));
  if (dryRun === true && changed) terminal.exitCode = 2;
  const { logLikelihood, standardErrors, evaluations } = fitted;
  const customers = histories.length;
  const document = { brand, customers, logLikelihood, standardErrors, evaluations, definition, file: target, changed };
  answer(
    terminal,
    flags,
    { ...document, dryRun: dryRun === true },
    describeFit({ ...document, dryRun: dryRun === true }),
  );
}

/** As its file says it. Parameters to eight digits: more than the orders tell. */
function definitionOf(
  { model, parameters: exact, logLikelihood }: ChurnFit,
  horizonDays: number,
  histories: readonly OrderHistory[],
  until: Instant,
  judged: JudgedCutOff | undefined,
): WrittenModel {
  const digits = (value: number): number => Number(value.toPrecision(8));
  const parameters = { r: digits(exact.r), alpha: digits(exact.alpha), a: digits(exact.a), b: digits(exact.b) };
  const { x, tx, T } = referenceCustomer(statisticsAt(histories, until));
  const fittedAt = new Date(until).toISOString();
  const unused = { version: '', baseline: { probability: 0, x, tx, T } };
  const probability = churnRisk(churnModelOf({ ...unused, model, horizonDays, parameters }), x, tx, T);
  return {
    ...{ model, horizonDays, parameters, baseline: { probability, x, tx, T }, fittedAt },
    quality: {
      fittedTo: `${histories.length} customers`,
      logLikelihood: Number(logLikelihood.toFixed(3)),
      ...qualityOf(judged, horizonDays),
    },
  };
}

function qualityOf(judged: JudgedCutOff | undefined, horizonDays: number): WrittenModel['quality'] {
  if (judged === undefined) return { judgedOn: 'nothing: too little history before a horizon that has passed' };
  // Nothing to compare gives NaN, which JSON does not have.
  const digits = (value: number): number | null => (Number.isFinite(value) ? Number(value.toFixed(4)) : null);
  return {
    judgedOn: `${horizonDays} days from ${new Date(judged.at).toISOString()}, by the orders before`,
    customers: judged.customers,
    auc: digits(judged.auc),
    brier: digits(judged.brier),
    logLoss: digits(judged.logLoss),
    calibrationError: digits(judged.calibrationError),
    lift: digits(judged.lift),
  };
}

const textOf = (definition: WrittenModel): string => `${JSON.stringify(definition, null, 2)}\n`;
