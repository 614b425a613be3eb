import type { InteractionType } from '../../schemas/types.ts';

/** What a customer can turn to: the order is part of the packed state, so they are only ever added at the end. */
export const AFFINITY_DIMENSIONS = ['category', 'product', 'channel', 'hour'] as const;
export type AffinityDimension = (typeof AFFINITY_DIMENSIONS)[number];

/** What is followed of the things that a brand's customers turn to (customer/affinity-ranking.ts). */
export interface AffinitySettings {
  /** The brand, or `default`. */
  readonly id: string;
  readonly dimensions: readonly AffinityDimension[];
  /** After so long an event weighs half. */
  readonly halfLifeDays: number;
  /** What a key must weigh to be told. */
  readonly minimumWeight: number;
  /** Points that an event of a type gives its products and their categories. */
  readonly weights: Readonly<Partial<Record<InteractionType, number>>>;
  readonly file: string;
}
