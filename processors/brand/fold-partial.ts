import type { BrandKpi, BrandPartial } from '../../schemas/types.ts';
import { BRAND_AMOUNTS, BRAND_WINDOWS, WHOLE, type BrandWindow, type Dimension } from '../core/brand-amounts.ts';
import type { Applied, Instant, Output } from '../core/processor.ts';
import { figureOf, MEASURES, type Amounts, type Figure, type Measure } from './measures.ts';
import type { BrandRules } from './rules.ts';
import { amountsIn, LONGEST, newWindows, totalOf, type BrandState } from './state.ts';
import type { BrandAddition } from './totals.ts';

/** Measures of one document are published at most so often, in record time. */
export const KPI_INTERVAL_MS = 10_000;

/** What a partition says replaces what it said before. */
export function foldPartial(
  state: BrandState,
  partial: BrandPartial,
  now: Instant,
  rules: BrandRules,
): Applied<BrandAddition> {
  state.partials.set(partial.partition, amountsOf(partial));
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
  const measures = MEASURES.filter(
    ({ dimensions, notOf }) => dimensions.some((each) => each === state.dimension) && notOf !== state.value,
  );
  for (const [index, window] of BRAND_WINDOWS.entries()) {
    const [own, published] = [amountsIn(total, index), amountsIn(state.published, index)];
    if (!everything && isSame(own, published)) continue;
    for (const measure of measures) {
      if (measure.isOfNow === true && index !== LONGEST) continue;
      const figure = figureOf(measure, own, rules);
      const before = figureOf(measure, published, rules);
      const isOther = figure.numerator !== before.numerator || figure.denominator !== before.denominator;
      // At first nothing is known of what never was.
      const isNothing = figure.numerator === 0 && (figure.denominator ?? 0) === 0;
      if (!isOther && (!everything || (isNothing && state.publishedUnder === 0))) continue;
      const output = kpiOutput(state, measure, measure.isOfNow === true ? 'now' : window, figure, now, rules);
      outputs.push(output);
      if (state.dimension === 'brand' && state.value === WHOLE)
        contributions.push(additionOf(output.value as BrandKpi));
    }
  }
  state.published = total;
  state.publishedUnder = rules.version;
  state.publishedAt = now;
  state.mustPublish = false;
  return { kind: 'apply', outputs, contributions };
}

function additionOf({ brandId, measure, window, value }: BrandKpi): BrandAddition {
  return { brandId, measure, window, value };
}

function kpiOutput(
  state: BrandState,
  measure: Measure,
  window: BrandWindow | 'now',
  figure: Figure,
  now: Instant,
  rules: BrandRules,
): Output {
  const { brandId, dimension, value } = state;
  const kpi: BrandKpi = {
    brandId,
    dimension,
    dimensionValue: value,
    measure: measure.name,
    window,
    occurredAt: now,
    ...figure,
    denominatorOf: measure.of?.(rules, dimension as Dimension) ?? null,
    unit: measure.unit,
    currency: measure.isMoney === true ? rules.currency : null,
    lostAfterDays: measure.isOfLost === true ? rules.lostAfterDays : null,
    definitionsVersion: rules.definitionsVersion,
  };
  const key = `${state.key}|${measure.name}|${window}`;
  return { topic: 'brand-kpis.v1', key, value: kpi, timestamp: now };
}

/** By window, shortest first; what there is now stands with the longest one. */
function amountsOf({ amounts, shorter }: BrandPartial): Amounts[] {
  const all = newWindows();
  for (const [place, name] of BRAND_AMOUNTS.entries()) {
    const ofShorter = shorter[name];
    for (const [index, own] of all.entries()) {
      own[place] = (index === LONGEST ? amounts[name] : ofShorter?.[index]) ?? 0;
    }
  }
  return all;
}

function isSame(one: Amounts, other: Amounts): boolean {
  for (let place = 0; place < one.length; place++) if (one[place] !== other[place]) return false;
  return true;
}
