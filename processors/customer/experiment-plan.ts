import type { InteractionType } from '../../schemas/types.ts';
import type { ExperimentDefinition } from '../core/definitions.ts';
import { DAY_MS } from '../core/event-time.ts';
import { INTERACTION_TYPES } from '../core/interaction-types.ts';

/** So late an event may be and still count, at least. */
const LATE_DAYS = 1;

/** A brand's experiments, as an event asks for them. */
export interface ExperimentPlan {
  readonly byId: ReadonlyMap<string, ExperimentDefinition>;
  /** Types that some metric counts, by their place in INTERACTION_TYPES. Placed orders are not among them: the order book has those. */
  readonly types: ReadonlyMap<InteractionType, number>;
  /** By experiment with a holdout: the variant of the holdout that its members have. */
  readonly heldOutVariants: ReadonlyMap<string, string>;
  /** For how long what is counted is remembered one by one. */
  readonly rememberMs: number;
}

export function experimentPlanOf(experiments: readonly ExperimentDefinition[]): ExperimentPlan | null {
  if (experiments.length === 0) return null;
  const byId = new Map(experiments.map((experiment) => [experiment.id, experiment]));
  const counted = experiments.flatMap(({ metrics }) => metrics.flatMap(({ types }) => types));
  const windows = experiments.flatMap(({ metrics }) => metrics.map(({ windowDays }) => windowDays));
  const heldOutVariants = experiments.flatMap(({ id, holdout }): [string, string][] => {
    const control = byId.get(holdout ?? '')?.variants.find((variant) => variant.control);
    return control === undefined ? [] : [[id, control.id]];
  });
  return {
    byId,
    types: new Map(counted.filter((type) => type !== 'ORDER_PLACED').map((type) => [type, placeOfType(type)])),
    heldOutVariants: new Map(heldOutVariants),
    rememberMs: (Math.max(...windows) + LATE_DAYS) * DAY_MS,
  };
}

/** The place of a type in INTERACTION_TYPES. */
export function placeOfType(type: InteractionType): number {
  return INTERACTION_TYPES.indexOf(type);
}
