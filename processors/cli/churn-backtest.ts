import { calibrationBins } from '../core/calibration.ts';
import type { BacktestFlags } from './churn.ts';
import { dayOf, readOrders } from './churn-orders.ts';
import { describeBacktest } from './churn-report.ts';
import { judgeCutOffs } from './churn-run.ts';
import { CUSTOMERS_MIN, firstOrderAt, SPAN_DAYS_MIN } from '../churn/enough-data.ts';
import { CommandFailed } from './failure.ts';
import { Progress } from './progress.ts';
import { answer, type Terminal } from './terminal.ts';

/** `kizuna churn backtest`. */
export async function backtest(file: string | null, flags: BacktestFlags, terminal: Terminal): Promise<void> {
  const { brand, model, horizon: horizonDays, every: everyDays = horizonDays, cutOffs: count } = flags;
  const { histories, until } = await readOrders({ file, brand, until: flags.until ?? null }, terminal);
  const options = { model, horizonDays, everyDays, count, until };
  const judged = judgeCutOffs(histories, options, new Progress(terminal));
  if (judged.length === 0) {
    throw new CommandFailed(
      `nothing can be judged: that needs ${CUSTOMERS_MIN} customers with orders and ${SPAN_DAYS_MIN} days before a day, and ` +
        `${horizonDays} days after it; orders of ${histories.length} customers are known from ${dayOf(firstOrderAt(histories))} to ${dayOf(until)}`,
    );
  }
  const all = judged.flatMap(({ predictions }) => predictions);
  const calibration = calibrationBins(
    all.map(({ risk }) => risk),
    all.map(({ orders }) => orders === 0),
  );
  const cutOffs = judged.map(({ at, fit: { parameters, logLikelihood }, predictions: _predictions, ...scores }) => {
    return { at: new Date(at).toISOString(), parameters, logLikelihood, ...scores };
  });
  const document = { brand, model, horizonDays, until: new Date(until).toISOString(), cutOffs, calibration };
  answer(terminal, flags, document, describeBacktest(document));
}
