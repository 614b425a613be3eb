import type { InteractionType } from '../../schemas/types.ts';
import type { ExperimentDefinition, ExperimentMetric } from '../core/definitions.ts';
import { DAY_MS } from '../core/event-time.ts';
import type { Fingerprint } from '../core/fingerprint.ts';
import { INTERACTION_TYPES } from '../core/interaction-types.ts';
import { filterKeyOf, filtersOf, type MetricFilter } from './experiment-filters.ts';

/** So late an event may be and still count, at least. */
const LATE_DAYS = 1;

/** A brand's experiments, as an event asks for them. */
export interface ExperimentPlan {
  readonly byId: ReadonlyMap<string, ExperimentDefinition>;
  /** Types that some metric counts, by their place in INTERACTION_TYPES. Placed orders are not among them: the order book has those. */
  readonly types: ReadonlyMap<InteractionType, number>;
  /** Of metrics that count by a filter. */
  readonly filters: readonly MetricFilter[];
  readonly filterKeys: ReadonlyMap<ExperimentMetric, Fingerprint>;
  /** By experiment with a holdout: the variant of the holdout that its members have. */
  readonly heldOutVariants: ReadonlyMap<string, string>;
  /** For how long what is counted is remembered one by one. */
  readonly rememberMs: number;
}

export function experimentPlanOf(experiments: readonly ExperimentDefinition[]): ExperimentPlan | null {
  if (experiments.length === 0) return null;
  const byId = new Map(experiments.map((experiment) => [experiment.id, experiment]));
  const metrics = experiments.flatMap((experiment) => experiment.metrics);
  const counted = metrics.flatMap(({ types }) => types);
  const windows = metrics.map(({ windowDays }) => windowDays);
  const heldOutVariants = experiments.flatMap(({ id, holdout }): [string, string][] => {
    const control = byId.get(holdout ?? '')?.variants.find((variant) => variant.control);
    return control === undefined ? [] : [[id, control.id]];
  });
  return {
    byId,
    types: new Map(counted.filter((type) => type !== 'ORDER_PLACED').map((type) => [type, placeOfType(type)])),
    filters: filtersOf(experiments),
    filterKeys: new Map(metrics.flatMap((metric) => keyed(metric))),
    heldOutVariants: new Map(heldOutVariants),
    rememberMs: (Math.max(...windows) + LATE_DAYS) * DAY_MS,
  };
}

function keyed(metric: ExperimentMetric): [ExperimentMetric, Fingerprint][] {
  const key = filterKeyOf(metric);
  return key === null ? [] : [[metric, key]];
}

/** The place of a type in INTERACTION_TYPES. */
export function placeOfType(type: InteractionType): number {
  return INTERACTION_TYPES.indexOf(type);
}
