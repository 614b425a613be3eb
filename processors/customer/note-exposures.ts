import { isBeyondHorizon } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import type { ExperimentPlan } from './experiment-plan.ts';
import type { MetricFilter } from './experiment-filters.ts';
import { addMatch, expose, EXPOSURES, EXPOSURES_MAX, FILTERED, type Exposures } from './exposures.ts';
import type { OpenState } from './open-state.ts';
import type { FoldedInteraction } from './read-fields.ts';

/**
 * Notes what an event means to the brand's experiments, orders aside, which the order book has; answers whether what the
 * customer counts for may be otherwise. What metrics count is noted of customers who were never exposed, too: the exposure may
 * still come, late.
 */
export function noteForExperiments(
  open: OpenState,
  plan: ExperimentPlan,
  interaction: FoldedInteraction,
  at: Instant,
  now: Instant,
): boolean {
  const { type, experiment, machineGenerated } = interaction;
  const counted = plan.types.get(type);
  const mayMatch = !machineGenerated && at >= now - plan.rememberMs;
  const isMatch = counted !== undefined && mayMatch;
  const isFiltered = mayMatch && plan.filters.length > 0 && passesAny(plan.filters, interaction);
  const isExposure = type === 'EXPERIMENT_EXPOSED' && experiment !== null && !isBeyondHorizon(at, now);
  if (!isMatch && !isFiltered && !isExposure) return false;
  const exposures = open.parts.get(EXPOSURES);
  let isOther = false;
  if (isExposure && isDefined(plan, experiment)) {
    isOther = expose(exposures, experiment.experimentId, experiment.variant, at);
    makeRoom(exposures, plan);
  }
  if (isMatch) {
    addMatch(exposures, { at, type: counted, key: 0 }, now - plan.rememberMs);
    isOther = true;
  }
  if (isFiltered) {
    for (const filter of plan.filters) {
      if (passes(filter, interaction))
        addMatch(exposures, { at, type: FILTERED, key: filter.key }, now - plan.rememberMs);
    }
    isOther = true;
  }
  if (isOther) open.parts.put(EXPOSURES, exposures);
  return isOther;
}

function passesAny(filters: readonly MetricFilter[], interaction: FoldedInteraction): boolean {
  for (const filter of filters) if (passes(filter, interaction)) return true;
  return false;
}

function passes(filter: MetricFilter, interaction: FoldedInteraction): boolean {
  return filter.types.has(interaction.type) && filter.passes(interaction);
}

/** What was never defined, or not so, is somebody's mistake: nothing could be compared with it. */
function isDefined(
  plan: ExperimentPlan,
  { experimentId, variant }: NonNullable<FoldedInteraction['experiment']>,
): boolean {
  return plan.byId.get(experimentId)?.variants.some(({ id }) => id === variant) === true;
}

/** Experiments that are defined no more go first, and there are always enough of them. */
function makeRoom(exposures: Exposures, plan: ExperimentPlan): void {
  if (exposures.list.length <= EXPOSURES_MAX) return;
  const gone = exposures.list.findIndex(({ experimentId }) => !plan.byId.has(experimentId));
  exposures.list.splice(Math.max(0, gone), 1);
}
