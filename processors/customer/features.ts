import type { AffinityDimension } from '../core/affinity-settings.ts';
import type { ScoreName } from './scores.ts';
import type { Sequence } from './sequences.ts';
import type { UserRatio } from './user-ratios.ts';
import type { UserMeasure } from './user-measures.ts';

/**
 * The profile view as features: the paths a segment rule may name, resolved once at boot. `contracts.md`'s table of measures
 * is the source of the names; the order is part of the packed state, so names are only ever added at the end.
 */

export const MEASURES = [
  'interactions',
  'page_views',
  'product_views',
  'searches',
  'cart_adds',
  'checkouts',
  'orders',
  'revenue',
  'refunds',
  'messages_delivered',
  'opens',
  'clicks',
  'unsubscribes',
  'social_actions',
  'referrals',
  'reviews',
  'survey_answers',
  'support_contacts',
  'complaints',
  'loyalty_actions',
  'points_earned',
  'points_redeemed',
  'engaged_seconds',
  'sessions',
] as const;
export type Measure = (typeof MEASURES)[number];

export const WINDOWS = ['1h', '24h', '7d', '30d', '90d', '365d', 'lifetime'] as const;
export type Window = (typeof WINDOWS)[number];

export const RATIOS = {
  ctr: { numerator: 'clicks', denominator: 'messages_delivered' },
  open_rate: { numerator: 'opens', denominator: 'messages_delivered' },
  click_to_open: { numerator: 'clicks', denominator: 'opens' },
} as const satisfies Record<string, { numerator: Measure; denominator: Measure }>;
export type Ratio = keyof typeof RATIOS;

export const CHURN_BANDS = ['LOW', 'MEDIUM', 'HIGH'] as const;
export type ChurnBand = (typeof CHURN_BANDS)[number];

/** One path of the profile view; `measured` are those of measures that a brand's owner defined. */
export type Feature =
  | { readonly kind: 'trait'; readonly measure: Measure; readonly window: Window }
  | { readonly kind: 'ratio'; readonly ratio: Ratio; readonly window: Window }
  | { readonly kind: 'age'; readonly measure: Measure }
  | { readonly kind: 'measured'; readonly measure: UserMeasure; readonly window: Window }
  | { readonly kind: 'measured_age'; readonly measure: UserMeasure }
  | { readonly kind: 'own_ratio'; readonly ratio: UserRatio; readonly window: Window }
  | { readonly kind: 'sequence'; readonly sequence: Sequence }
  | { readonly kind: 'churn_probability' }
  | { readonly kind: 'churn_band' }
  | { readonly kind: 'stage' }
  | { readonly kind: 'lifecycle' }
  | { readonly kind: 'loyalty_tier' }
  | { readonly kind: 'loyalty_points' }
  | { readonly kind: 'affinity'; readonly dimension: AffinityDimension }
  | { readonly kind: 'score'; readonly score: ScoreName }
  | { readonly kind: 'attribute'; readonly name: string }
  | { readonly kind: 'segments' }
  | { readonly kind: 'identified' };

/** What a feature is worth at an instant; `undefined` = the path is missing from the view. */
export type FeatureValue = number | string | boolean | readonly string[] | undefined;
