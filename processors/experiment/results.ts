import type { ExperimentMetric } from '../core/definitions.ts';
import type { Instant, Output } from '../core/processor.ts';
import type {
  ExperimentMetricKind,
  ExperimentResults,
  ExperimentSampleRatio,
  ExperimentVariantResult,
  WinnerWithheld,
} from '../../schemas/types.ts';
import { pOf } from './confidence-sequence.ts';
import { armFor, compare, hasRatioFailed } from './look.ts';
import type { ExperimentRules } from './rules.ts';
import { ratioChiSquare } from './sample-ratio.ts';
import type { ExperimentState } from './state.ts';

const KINDS: Readonly<Record<ExperimentMetric['kind'], ExperimentMetricKind>> = {
  conversion: 'CONVERSION',
  count: 'COUNT',
  revenue: 'REVENUE',
};

/** One record for each metric, as of the last look. */
export function resultsOutputs(
  state: ExperimentState,
  rules: ExperimentRules,
  now: Instant,
  definitionsVersion: string,
): Output[] {
  const { brandId, experimentId, key } = state;
  const sampleRatio = sampleRatioOf(state, rules);
  const barred = barredVariants(state, rules);
  return rules.definition.metrics.map((metric): Output => {
    const variants = variantsOf(state, rules, metric);
    const value: ExperimentResults = {
      brandId,
      experimentId,
      metricId: metric.id,
      occurredAt: now,
      kind: KINDS[metric.kind],
      direction: metric.direction === 'up' ? 'UP' : 'DOWN',
      guardrail: metric.guardrail,
      windowDays: metric.windowDays,
      alpha: rules.alphaOf(metric),
      variants,
      sampleRatio,
      ...winnerOf(state, metric, variants, barred),
      definitionsVersion,
    };
    return { topic: 'experiment-results.v1', key: `${key}|${metric.id}`, value, timestamp: now };
  });
}

function variantsOf(
  state: ExperimentState,
  rules: ExperimentRules,
  metric: ExperimentMetric,
): ExperimentVariantResult[] {
  return rules.definition.variants.map((variant): ExperimentVariantResult => {
    const arm = armFor(state, metric, variant.id);
    const { crossovers = 0, heldOut = 0 } = state.variants.get(variant.id) ?? {};
    return {
      variant: variant.id,
      control: variant.control,
      share: variant.share,
      units: arm.units,
      crossovers,
      heldOut,
      mean: arm.units === 0 ? null : arm.mean,
      deviation: arm.units === 0 ? null : Math.sqrt(arm.variance),
      comparison: variant.control ? null : compare(state, rules, metric, variant),
    };
  });
}

function sampleRatioOf(state: ExperimentState, { definition: { variants } }: ExperimentRules): ExperimentSampleRatio {
  const chiSquare = ratioChiSquare(
    variants.map(({ id }) => state.variants.get(id)?.units ?? 0),
    variants.map(({ share }) => share),
  );
  return {
    verdict: hasRatioFailed(state) ? 'FAILED' : 'AS_INTENDED',
    p: pOf(state.ratioLogEvidence),
    chiSquare: chiSquare?.statistic ?? null,
    chiSquareP: chiSquare?.p ?? null,
  };
}

/** Variants that are worse on some guardrail. */
function barredVariants(state: ExperimentState, rules: ExperimentRules): ReadonlySet<string> {
  const guardrails = rules.definition.metrics.filter(({ guardrail }) => guardrail);
  const isBarred = (variant: (typeof rules.treatments)[number]): boolean =>
    guardrails.some((metric) => compare(state, rules, metric, variant).verdict === 'WORSE');
  return new Set(rules.treatments.filter(isBarred).map(({ id }) => id));
}

function winnerOf(
  state: ExperimentState,
  { guardrail, direction }: ExperimentMetric,
  variants: readonly ExperimentVariantResult[],
  barred: ReadonlySet<string>,
): { winner: string | null; withheld: WinnerWithheld } {
  const better = variants.filter(({ comparison }) => comparison?.verdict === 'BETTER');
  if (guardrail || better.length === 0) return { winner: null, withheld: 'NO' };
  if (hasRatioFailed(state)) return { winner: null, withheld: 'SAMPLE_RATIO' };
  const goodness = ({ mean }: ExperimentVariantResult): number => (direction === 'up' ? 1 : -1) * (mean ?? 0);
  const [best] = better
    .filter(({ variant }) => !barred.has(variant))
    .toSorted((left, right) => goodness(right) - goodness(left));
  return best === undefined ? { winner: null, withheld: 'GUARDRAIL' } : { winner: best.variant, withheld: 'NO' };
}
