import { MINUTE_MS } from '../core/event-time.ts';
import { NEVER, type Applied, type Instant, type Output } from '../core/processor.ts';
import type { ExperimentContribution, ExperimentEvent } from '../../schemas/types.ts';
import { hasRatioFailed, look } from './look.ts';
import { addUnit } from './moments.ts';
import { resultsOutputs } from './results.ts';
import type { Rules } from './rules.ts';
import { metricOf, variantOf, type ExperimentState } from './state.ts';
import type { ExperimentAddition } from './totals.ts';

/** Results of one experiment are published, and looked at, at most so often, in record time. */
export const RESULTS_INTERVAL_MS = MINUTE_MS;

interface Turn {
  readonly state: ExperimentState;
  readonly now: Instant;
  readonly rules: Rules;
  readonly outputs: Output[];
  readonly additions: ExperimentAddition[];
}

/** One unit more, less or changed, all deadlines up to `now` being behind. */
export function foldUnit(
  state: ExperimentState,
  { before, after }: ExperimentEvent,
  now: Instant,
  rules: Rules,
): Applied<ExperimentAddition> {
  const turn: Turn = { state, now, rules, outputs: [], additions: [] };
  if (before !== null) count(turn, before, -1);
  if (after !== null) count(turn, after, 1);
  if (state.publishedAt >= 0 && now - state.publishedAt < RESULTS_INTERVAL_MS) state.mustPublish = true;
  else publish(turn);
  return close(turn);
}

/** What was held back leaves when its minute is over, or at the end of all input. */
export function settleResults(state: ExperimentState, now: Instant, rules: Rules): Applied<ExperimentAddition> {
  const turn: Turn = { state, now, rules, outputs: [], additions: [] };
  if (state.mustPublish) publish(turn);
  return close(turn);
}

export function resultsDue({ mustPublish, publishedAt }: ExperimentState): Instant {
  return mustPublish ? publishedAt + RESULTS_INTERVAL_MS : NEVER;
}

/** Units are only added and taken back, so it does not matter in which order the customers' records come. */
function count({ state, additions }: Turn, contribution: ExperimentContribution, by: 1 | -1): void {
  const { brandId, experimentId } = state;
  const variant = variantOf(state, contribution.variant);
  if (contribution.heldOut) {
    variant.heldOut += by;
    return;
  }
  variant.units += by;
  additions.push({ brandId, experimentId, variant: contribution.variant, of: 'units', by });
  if (contribution.crossover) {
    variant.crossovers += by;
    additions.push({ brandId, experimentId, variant: contribution.variant, of: 'crossovers', by });
  }
  for (const { metric, value } of contribution.values) addUnit(metricOf(variant, metric).sums, value, by);
}

function publish({ state, now, rules, outputs, additions }: Turn): void {
  const { brandId, experimentId } = state;
  const experiment = rules.experimentOf(brandId, experimentId);
  state.mustPublish = false;
  // Sums go on without a definition; nobody can tell what they should be held against.
  if (experiment === null) return;
  const hadFailed = hasRatioFailed(state);
  look(state, experiment);
  state.publishedAt = now;
  outputs.push(...resultsOutputs(state, experiment, now, rules.definitionsVersion));
  if (!hadFailed && hasRatioFailed(state)) {
    additions.push({ brandId, experimentId, variant: null, of: 'ratioFailed', by: 1 });
  }
}

function close({ state, now, outputs, additions }: Turn): Applied<ExperimentAddition> {
  if (now > state.at) state.at = now;
  return { kind: 'apply', outputs, contributions: additions };
}
