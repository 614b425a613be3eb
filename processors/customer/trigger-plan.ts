import type { TriggerName, TriggerSettings } from '../core/definitions.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import type { Measure } from './features.ts';
import { bitsOf, placeOf } from './measures.ts';
import type { OrderFacts } from './order-book.ts';
import type { TriggerFacts } from './trigger-facts.ts';
import { SILENT_TRIGGERS } from './triggers.ts';

/**
 * A trigger of which there is one cause at a time: an event after which something else did not come. All of it is a function
 * of what is known of the customer, so the order of events does not matter.
 */
export interface SilentRule {
  readonly trigger: TriggerName;
  /** Bits of what it is about: measures, and STARTED. */
  readonly measures: number;
  /** When the newest cause there may be happened; −1: there is none. */
  causeAt(facts: TriggerFacts): Instant;
  /** When that cause fires. */
  dueAt(causeAt: Instant, facts: TriggerFacts): Instant;
  /** Whether what came since, or was taken back, leaves nothing to tell of a cause. */
  isMoot(causeAt: Instant, facts: TriggerFacts): boolean;
}

export interface MilestoneRule {
  /** A place in MEASURES. */
  readonly measure: number;
  /** The lowest first. */
  readonly values: readonly number[];
}

/** The triggers of a brand, compiled. */
export interface TriggerPlan {
  /** Bits of what some trigger is about. */
  readonly measures: number;
  /** Something is asked of the customer's first interaction. */
  readonly followsStart: boolean;
  /** What becomes known so much later than it was due is not told. */
  readonly lateMs: number;
  /** By SILENT_TRIGGERS; null: not followed. */
  readonly silent: readonly (SilentRule | null)[];
  /** So long after each order; null: not followed. */
  readonly afterOrderMs: number | null;
  readonly milestones: readonly MilestoneRule[];
}

const IN_CART = bitsOf('cart_adds', 'checkouts');
export const ORDERED = bitsOf('orders');
/** Beside the measures: the first interaction is another one. */
export const STARTED = 1 << 30;

/** Null for a brand without any. */
export function triggerPlanOf(settings: TriggerSettings | null): TriggerPlan | null {
  if (settings === null) return null;
  const rules = [
    cartRule(settings.cart_abandoned),
    browseRule(settings.browse_abandoned),
    onboardingRule(settings.onboarding_stalled),
    replenishmentRule(settings.replenishment_due),
    winBackRule(settings.win_back),
  ];
  const silent = SILENT_TRIGGERS.map((trigger) => rules.find((rule) => rule?.trigger === trigger) ?? null);
  const milestones = Object.entries(settings.milestone ?? {}).map(([measure, values = []]): MilestoneRule => {
    return { measure: placeOf(measure as Measure), values };
  });
  return {
    measures: [
      ...silent.map((rule) => rule?.measures ?? 0),
      ...milestones.map(({ measure }) => 1 << measure),
      settings.post_purchase === null ? 0 : ORDERED,
    ].reduce((all, each) => all | each, 0),
    followsStart: settings.onboarding_stalled !== null,
    lateMs: settings.lateHours * HOUR_MS,
    silent,
    afterOrderMs: settings.post_purchase === null ? null : settings.post_purchase.afterDays * DAY_MS,
    milestones,
  };
}

/** Something was put into the cart, or a checkout begun, and no order came since. */
function cartRule(settings: TriggerSettings['cart_abandoned']): SilentRule | null {
  if (settings === null) return null;
  const afterMs = settings.afterMinutes * MINUTE_MS;
  return {
    trigger: 'cart_abandoned',
    measures: IN_CART | ORDERED,
    causeAt: (facts) => facts.cartAt,
    dueAt: (causeAt) => causeAt + afterMs,
    isMoot: (causeAt, facts) => facts.placedAt >= causeAt,
  };
}

/** So many products were looked at within a day, and nothing was put into the cart or ordered in it or since. */
function browseRule(settings: TriggerSettings['browse_abandoned']): SilentRule | null {
  if (settings === null) return null;
  const { views } = settings;
  const afterMs = settings.afterMinutes * MINUTE_MS;
  return {
    trigger: 'browse_abandoned',
    measures: bitsOf('product_views') | IN_CART | ORDERED,
    causeAt(facts) {
      const at = facts.viewedAt;
      if (at < 0 || facts.viewsOfDay < views) return -1;
      const from = at - DAY_MS;
      return facts.cartAt >= from || facts.placedAt >= from ? -1 : at;
    },
    dueAt: (causeAt) => causeAt + afterMs,
    isMoot: (causeAt, facts) => facts.cartAt >= causeAt || facts.placedAt >= causeAt,
  };
}

/** The customer began, and did not come to the goal. */
function onboardingRule(settings: TriggerSettings['onboarding_stalled']): SilentRule | null {
  if (settings === null) return null;
  const afterMs = settings.afterDays * DAY_MS;
  const goal = placeOf(settings.goal as Measure);
  const isOrder = settings.goal === 'orders';
  return {
    trigger: 'onboarding_stalled',
    measures: (1 << goal) | STARTED,
    causeAt: (facts) => facts.startedAt,
    dueAt: (causeAt) => causeAt + afterMs,
    isMoot: (_, facts) => (isOrder ? facts.placedAt >= 0 : facts.hasEver(goal)),
  };
}

/**
 * The customer's own mean gap between days with an order: t_x / x, of the recency and the repeat order days that the churn model
 * is made of (Fader, Hardie and Lee 2005, "Counting Your Customers" the Easy Way). Of at least two days.
 */
export function meanGapMs({ days, firstAt, lastAt }: OrderFacts): number {
  return (lastAt - firstAt) / (days - 1);
}

/** The gap that the customer usually leaves is over, and no order came. */
function replenishmentRule(settings: TriggerSettings['replenishment_due']): SilentRule | null {
  if (settings === null) return null;
  const { orderDays, factor } = settings;
  const leastMs = settings.minDays * DAY_MS;
  return {
    trigger: 'replenishment_due',
    measures: ORDERED,
    causeAt: ({ orders: { days, lastAt } }) => (days < orderDays ? -1 : lastAt),
    dueAt: (causeAt, { orders }) => causeAt + Math.max(leastMs, Math.ceil(factor * meanGapMs(orders))),
    isMoot: (causeAt, { orders }) => orders.lastAt !== causeAt,
  };
}

/** The last order is long ago. */
function winBackRule(settings: TriggerSettings['win_back']): SilentRule | null {
  if (settings === null) return null;
  const afterMs = settings.afterDays * DAY_MS;
  return {
    trigger: 'win_back',
    measures: ORDERED,
    causeAt: ({ orders }) => orders.lastAt,
    dueAt: (causeAt) => causeAt + afterMs,
    isMoot: (causeAt, { orders }) => orders.lastAt !== causeAt,
  };
}
