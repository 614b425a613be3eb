import type { Definitions, ExperimentDefinition, ExperimentMetric, ExperimentVariant } from '../core/definitions.ts';

/** One experiment as the rules of this processor ask for it. */
export interface ExperimentRules {
  readonly definition: ExperimentDefinition;
  readonly control: ExperimentVariant;
  readonly treatments: readonly ExperimentVariant[];
  /** The probability of a wrong verdict that one comparison on this metric may have. */
  alphaOf(metric: ExperimentMetric): number;
}

/** What the definitions say. */
export interface Rules {
  readonly definitionsVersion: string;
  /** Null for an experiment that is not defined, or not for this brand. */
  experimentOf(brandId: string, experimentId: string): ExperimentRules | null;
}

export function rulesOf({ experiments, hash }: Definitions): Rules {
  const rules = new Map(Array.from(experiments, ([id, definition]) => [id, experimentRules(definition)]));
  return {
    definitionsVersion: hash,
    experimentOf(brandId, experimentId) {
      const experiment = rules.get(experimentId) ?? null;
      if (experiment === null) return null;
      const { brands } = experiment.definition;
      return brands.includes('*') || brands.includes(brandId) ? experiment : null;
    },
  };
}

/** Alpha is divided evenly by the comparisons of a role (Bonferroni 1936): goals and guardrails have one each. */
function experimentRules(definition: ExperimentDefinition): ExperimentRules {
  const { variants, metrics, alpha } = definition;
  const [control] = variants.filter(({ control: isControl }) => isControl);
  if (control === undefined) throw new RangeError(`experiment ${definition.id} has no control`);
  const treatments = variants.filter(({ control: isControl }) => !isControl);
  const comparisons = (guardrail: boolean): number =>
    treatments.length * metrics.filter((metric) => metric.guardrail === guardrail).length;
  return {
    definition,
    control,
    treatments,
    alphaOf: ({ guardrail }) => alpha / comparisons(guardrail),
  };
}
