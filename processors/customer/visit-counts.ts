import { placeOfSum } from '../core/brand-amounts.ts';
import type { Instant } from '../core/processor.ts';
import type { Postings } from './postings.ts';

/** What visits of a customer have counted for the brand since ever, by place in VISIT_SUMS. */
export type VisitCounts = readonly number[];

const VISIT_SUMS = [
  placeOfSum('sessions'),
  placeOfSum('engagedSessions'),
  placeOfSum('pageVisibleMs'),
  placeOfSum('measuredViews'),
  placeOfSum('longViews'),
  placeOfSum('unmeasuredViews'),
];
export const NO_VISITS: VisitCounts = VISIT_SUMS.map(() => 0);

/** All of them together. */
export function sumOfVisits(all: readonly VisitCounts[]): VisitCounts {
  return VISIT_SUMS.map((_place, index) => all.reduce((sum, each) => sum + (each[index] ?? 0), 0));
}

/** Lets the brand have `after` where it had `before`. */
export function countVisits(before: VisitCounts, after: VisitCounts, now: Instant, ofBrand: Postings): void {
  for (const [index, place] of VISIT_SUMS.entries()) {
    const by = (after[index] ?? 0) - (before[index] ?? 0);
    if (by !== 0) ofBrand.add(place, now, by);
  }
}
