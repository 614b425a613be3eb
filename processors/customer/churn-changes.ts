import { NEVER } from '../core/processor.ts';
import type { ChurnRiskChanged } from '../../schemas/types.ts';
import type { ChurnModel } from './churn-model.ts';
import { churnReasons } from './churn-reasons.ts';
import { churnBand, nextChurnCrossing, type OrderStatistics } from './churn-risk.ts';
import { churnAt } from './feature-values.ts';
import { remember } from './history.ts';
import type { CustomerState } from './state.ts';
import { INSUFFICIENT_DATA, type BandLabel } from './totals.ts';
import type { Turn } from './turn.ts';

/** A probability is published again once it has moved so far since it was last published. */
export const CHURN_STEP = 0.05;

/** The band as it was last published. */
export function bandLabel(state: CustomerState): BandLabel {
  return state.churn < 0 ? INSUFFICIENT_DATA : churnBand(state.churn);
}

/**
 * Takes in that orders, time or the model moved the churn probability: publishes it when `ordered`, when the band changed or
 * when it moved by 0.05, and finds the instant at which silence will next bring it across a threshold. Answers whether the
 * band changed.
 */
export function updateChurn(turn: Turn, ordered: boolean): boolean {
  const { state, plan, now } = turn;
  const { moved } = plan.scratch;
  for (const slot of plan.churnSlots) moved[slot] = 1;
  const previous = state.rules === 0 ? null : bandLabel(state);
  const model = plan.rules.churn;
  const probability = churnAt(turn.open, model, now);
  if (model === null || probability === undefined) {
    state.churn = -1;
    state.churnDue = NEVER;
  } else {
    if (ordered || hasMoved(state.churn, probability)) publish(turn, model, probability);
    state.churnDue = crossingAfter(turn, model);
  }
  return countBand(turn, previous);
}

/** The customer is another one from now on: of none in its band, and of whom no risk is known. */
export function leaveBand({ state, open, now, outputs, contributions }: Turn): void {
  const { brandId } = state;
  if (state.rules !== 0) contributions.push({ brandId, of: 'band', label: bandLabel(state), by: -1 });
  // A number may stand in the topic although the orders it was made of were cancelled.
  if (open.hasOrders) outputs.push({ topic: 'churn-risk.v1', key: state.key, value: null, timestamp: now });
}

function hasMoved(published: number, probability: number): boolean {
  if (published < 0 || churnBand(published) !== churnBand(probability)) return true;
  // The very sums that are watched as thresholds: a difference could round to the other side.
  return probability >= published + CHURN_STEP || probability <= published - CHURN_STEP;
}

function publish(turn: Turn, model: ChurnModel, probability: number): void {
  const { state, now } = turn;
  const value: ChurnRiskChanged = {
    brandId: state.brandId,
    customerId: state.subject,
    probability,
    band: churnBand(probability),
    previousBand: state.churn < 0 ? null : churnBand(state.churn),
    horizonDays: model.horizonDays,
    occurredAt: now,
    cause: turn.cause,
    reasons: churnReasons(model, statisticsOf(turn), now, probability),
    modelVersion: model.version,
  };
  remember(turn, { kind: 'churn', at: now, cause: turn.cause, probability });
  turn.outputs.push({ topic: 'churn-risk.v1', key: state.key, value, timestamp: now });
  state.churn = probability;
}

function crossingAfter(turn: Turn, model: ChurnModel): number {
  const { state, plan, now } = turn;
  const thresholds = [...plan.churnThresholds, state.churn + CHURN_STEP, state.churn - CHURN_STEP];
  return nextChurnCrossing(model, statisticsOf(turn), now, thresholds);
}

function statisticsOf({ open }: Turn): OrderStatistics {
  const { days, firstAt, lastAt } = open.facts;
  return { x: days - 1, firstOrderAt: firstAt, lastOrderAt: lastAt };
}

function countBand({ state, contributions }: Turn, previous: BandLabel | null): boolean {
  const label = bandLabel(state);
  if (label === previous) return false;
  const { brandId } = state;
  if (previous !== null) contributions.push({ brandId, of: 'band', label: previous, by: -1 });
  contributions.push({ brandId, of: 'band', label, by: 1 });
  return true;
}
