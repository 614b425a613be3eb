import { DAY_MS, utcDay } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { firstSlot, leavesAt } from '../core/window.ts';
import { BRAND_STANDINGS, type BrandStanding } from '../core/brand-amounts.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { OrderBook } from './order-book.ts';
import { STAGES, type Stage } from './stages.ts';
import { spansOf, SUBSCRIPTIONS_PART, type Span } from './subscriptions.ts';
import type { Tally } from './tally.ts';

/** What a customer counts as among the brand's, as bits at the places of BRAND_STANDINGS, and when silence may change that. */
export interface Standing {
  readonly bits: number;
  readonly due: Instant;
}

const YEAR_DAYS = 365;
const NO_SPANS: readonly Span[] = [];
const YEAR = { ring: 2, hops: YEAR_DAYS } as const;
const INTERACTIONS = placeOf('interactions');
const REFERRALS = placeOf('referrals');
const ORDERS = placeOf('orders');

const ACTIVE = bitOf('active');
const PURCHASER = bitOf('purchasers');
const REPEAT = bitOf('repeatPurchasers');
const CUSTOMER = bitOf('customers');
const AT_START = bitOf('customersAtStart');
const LOST_OF_START = bitOf('lostOfStart');
const LOST = bitOf('lost');
const REFERRER = bitOf('referrers');

const days = new Unrolled();

/**
 * A function of the customer and the instant alone. A customer is one as long as there is a subscription, or a purchase that is
 * less than `lostAfterDays` old and that no subscription ended after. The window begins with the day 365 days ago, as sums over
 * 365 days do.
 */
export function standingOf(open: OpenState, lostAfterDays: number, now: Instant): Standing {
  let bits = 0;
  let due = NEVER;
  const until = (instant: Instant): void => {
    if (instant < due) due = instant;
  };
  const isActiveUntil = lastLeaves(open.tally(INTERACTIONS));
  if (isActiveUntil > now) {
    bits |= ACTIVE;
    until(isActiveUntil);
  }
  const refersUntil = lastLeaves(open.tally(REFERRALS));
  if (refersUntil > now) {
    bits |= REFERRER;
    until(refersUntil);
  }
  const { lastAt } = open.facts;
  const spans = open.parts.has(SUBSCRIPTIONS_PART) ? spansOf(open.parts.get(SUBSCRIPTIONS_PART)) : NO_SPANS;
  if (lastAt < 0 && spans.length === 0) return { bits, due };

  const orders = open.tally(ORDERS);
  if (orders.present) {
    unroll(orders.rings[2], firstSlot(YEAR, now), days);
    let count = 0;
    for (let index = 0; index < days.length && count < 2; index++) {
      const before = count;
      count += days.value(index);
      if (before < 1 && count >= 1) {
        bits |= PURCHASER;
        until(leavesAt(YEAR, days.slot(index)));
      }
      if (before < 2 && count >= 2) {
        bits |= REPEAT;
        until(leavesAt(YEAR, days.slot(index)));
      }
    }
  }

  const lostAfterMs = lostAfterDays * DAY_MS;
  const startDay = utcDay(now) - YEAR_DAYS;
  const start = startDay * DAY_MS;
  const isCustomerUntil = customerUntil(lastAt, lostAfterMs, spans, now);
  const isCustomer = isCustomerUntil > now;
  if (isCustomer) {
    bits |= CUSTOMER;
    until(isCustomerUntil);
  } else if (isCustomerUntil > start) {
    bits |= LOST;
    until(startReaches(isCustomerUntil));
  }
  const { before, after } = ordersAround(open.book, start);
  const wasCustomerUntil = customerUntil(before, lostAfterMs, spans, start);
  if (wasCustomerUntil > start) {
    bits |= AT_START;
    if (!isCustomer) bits |= LOST_OF_START;
    until(startReaches(wasCustomerUntil));
  }
  // From then on the next order, or the next subscription, is before the start.
  if (after < NEVER) until(startReaches(after + 1));
  for (const { from } of spans) if (from > start) until(startReaches(from));
  return { bits, due };
}

/**
 * Until when somebody is a customer at `at`, as far as is known then, whose last order before was at `orderAt` (−1: none); or, of
 * one who is lost, since when; −1: never was one. Whoever ends a subscription says so, and need not fall silent first.
 */
function customerUntil(orderAt: Instant, lostAfterMs: number, spans: readonly Span[], at: Instant): Instant {
  let subscribedUntil = -1;
  let endedAt = -1;
  for (const { from, to } of spans) {
    if (to <= at) endedAt = Math.max(endedAt, to);
    else if (from <= at) subscribedUntil = Math.max(subscribedUntil, to);
  }
  if (subscribedUntil >= 0) return subscribedUntil;
  return orderAt < 0 || orderAt < endedAt ? endedAt : orderAt + lostAfterMs;
}

/** When the window no longer holds anything of a measure that only grows; −Infinity when it never did. */
function lastLeaves(tally: Tally): Instant {
  return tally.present ? leavesAt(YEAR, utcDay(tally.lastAt)) : Number.NEGATIVE_INFINITY;
}

/** The first midnight at which the beginning of the window is at or behind `at`. */
function startReaches(at: Instant): Instant {
  return (Math.ceil(at / DAY_MS) + YEAR_DAYS) * DAY_MS;
}

/** The last order before `at` (−1: none) and the first one from then on (NEVER: none); settled ones by their day. */
function ordersAround({ orders, settled }: OrderBook, at: Instant): { before: Instant; after: Instant } {
  let before = -1;
  let after = NEVER;
  for (const order of orders) {
    if (order.cancelled) continue;
    if (order.at < at) before = Math.max(before, order.at);
    else after = Math.min(after, order.at);
  }
  for (const day of settled.days) {
    const begins = day * DAY_MS;
    if (begins < at) before = Math.max(before, begins);
    else after = Math.min(after, begins);
  }
  return { before, after };
}

function bitOf(name: BrandStanding): number {
  return 1 << BRAND_STANDINGS.indexOf(name);
}

/** Subscriptions are counted, up to 15: the uppermost four of 28 bits hold how many. */
const SUBSCRIPTIONS = BRAND_STANDINGS.indexOf('subscriptions');
const SUBSCRIPTIONS_SHIFT = 24;
const SUBSCRIPTIONS_MASK = 15 << SUBSCRIPTIONS_SHIFT;
const STAGE_BITS = STAGES.reduce((bits, stage) => bits | bitOf(stage), 0);

/** A standing with what other rules know: where on the journey the customer is, and how many subscriptions are active. */
export function withRest(bits: number, stage: Stage | null, subscriptions: number): number {
  const others = bits & ~(STAGE_BITS | SUBSCRIPTIONS_MASK);
  return others | (stage === null ? 0 : bitOf(stage)) | (subscriptions << SUBSCRIPTIONS_SHIFT);
}

/** How many a customer counts for at a place of BRAND_STANDINGS. */
export function countAt(bits: number, place: number): number {
  return place === SUBSCRIPTIONS ? (bits & SUBSCRIPTIONS_MASK) >> SUBSCRIPTIONS_SHIFT : (bits >> place) & 1;
}
