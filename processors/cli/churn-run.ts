import { cutOffsOf, judge, predict, type Judgement, type Prediction } from '../churn/back-test.ts';
import { tooLittle } from '../churn/enough-data.ts';
import { fitChurnModel, type ChurnFit } from '../churn/fit.ts';
import { countStatistics, statisticAt, type OrderHistory, type OrderStatistic } from '../churn/order-history.ts';
import type { ChurnModelName } from '../core/definitions.ts';
import type { Instant } from '../core/processor.ts';
import { churnModelOf } from '../customer/churn-model.ts';
import { dayOf } from './churn-orders.ts';
import { CommandFailed } from './failure.ts';
import type { Progress } from './progress.ts';

/** The model as it would have been fitted at one moment, and what the horizon then showed. */
export interface JudgedCutOff extends Judgement {
  readonly at: Instant;
  readonly fit: ChurnFit;
  readonly predictions: readonly Prediction[];
}

export function statisticsAt(histories: readonly OrderHistory[], now: Instant): OrderStatistic[] {
  return histories.flatMap((history) => statisticAt(history, now) ?? []);
}

/** Fits to the orders up to `at`; fails rather than to answer parameters that say nothing. */
export function fitAt(
  model: ChurnModelName,
  histories: readonly OrderHistory[],
  at: Instant,
  progress: Progress,
): ChurnFit {
  const refusal = tooLittle(histories, at);
  if (refusal !== null) throw new CommandFailed(`too little to fit a model up to ${dayOf(at)}: ${refusal}`);
  const fit = fitChurnModel(model, countStatistics(statisticsAt(histories, at)), {
    progress: (evaluations, logLikelihood) => {
      progress.often(
        () => `${model} up to ${dayOf(at)}: step ${evaluations}, log-likelihood ${logLikelihood.toFixed(2)}`,
      );
    },
  });
  if ('failure' in fit)
    throw new CommandFailed(`${model} could not be fitted to the orders up to ${dayOf(at)}: ${fit.failure}`);
  progress.say(
    `${model} up to ${dayOf(at)}: fitted in ${fit.evaluations} steps, log-likelihood ${fit.logLikelihood.toFixed(2)}`,
  );
  return fit;
}

export interface JudgeOptions {
  readonly model: ChurnModelName;
  readonly horizonDays: number;
  readonly everyDays: number;
  readonly count: number;
  readonly until: Instant;
}

/** Judges at the newest cut-offs there can be; none when the history is too short for any. */
export function judgeCutOffs(
  histories: readonly OrderHistory[],
  { model, ...options }: JudgeOptions,
  progress: Progress,
): JudgedCutOff[] {
  const { horizonDays } = options;
  return cutOffsOf(histories, options)
    .filter((at) => tooLittle(histories, at) === null)
    .map((at) => {
      const fit = fitAt(model, histories, at, progress);
      const unused = { version: '', baseline: { probability: 0, x: 0, tx: 0, T: 0 } };
      const fitted = churnModelOf({ ...unused, model, horizonDays, parameters: fit.parameters });
      const predictions = predict(histories, fitted, at);
      return { at, fit, predictions, ...judge(predictions) };
    });
}
