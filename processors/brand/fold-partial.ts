import type { BrandKpi, BrandPartial } from '../../schemas/types.ts';
import { BRAND_AMOUNTS, WHOLE, type Dimension } from '../core/brand-amounts.ts';
import type { Applied, Instant, Output } from '../core/processor.ts';
import { figureOf, MEASURES, newAmounts, type Amounts, type Figure, type Measure } from './measures.ts';
import type { BrandRules } from './rules.ts';
import { totalOf, type BrandState } from './state.ts';
import type { BrandAddition } from './totals.ts';

/** Measures of one document are published at most so often, in record time. */
export const KPI_INTERVAL_MS = 10_000;

/** What a partition says replaces what it said before. */
export function foldPartial(
  state: BrandState,
  { partition, amounts }: BrandPartial,
  now: Instant,
  rules: BrandRules,
): Applied<BrandAddition> {
  state.partials.set(partition, amountsOf(amounts));
  const isSoon = state.publishedAt >= 0 && now - state.publishedAt < KPI_INTERVAL_MS;
  if (!isSoon) return publish(state, now, rules);
  state.mustPublish = true;
  return { kind: 'apply', outputs: [] };
}

/** Publishes as of `now` every measure that differs from what was published, and under other settings all of them. */
export function publish(state: BrandState, now: Instant, rules: BrandRules): Applied<BrandAddition> {
  const total = totalOf(state);
  const outputs: Output[] = [];
  const contributions: BrandAddition[] = [];
  const everything = state.publishedUnder !== rules.version;
  for (const measure of MEASURES) {
    if (!measure.dimensions.some((dimension) => dimension === state.dimension)) continue;
    if (measure.notOf === state.value) continue;
    const figure = figureOf(measure, total, rules);
    const before = figureOf(measure, state.published, rules);
    const isOther = figure.numerator !== before.numerator || figure.denominator !== before.denominator;
    // At first nothing is known of what never was.
    const isNothing = figure.numerator === 0 && (figure.denominator ?? 0) === 0;
    if (!isOther && (!everything || (isNothing && state.publishedUnder === 0))) continue;
    outputs.push(kpiOutput(state, measure, figure, now, rules));
    if (state.dimension === 'brand' && state.value === WHOLE) {
      contributions.push({ brandId: state.brandId, measure: measure.name, value: figure.value });
    }
  }
  state.published = total;
  state.publishedUnder = rules.version;
  state.publishedAt = now;
  state.mustPublish = false;
  return { kind: 'apply', outputs, contributions };
}

function kpiOutput(state: BrandState, measure: Measure, figure: Figure, now: Instant, rules: BrandRules): Output {
  const { brandId, dimension, value } = state;
  const kpi: BrandKpi = {
    brandId,
    dimension,
    dimensionValue: value,
    measure: measure.name,
    window: measure.window,
    occurredAt: now,
    ...figure,
    denominatorOf: measure.of?.(rules, dimension as Dimension) ?? null,
    unit: measure.unit,
    currency: measure.isMoney === true ? rules.currency : null,
    lostAfterDays: measure.isOfLost === true ? rules.lostAfterDays : null,
    definitionsVersion: rules.definitionsVersion,
  };
  const key = `${state.key}|${measure.name}|${measure.window}`;
  return { topic: 'brand-kpis.v1', key, value: kpi, timestamp: now };
}

function amountsOf(byName: Readonly<Record<string, number>>): Amounts {
  const amounts = newAmounts();
  for (const [place, name] of BRAND_AMOUNTS.entries()) amounts[place] = byName[name] ?? 0;
  return amounts;
}
