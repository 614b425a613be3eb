import { calibrationError } from '../core/calibration.ts';
import { DAY_MS } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { areaUnderCurve, brierScore, liftAt, logLoss } from '../core/statistics.ts';
import { churnRisk, type ChurnModel } from '../customer/churn-model.ts';
import { firstOrderAt, SPAN_DAYS_MIN } from './enough-data.ts';
import { expectedOrders } from './expected-orders.ts';
import { orderDays, statisticAt, type OrderHistory } from './order-history.ts';

/** What the model said of one customer at a cut-off, and what the horizon then brought. */
export interface Prediction {
  readonly risk: number;
  readonly gapWeeks: number;
  readonly expectedOrders: number;
  /** Days with an order within the horizon. */
  readonly orders: number;
}

/** How a model did at one cut-off, beside what needs no model. All of "no order within the horizon". */
export interface Judgement {
  readonly customers: number;
  /** The share that made no order. */
  readonly lost: number;
  readonly auc: number;
  readonly brier: number;
  readonly logLoss: number;
  /** Over ten bins of equal width. */
  readonly calibrationError: number;
  /** How many times as many of the tenth at least risk ordered as of all. */
  readonly lift: number;
  /** Everybody given the share that was lost, which nobody knew beforehand. */
  readonly baseRate: { readonly brier: number; readonly logLoss: number };
  /** Whoever ordered last is least at risk. */
  readonly recency: { readonly auc: number; readonly lift: number };
  readonly orders: { readonly made: number; readonly expected: number };
}

export interface CutOffs {
  readonly until: Instant;
  readonly horizonDays: number;
  readonly everyDays: number;
  readonly count: number;
}

/**
 * The newest cut-offs whose horizon has passed at `until` and that have enough history before them, ascending. A label that
 * is not known yet is not guessed.
 */
export function cutOffsOf(histories: readonly OrderHistory[], options: CutOffs): Instant[] {
  const { until, horizonDays, everyDays, count } = options;
  const earliest = firstOrderAt(histories) + SPAN_DAYS_MIN * DAY_MS;
  const newest = until - horizonDays * DAY_MS;
  return Array.from({ length: count }, (_, place) => newest - place * everyDays * DAY_MS)
    .filter((at) => at >= earliest)
    .reverse();
}

/** By what was known at the cut-off alone; whoever ordered later for the first time was no customer yet. */
export function predict(histories: readonly OrderHistory[], model: ChurnModel, cutOff: Instant): Prediction[] {
  const end = cutOff + model.horizonDays * DAY_MS;
  return histories.flatMap((history) => {
    const known = statisticAt(history, cutOff);
    if (known === null) return [];
    const { x, tx, T } = known;
    return {
      risk: churnRisk(model, x, tx, T),
      gapWeeks: T - tx,
      expectedOrders: expectedOrders(model, known, model.horizonWeeks),
      orders: orderDays(history, cutOff, end),
    };
  });
}

export function judge(predictions: readonly Prediction[]): Judgement {
  const risks = predictions.map(({ risk }) => risk);
  const gaps = predictions.map(({ gapWeeks }) => gapWeeks);
  const lost = predictions.map(({ orders }) => orders === 0);
  const ordered = lost.map((each) => !each);
  const share = lost.filter(Boolean).length / lost.length;
  const constant = lost.map(() => share);
  const negated = (values: readonly number[]): number[] => values.map((value) => -value);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    customers: predictions.length,
    lost: share,
    auc: areaUnderCurve(risks, lost),
    brier: brierScore(risks, lost),
    logLoss: logLoss(risks, lost),
    calibrationError: calibrationError(risks, lost),
    lift: liftAt(0.1, negated(risks), ordered),
    baseRate: { brier: brierScore(constant, lost), logLoss: logLoss(constant, lost) },
    recency: { auc: areaUnderCurve(gaps, lost), lift: liftAt(0.1, negated(gaps), ordered) },
    orders: {
      made: sum(predictions.map(({ orders }) => orders)),
      expected: sum(predictions.map((each) => each.expectedOrders)),
    },
  };
}
