import type { BrandPartial } from '../../schemas/types.ts';
import type { Definitions } from '../core/definitions.ts';
import type { StatefulProcessor } from '../core/processor.ts';
import { foldPartial, KPI_INTERVAL_MS, publish } from './fold-partial.ts';
import { rulesOf } from './rules.ts';
import { brandPacking, dueOf, initialState, type BrandState } from './state.ts';
import { brandTotals, type BrandAddition, type BrandTotals } from './totals.ts';

export type BrandProcessor = StatefulProcessor<BrandState, BrandPartial, BrandTotals, BrandAddition>;

/**
 * The measures of brands: one document for each brand, and for each of its segments, channels and campaigns, which keeps the
 * newest partial of each partition of customers and adds them up.
 */
export function createBrand(definitions: Definitions): BrandProcessor {
  const rules = rulesOf(definitions);
  return {
    kind: 'stateful',
    name: 'brand',
    version: 1,
    inputs: ['brand-partials.v1'],
    outputs: ['brand-kpis.v1'],
    state: brandPacking,
    totals: brandTotals,
    occurredAt: ({ asOf }) => asOf,
    initial: initialState,
    clock: ({ at }) => at,
    advance(state, now) {
      if (now > state.at) state.at = now;
    },
    nextDue: (state) => dueOf(state, KPI_INTERVAL_MS),
    onRecord: (state, partial, now) => foldPartial(state, partial, now, rules(state.brandId)),
    onDue: (state, due) => {
      if (due > state.at) state.at = due;
      return publish(state, due, rules(state.brandId));
    },
    atEnd: (state, now) =>
      state.mustPublish ? publish(state, now, rules(state.brandId)) : { kind: 'apply', outputs: [] },
  };
}
