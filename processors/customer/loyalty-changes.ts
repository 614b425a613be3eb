import { NEVER, type Instant } from '../core/processor.ts';
import type { Measure, Window } from './features.ts';
import { remember } from './history.ts';
import { LOYALTY, tierAt } from './loyalty.ts';
import { bitsOf, placeOf } from './measures.ts';
import type { OpenParts } from './parts.ts';
import type { Turn } from './turn.ts';
import { SPANS } from './windows.ts';

const POINTS = bitsOf('points_earned', 'points_redeemed');

/** Takes in an enrolment; answers whether it tells anything new. */
export function enrol(parts: OpenParts, at: Instant): boolean {
  const loyalty = parts.get(LOYALTY);
  if (loyalty.enrolledAt >= 0 && loyalty.enrolledAt <= at) return false;
  loyalty.enrolledAt = at;
  parts.put(LOYALTY, loyalty);
  return true;
}

/** Whether what an event added to the measures may move a member's tier or balance. */
export function touchesLoyalty({ open, plan }: Turn): boolean {
  const settings = plan.rules.journey.loyalty;
  if (settings === null || !open.parts.has(LOYALTY)) return false;
  return open.postings.touches(POINTS | (1 << placeOf(settings.measure as Measure)));
}

/** Finds a member's tier anew, and when silence will next change it. Answers whether it is another one. */
export function updateLoyalty(turn: Turn): boolean {
  const { open, plan, now, cause } = turn;
  if (!open.parts.has(LOYALTY)) return false;
  const settings = plan.rules.journey.loyalty;
  const loyalty = open.parts.get(LOYALTY);
  const before = loyalty.tier;
  const { tier, until } =
    settings === null
      ? { tier: null, until: NEVER }
      : tierAt(open.tally(placeOf(settings.measure as Measure)), SPANS[settings.window as Window], settings, now);
  loyalty.due = until;
  for (const slot of plan.loyaltySlots) plan.scratch.moved[slot] = 1;
  if (tier !== before) {
    remember(turn, { kind: 'tier', at: now, cause, from: before, to: tier });
    loyalty.tier = tier;
    loyalty.tierSince = now;
  }
  open.parts.put(LOYALTY, loyalty);
  return tier !== before;
}
