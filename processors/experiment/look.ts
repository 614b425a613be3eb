import type { ExperimentMetric, ExperimentVariant } from '../core/definitions.ts';
import type { ExperimentComparison, ExperimentVerdict } from '../../schemas/types.ts';
import { alwaysValidInterval, logEvidence, mixingRate, pOf, type Interval } from './confidence-sequence.ts';
import { absoluteEffect, relativeEffect, type Arm, type Effect } from './effect.ts';
import { armOf, newSums, shareOf } from './moments.ts';
import type { ExperimentRules } from './rules.ts';
import { ratioLogEvidence } from './sample-ratio.ts';
import { metricOf, variantOf, type ExperimentState } from './state.ts';

/** The intended shares are given up at a p of this: so often a sound experiment is ever accused. */
export const RATIO_ALPHA = 0.001;
/** What so few units of a variant say is no evidence: means of fewer are far from normal. */
export const LEAST_UNITS = 100;

/** Looks at everything once more: evidence that is greater than any before it is kept. */
export function look(state: ExperimentState, rules: ExperimentRules): void {
  const { variants } = rules.definition;
  const units = variants.map(({ id }) => state.variants.get(id)?.units ?? 0);
  const shares = variants.map(({ share }) => share);
  state.ratioLogEvidence = Math.max(state.ratioLogEvidence, ratioLogEvidence(units, shares));
  for (const metric of rules.definition.metrics) {
    for (const treatment of rules.treatments) lookAtMetric(state, rules, metric, treatment);
  }
}

export function hasRatioFailed({ ratioLogEvidence: evidence }: ExperimentState): boolean {
  return pOf(evidence) <= RATIO_ALPHA;
}

/** What the units of a variant come to on a metric. */
export function armFor(state: ExperimentState, { id, kind }: ExperimentMetric, variant: string): Arm {
  const sums = state.variants.get(variant)?.metrics.get(id)?.sums ?? newSums();
  return kind === 'conversion' ? shareOf(sums) : armOf(sums);
}

/** A variant against the control, as of the last look. */
export function compare(
  state: ExperimentState,
  rules: ExperimentRules,
  metric: ExperimentMetric,
  { id }: ExperimentVariant,
): ExperimentComparison {
  const control = armFor(state, metric, rules.control.id);
  const treatment = armFor(state, metric, id);
  const alpha = rules.alphaOf(metric);
  const information = informationOf(control, treatment, alpha, rules);
  const intervalOf = (effect: Effect | null): Interval | null =>
    effect === null ? null : alwaysValidInterval(effect, information, alpha);
  const absolute = absoluteEffect(control, treatment);
  const relative = relativeEffect(control, treatment);
  const difference = intervalOf(absolute);
  const lift = intervalOf(relative);
  return {
    difference: absolute?.value ?? null,
    differenceLow: difference?.low ?? null,
    differenceHigh: difference?.high ?? null,
    lift: relative?.value ?? null,
    liftLow: lift?.low ?? null,
    liftHigh: lift?.high ?? null,
    p: pOf(state.variants.get(id)?.metrics.get(metric.id)?.logEvidence ?? 0),
    verdict: verdictOn(state, metric, id, alpha, hasUnits(control, treatment) ? lift : null),
  };
}

function lookAtMetric(
  state: ExperimentState,
  rules: ExperimentRules,
  metric: ExperimentMetric,
  { id }: ExperimentVariant,
): void {
  const control = armFor(state, metric, rules.control.id);
  const treatment = armFor(state, metric, id);
  const effect = absoluteEffect(control, treatment);
  if (effect === null || !hasUnits(control, treatment)) return;
  const evidence = logEvidence(effect, informationOf(control, treatment, rules.alphaOf(metric), rules));
  const kept = metricOf(variantOf(state, id), metric.id);
  if (evidence <= kept.logEvidence) return;
  kept.logEvidence = evidence;
  kept.sign = Math.sign(effect.value);
}

/** Decided by the evidence; whether a guardrail has room for harm, by the interval of the lift. */
function verdictOn(
  state: ExperimentState,
  { id, direction, guardrail, margin }: ExperimentMetric,
  variant: string,
  alpha: number,
  lift: Interval | null,
): ExperimentVerdict {
  const kept = state.variants.get(variant)?.metrics.get(id);
  const upwards = direction === 'up' ? 1 : -1;
  if (kept !== undefined && pOf(kept.logEvidence) <= alpha) return kept.sign === upwards ? 'BETTER' : 'WORSE';
  if (!guardrail || lift === null) return 'UNDECIDED';
  const leastGood = upwards === 1 ? lift.low : -lift.high;
  return leastGood > -margin ? 'NOT_WORSE' : 'UNDECIDED';
}

function informationOf(control: Arm, treatment: Arm, alpha: number, { definition }: ExperimentRules): number {
  return (control.units + treatment.units) * mixingRate(alpha, definition.tuningUnits);
}

function hasUnits(control: Arm, treatment: Arm): boolean {
  return control.units >= LEAST_UNITS && treatment.units >= LEAST_UNITS;
}
