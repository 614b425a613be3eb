import { BRAND_STANDINGS, type BrandStanding } from '../core/brand-amounts.ts';
import { DAY_MS, HOUR_MS, utcDay, utcHour } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { RINGS } from '../core/window.ts';
import type { OpenState } from './open-state.ts';
import type { OrderBook } from './order-book.ts';
import { STAGES, type Stage } from './stages.ts';
import { spansOf, SUBSCRIPTIONS_PART, type Span } from './subscriptions.ts';

/**
 * When somebody was a customer of the brand: by turns the last hour in which that had not begun yet, and the last one in which it
 * had not ended. Of a beginning of an hour it is true when an odd number of them are before; an odd number in all: a customer now.
 */
export type Customership = readonly number[];

/** A function of the customer and the instant alone. */
export interface Standing {
  readonly hours: Customership;
  /** When silence ends it. */
  readonly due: Instant;
}

export const NO_CUSTOMER: Customership = [];
const NO_SPANS: readonly Span[] = [];
const YEAR_DAYS = RINGS[2].tiles - 1;

/** One of each begins with a purchase, or with a subscription. */
const begins: number[] = [];
const ends: Instant[] = [];
const times: Instant[] = [];

/**
 * A customer is one as long as there is a subscription, or a purchase that is less than `lostAfterDays` old and that no
 * subscription ended after: whoever ends one says so, and need not fall silent first. What ended before the year counts nothing.
 */
export function standingOf(open: OpenState, lostAfterDays: number, now: Instant): Standing {
  const spans = open.parts.has(SUBSCRIPTIONS_PART) ? spansOf(open.parts.get(SUBSCRIPTIONS_PART)) : NO_SPANS;
  begins.length = ends.length = 0;
  const oldest = (utcDay(now) - YEAR_DAYS) * DAY_MS;
  if (open.facts.lastAt >= 0) addPurchases(open.book, lostAfterDays * DAY_MS, spans, oldest);
  for (const { from, to } of spans) if (to > oldest && from <= now) addSpan(Math.ceil(from / HOUR_MS) - 1, to);
  if (begins.length === 0) return { hours: NO_CUSTOMER, due: NEVER };
  const hours: number[] = [];
  for (let index = 0; index < begins.length; index++) {
    const end = ends[index] ?? 0;
    hours.push(begins[index] ?? 0);
    if (end > now) return { hours, due: end };
    hours.push(hourBefore(end));
  }
  return { hours, due: NEVER };
}

/** How many there are of somebody at the instant: 1 for a customer. */
export function isCustomer(hours: Customership): boolean {
  return hours.length % 2 === 1;
}

/** Times after each purchase, as far as they reach into the year. */
function addPurchases(book: OrderBook, lostAfterMs: number, spans: readonly Span[], oldest: Instant): void {
  const since = oldest - lostAfterMs;
  times.length = 0;
  // Of orders that are remembered no more there are the days, and when the first and the last one were.
  const { days, firstAt, lastAt } = book.settled;
  const firstDay = utcDay(firstAt);
  for (const day of days) {
    const at = day === firstDay ? firstAt : day * DAY_MS;
    if (at > since) times.push(at);
  }
  if (lastAt > since) times.push(lastAt);
  for (const { at, cancelled } of book.orders) if (!cancelled && at > since) times.push(at);
  for (let index = 1; index < times.length; index++) {
    if ((times[index] ?? 0) >= (times[index - 1] ?? 0)) continue;
    times.sort((a, b) => a - b);
    break;
  }
  for (const at of times) {
    let end = at + lostAfterMs;
    for (const { to } of spans) if (to > at && to < end) end = to;
    if (end > oldest) addSpan(utcHour(at), end);
  }
}

/** In the order of their beginnings; what touches what is there already makes it longer. */
function addSpan(begin: number, end: Instant): void {
  let place = begins.length;
  while (place > 0 && (begins[place - 1] ?? 0) > begin) place -= 1;
  if (place > 0 && hourBefore(ends[place - 1] ?? 0) >= begin) {
    place -= 1;
    ends[place] = Math.max(ends[place] ?? 0, end);
  } else if (place === begins.length) {
    begins.push(begin);
    ends.push(end);
  } else {
    begins.splice(place, 0, begin);
    ends.splice(place, 0, end);
  }
  const last = ends[place] ?? 0;
  let next = place + 1;
  while (next < begins.length && hourBefore(last) >= (begins[next] ?? 0)) {
    ends[place] = Math.max(ends[place] ?? 0, ends[next] ?? 0);
    next += 1;
  }
  if (next === place + 1) return;
  begins.splice(place + 1, next - place - 1);
  ends.splice(place + 1, next - place - 1);
}

/** The last hour that began before an instant. */
function hourBefore(instant: Instant): number {
  return Math.ceil(instant / HOUR_MS) - 1;
}

function bitOf(name: BrandStanding): number {
  return 1 << BRAND_STANDINGS.indexOf(name);
}

/** Subscriptions are counted, up to 15: the uppermost four of 28 bits hold how many. */
export const SUBSCRIPTIONS = BRAND_STANDINGS.indexOf('subscriptions');
const SUBSCRIPTIONS_SHIFT = 24;
const SUBSCRIPTIONS_MASK = 15 << SUBSCRIPTIONS_SHIFT;
const CUSTOMER = bitOf('customers');
const STAGE_BITS = STAGES.map(bitOf);

/** What somebody is now, as bits at the places of BRAND_STANDINGS. */
export function bitsOf(hours: Customership, stage: Stage | null, subscriptions: number): number {
  const ofStage = stage === null ? 0 : (STAGE_BITS[STAGES.indexOf(stage)] ?? 0);
  return (isCustomer(hours) ? CUSTOMER : 0) | ofStage | (subscriptions << SUBSCRIPTIONS_SHIFT);
}

/** The stage's number from 1 on, 0 for none. */
export function stageOfBits(bits: number): number {
  return STAGE_BITS.findIndex((bit) => (bits & bit) !== 0) + 1;
}

/** How many a customer counts for at a place of BRAND_STANDINGS. */
export function countAt(bits: number, place: number): number {
  return place === SUBSCRIPTIONS ? (bits & SUBSCRIPTIONS_MASK) >> SUBSCRIPTIONS_SHIFT : (bits >> place) & 1;
}
