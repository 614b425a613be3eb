import { placeOfSum } from '../core/brand-amounts.ts';
import type { Instant } from '../core/processor.ts';
import type { Postings } from './postings.ts';
import type { FoldedInteraction } from './read-fields.ts';

const REFERRALS_CONVERTED = placeOfSum('referralsConverted');

/** What an interaction adds to sums of the brand that are no measures of the profile, orders aside. */
export function countExtras({ type }: FoldedInteraction, at: Instant, extras: Postings): void {
  if (type === 'REFERRAL_CONVERTED') extras.add(REFERRALS_CONVERTED, at, 1);
}
