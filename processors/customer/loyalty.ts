import type { LoyaltySettings } from '../core/definitions.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { firstSlot, leavesAt, type Span } from '../core/window.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { MergeablePart } from './parts.ts';
import type { Tally } from './tally.ts';

/**
 * Membership of a brand's loyalty programme. A customer is a member from the first LOYALTY_ENROLLED on; the tier is the
 * highest one whose sum over the window is reached, so it falls by silence when what was earned leaves the window. Points of a
 * guest count from the enrolment on, whenever they were earned: the balance is what was ever earned less what was redeemed.
 */
export interface Loyalty {
  /** The earliest enrolment; −1: none. */
  enrolledAt: Instant;
  /** As last evaluated; null: below the lowest. */
  tier: string | null;
  tierSince: Instant;
  due: Instant;
}

export interface TierAt {
  readonly tier: string | null;
  /** When silence alone changes it. */
  readonly until: Instant;
}

const tiles = new Unrolled();

/** The tier by the sum of a tally over the window; since ever for null. */
export function tierAt(tally: Tally, span: Span | null, { tiers }: LoyaltySettings, now: Instant): TierAt {
  if (!tally.present) return { tier: tierOf(tiers, 0), until: NEVER };
  if (span === null) return { tier: tierOf(tiers, tally.lifetime), until: NEVER };
  unroll(tally.rings[span.ring], firstSlot(span, now), tiles);
  let sum = 0;
  for (let index = 0; index < tiles.length; index++) sum += tiles.value(index);
  const tier = tierOf(tiers, sum);
  for (let index = tiles.length - 1; index >= 0; index--) {
    sum -= tiles.value(index);
    if (tierOf(tiers, sum) !== tier) return { tier, until: leavesAt(span, tiles.slot(index)) };
  }
  return { tier, until: NEVER };
}

/** `tiers`: the lowest first. */
function tierOf(tiers: LoyaltySettings['tiers'], sum: number): string | null {
  let tier: string | null = null;
  for (const { id, atLeast } of tiers) if (sum >= atLeast) tier = id;
  return tier;
}

const EARNED = placeOf('points_earned');
const REDEEMED = placeOf('points_redeemed');

/** A member's membership and balance; null for anybody else. */
export function membershipOf(open: OpenState): (Loyalty & { readonly points: number }) | null {
  if (!open.parts.has(LOYALTY)) return null;
  const [earned, redeemed] = [open.tally(EARNED), open.tally(REDEEMED)];
  const points = (earned.present ? earned.lifetime : 0) - (redeemed.present ? redeemed.lifetime : 0);
  return { ...open.parts.get(LOYALTY), points };
}

export const LOYALTY: MergeablePart<Loyalty> = {
  id: 3,
  initial: () => ({ enrolledAt: -1, tier: null, tierSince: 0, due: NEVER }),
  nextDue: ({ due }) => due,

  write({ enrolledAt, tier, tierSince }, writer) {
    if (enrolledAt < 0) return;
    writer.uint(enrolledAt);
    writer.string(tier ?? '');
    if (tier !== null) writer.int(tierSince - enrolledAt);
  },

  read(reader, due) {
    const enrolledAt = reader.uint();
    const tier = reader.string();
    return { enrolledAt, tier: tier || null, tierSince: tier === '' ? 0 : enrolledAt + reader.int(), due };
  },

  /** The tier is found anew from the measures of both. */
  merge(into, from) {
    if (from.enrolledAt < 0) return;
    into.enrolledAt = into.enrolledAt < 0 ? from.enrolledAt : Math.min(into.enrolledAt, from.enrolledAt);
  },
};
