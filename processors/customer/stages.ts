import { DAY_MS, HOUR_MS } from '../core/event-time.ts';
import type { StageSettings } from '../core/definitions.ts';
import { NEVER, type Instant } from '../core/processor.ts';

/**
 * The five stages of a customer's journey, in their order. Where a customer stands is a total function of what is known of
 * the customer and of the time, so the order in which events came does not matter:
 *
 *   advocacy       has an order and recommended the brand in the last `advocacyDays`
 *   purchase       the first order is less than `onboardingDays` ago
 *   retention      the last order is less than `retentionDays` ago
 *   consideration  looked at products, or used the cart or the checkout, in the last `considerationDays`
 *   awareness      anything else
 *
 * The first that holds. Moves forwards happen at once. A move backwards waits until the customer has been `minDwellHours` in
 * the stage, so that one which is taken back at once is not told. The stages and these conditions are those that journey
 * tools share: first touch, product intent, onboarding, the expected gap between orders, referral or a good score.
 */
export const STAGES = ['awareness', 'consideration', 'purchase', 'retention', 'advocacy'] as const;
export type Stage = (typeof STAGES)[number];

/** What decides; instants of −1 never were. */
export interface StageFacts {
  readonly firstOrderAt: Instant;
  readonly lastOrderAt: Instant;
  /** UTC day, counted from 1970. */
  readonly recommendedDay: number;
  /** Until when there is product intent. */
  readonly intentUntil: Instant;
}

export interface StageAt {
  readonly stage: Stage;
  /** When silence alone ends it. */
  readonly until: Instant;
}

export function stageAt(facts: StageFacts, settings: StageSettings, now: Instant): StageAt {
  const { firstOrderAt, lastOrderAt, recommendedDay, intentUntil } = facts;
  if (lastOrderAt >= 0) {
    const advocacyUntil = recommendedDay < 0 ? -1 : (recommendedDay + settings.advocacyDays) * DAY_MS;
    if (now < advocacyUntil) return { stage: 'advocacy', until: advocacyUntil };
    const purchaseUntil = firstOrderAt + settings.onboardingDays * DAY_MS;
    if (now < purchaseUntil) return { stage: 'purchase', until: purchaseUntil };
    const retentionUntil = lastOrderAt + settings.retentionDays * DAY_MS;
    if (now < retentionUntil) return { stage: 'retention', until: retentionUntil };
  }
  if (now < intentUntil) return { stage: 'consideration', until: intentUntil };
  return { stage: 'awareness', until: NEVER };
}

/** Until when a customer who came into `from` at `since` may not go back to `to`; −1: may go at once. */
export function heldUntil(from: Stage, to: Stage, since: Instant, { minDwellHours }: StageSettings): Instant {
  return STAGES.indexOf(to) < STAGES.indexOf(from) ? since + minDwellHours * HOUR_MS : -1;
}

/** The name of each move. Back from an order, it is `lapsed` while orders stand, and `order_withdrawn` when none does. */
const MOVES: Readonly<Record<Stage, Readonly<Partial<Record<Stage, string>>>>> = {
  awareness: {
    consideration: 'product_intent',
    purchase: 'first_order',
    retention: 'ordered',
    advocacy: 'recommended',
  },
  consideration: {
    awareness: 'intent_faded',
    purchase: 'first_order',
    retention: 'ordered',
    advocacy: 'recommended',
  },
  purchase: { awareness: 'lapsed', consideration: 'lapsed', retention: 'onboarded', advocacy: 'recommended' },
  retention: { awareness: 'lapsed', consideration: 'lapsed', purchase: 'first_order', advocacy: 'recommended' },
  advocacy: {
    awareness: 'lapsed',
    consideration: 'lapsed',
    purchase: 'recommendation_faded',
    retention: 'recommendation_faded',
  },
};

/** The rule by which a customer is in `to`, coming from `from`; null: not known before. */
export function stageRule(from: Stage | null, to: Stage, hasOrders: boolean): string {
  if (from === null) return to === 'awareness' ? 'first_touch' : (MOVES.awareness[to] ?? '');
  const rule = MOVES[from][to] ?? '';
  return rule === 'lapsed' && !hasOrders ? 'order_withdrawn' : rule;
}
