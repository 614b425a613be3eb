import type { ExperimentContribution } from '../../schemas/types.ts';
import type { ExperimentDefinition, ExperimentMetric } from '../core/definitions.ts';
import { DAY_MS } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { placeOfType, type ExperimentPlan } from './experiment-plan.ts';
import { FILTERED, type Exposure, type Exposures, type Match } from './exposures.ts';
import type { OrderBook, RememberedOrder } from './order-book.ts';

/** What is packed as a whole number; no real amount comes near. */
const VALUE_MAX = 2 ** 52 - 1;

/**
 * What a customer counts for in an experiment, as a function of what is remembered: so late and repeated events, cancellations
 * and refunds end the same in any order. Where memory does not reach back to the exposure any more, what was told stands.
 */
export function contributionOf(
  exposure: Exposure,
  exposures: Exposures,
  book: OrderBook,
  definition: ExperimentDefinition,
  plan: ExperimentPlan,
  told: ExperimentContribution | null,
): ExperimentContribution {
  const { variant, crossover, at } = exposure;
  const holdout = definition.holdout === null ? undefined : heldOutIn(exposures, definition, plan);
  if (holdout !== undefined) return { variant, crossover, heldOut: true, values: [] };
  const values = definition.metrics.map((metric) => {
    const standing = told?.values.find(({ metric: id }) => id === metric.id);
    if (standing !== undefined && !reachesBack(metric, at, exposures, book)) return standing;
    return { metric: metric.id, value: valueOf(metric, at, exposures, book, plan) };
  });
  return { variant, crossover, heldOut: false, values };
}

function heldOutIn(
  { list }: Exposures,
  { id, holdout }: ExperimentDefinition,
  plan: ExperimentPlan,
): Exposure | undefined {
  const variant = plan.heldOutVariants.get(id);
  return list.find((each) => each.experimentId === holdout && each.variant === variant);
}

function reachesBack(
  metric: ExperimentMetric,
  at: Instant,
  { forgottenAt }: Exposures,
  { settled }: OrderBook,
): boolean {
  const needsOrders = metric.kind === 'revenue' || metric.types.includes('ORDER_PLACED');
  const needsMatches = metric.where !== null || metric.types.some((type) => type !== 'ORDER_PLACED');
  return !(needsOrders && settled.lastAt >= at) && !(needsMatches && forgottenAt >= at);
}

function valueOf(
  metric: ExperimentMetric,
  from: Instant,
  { matches }: Exposures,
  book: OrderBook,
  { filterKeys }: ExperimentPlan,
): number {
  const { kind, types, windowDays } = metric;
  const isWithin = ({ at }: { readonly at: Instant }): boolean => at >= from && at < from + windowDays * DAY_MS;
  const orders = book.orders.filter((order) => !order.cancelled && isWithin(order));
  if (kind === 'revenue') {
    const revenue = orders.reduce((sum, order) => sum + revenueOf(order), 0);
    return Math.max(-VALUE_MAX, Math.min(VALUE_MAX, revenue));
  }
  const places = new Set(types.map(placeOfType));
  const key = filterKeys.get(metric);
  const counts = ({ type, key: own }: Match): boolean => (type === FILTERED ? own === key : places.has(type));
  const matched = matches.filter((match) => counts(match) && isWithin(match)).length;
  const count = matched + (types.includes('ORDER_PLACED') ? orders.length : 0);
  return kind === 'count' ? count : Math.min(1, count);
}

/** Whenever it is refunded: it is the order's. */
function revenueOf({ amountMinor, refunds }: RememberedOrder): number {
  return (amountMinor ?? 0) - refunds.reduce((sum, refund) => sum + refund.amountMinor, 0);
}
