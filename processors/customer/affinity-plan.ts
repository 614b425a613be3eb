import type { InteractionType } from '../../schemas/types.ts';
import { AFFINITY_DIMENSIONS, type AffinityDimension, type AffinitySettings } from '../core/affinity-settings.ts';
import { DAY_MS } from '../core/event-time.ts';
import type { Instant, ReadFields } from '../core/processor.ts';
import type { BrandRules } from './brand-rules.ts';
import { localHours } from './local-hours.ts';

/** Places in AFFINITY_DIMENSIONS. */
export const CATEGORY = 0;
export const PRODUCT = 1;
export const CHANNEL = 2;
export const HOUR = 3;

/** So many keys of a dimension are kept: of categories and products those that weigh most, of the others all there are. */
export const CAPACITIES: readonly number[] = [8, 8, 17, 24];

/** How a brand's affinities are followed. */
export interface AffinityPlan {
  readonly halfLifeDays: number;
  readonly halfLifeMs: number;
  readonly minimumWeight: number;
  /** By place of the dimension: whether it is followed. */
  readonly isFollowed: readonly boolean[];
  /** Points that an event gives its products and their categories. */
  readonly pointsOf: ReadonlyMap<InteractionType, number>;
  readonly hourOf: (at: Instant) => number;
  /** By place of the dimension: the slot that its first key has in rules; −1: no rule reads it. */
  readonly slots: readonly number[];
}

/** Null for a brand that follows none. */
export function affinityPlanOf({ affinity, timeZone, features }: BrandRules): AffinityPlan | null {
  if (affinity === null) return null;
  const { halfLifeDays, minimumWeight, dimensions, weights } = affinity;
  return {
    halfLifeDays,
    halfLifeMs: halfLifeDays * DAY_MS,
    minimumWeight,
    isFollowed: AFFINITY_DIMENSIONS.map((dimension) => dimensions.includes(dimension)),
    pointsOf: new Map(Object.entries(weights) as [InteractionType, number][]),
    hourOf: localHours(timeZone),
    slots: AFFINITY_DIMENSIONS.map((dimension) => slotOf(features, dimension)),
  };
}

/** What has to be decoded of an interaction for it. */
export function fieldsOfAffinity({ dimensions }: AffinitySettings): ReadFields[] {
  return [
    ...(dimensions.includes('category') ? [{ product: { category: true }, order: { items: { category: true } } }] : []),
    ...(dimensions.includes('product')
      ? [{ product: { productId: true }, order: { items: { productId: true } } }]
      : []),
  ] as ReadFields[];
}

function slotOf(features: BrandRules['features'], dimension: AffinityDimension): number {
  return features.findIndex((feature) => feature.kind === 'affinity' && feature.dimension === dimension);
}
