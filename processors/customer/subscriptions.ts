import { placeOfSum } from '../core/brand-amounts.ts';
import { DAY_MS } from '../core/event-time.ts';
import { fingerprint, readFingerprint, writeFingerprint, type Fingerprint } from '../core/fingerprint.ts';
import type { ByteReader } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { OpenState } from './open-state.ts';
import type { MergeablePart } from './parts.ts';
import type { FoldedInteraction } from './read-fields.ts';

/** How many subscriptions of a customer are remembered, the newest by payment. */
export const REMEMBERED_SUBSCRIPTIONS = 8;
/** How many times are remembered during which there was one that is over and forgotten, the newest. */
const SPANS_MAX = 8;
/** Of a subscription none of whose payments tells it. */
const PERIOD_DAYS = 30;
const PERIOD_DAYS_MAX = 3660;

interface Subscription {
  readonly id: Fingerprint;
  /** The newest start or renewal; −1: only its end is known. */
  paidAt: Instant;
  /** From here on it was paid for without a gap; −1: only its end is known. */
  since: Instant;
  /** 0: no payment told it yet. */
  periodDays: number;
  /** The newest cancellation; −1: none. */
  cancelledAt: Instant;
  /** It was not renewed in time, which is counted already. */
  isOverdue: boolean;
}

/** A time during which a customer had a subscription; `to` is the first instant without it. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

export interface Subscriptions {
  all: Subscription[];
  /** Of those that are over and forgotten, by their end. */
  past: Span[];
}

const RENEWALS = placeOfSum('renewals');
const DUE = placeOfSum('renewalsDue');
/** Added to the number of subscriptions, which is 8 at most, where spans are packed. */
const WITH_SPANS = 16;

/**
 * Subscriptions of a customer. A renewal is due a period after the payment before it; it is counted as due when it comes, or
 * at that instant by silence. A subscription ends when it is cancelled, or a whole period after a renewal that did not come.
 */
export const SUBSCRIPTIONS_PART: MergeablePart<Subscriptions> = {
  id: 42,
  initial: () => ({ all: [], past: [] }),

  read(reader) {
    const head = reader.uint();
    const hasSpans = head >= WITH_SPANS;
    const subscriptions: Subscriptions = { all: [], past: [] };
    for (let left = hasSpans ? head - WITH_SPANS : head; left > 0; left--) {
      const id = readFingerprint(reader);
      const [paidAt, cancelledAt] = [reader.uint() - 1, reader.uint() - 1];
      const period = reader.uint();
      // Of one that was packed before spans were, the last payment is all that is known.
      const since = hasSpans ? paidAt - reader.uint() : paidAt;
      subscriptions.all.push({
        id,
        paidAt,
        since,
        cancelledAt,
        periodDays: period >> 1,
        isOverdue: (period & 1) === 1,
      });
    }
    if (hasSpans) subscriptions.past = readSpans(reader);
    return subscriptions;
  },

  write({ all, past }, writer) {
    if (all.length === 0 && past.length === 0) return;
    writer.uint(all.length + WITH_SPANS);
    for (const { id, paidAt, since, cancelledAt, periodDays, isOverdue } of all) {
      writeFingerprint(id, writer);
      writer.uint(paidAt + 1);
      writer.uint(cancelledAt + 1);
      writer.uint((periodDays << 1) | (isOverdue ? 1 : 0));
      writer.uint(paidAt - since);
    }
    writer.uint(past.length);
    for (const { from, to } of past) {
      writer.uint(from);
      writer.uint(to - from);
    }
  },

  nextDue: ({ all }) => all.reduce((due, each) => Math.min(due, nextDue(each)), NEVER),

  /** Of one that both have, the newer payment counts; it may be that only an older one told the period. */
  merge(into, from) {
    for (const each of from.all) {
      const place = into.all.findIndex(({ id }) => id === each.id);
      const own = into.all[place];
      if (own === undefined) {
        into.all.push(each);
        makeRoom(into);
        continue;
      }
      const cancelledAt = Math.max(own.cancelledAt, each.cancelledAt);
      const [newer, older] = own.paidAt >= each.paidAt ? [own, each] : [each, own];
      const goesOn = older.paidAt >= 0 && endOf(older) >= newer.since;
      if (!goesOn) forget(into, older);
      const since = goesOn ? Math.min(older.since, newer.since) : newer.since;
      into.all[place] = { ...newer, periodDays: newer.periodDays || older.periodDays, cancelledAt, since };
    }
    for (const span of from.past) remember(into, span);
  },
};

/** `attributes.subscriptionId` tells several apart; `attributes.periodDays` is a whole number of days. */
export function foldSubscription({ type, attributes }: FoldedInteraction, at: Instant, open: OpenState): void {
  const subscriptions = open.parts.get(SUBSCRIPTIONS_PART);
  const id = fingerprint(attributes['subscriptionId'] ?? '');
  let subscription = subscriptions.all.find((each) => each.id === id);
  if (subscription === undefined) {
    subscription = { id, paidAt: -1, since: -1, periodDays: 0, cancelledAt: -1, isOverdue: false };
    subscriptions.all.push(subscription);
  }
  if (type === 'SUBSCRIPTION_CANCELLED') {
    subscription.cancelledAt = Math.max(subscription.cancelledAt, at);
  } else {
    if (type === 'SUBSCRIPTION_RENEWED') {
      open.extras.add(RENEWALS, at, 1);
      // One that is overdue was counted as due when it was.
      if (!subscription.isOverdue) open.extras.add(DUE, at, 1);
    }
    pay(subscriptions, subscription, at, periodOf(attributes['periodDays']));
  }
  makeRoom(subscriptions);
  open.parts.put(SUBSCRIPTIONS_PART, subscriptions);
}

/** Lets time pass up to `now`. Answers how many are active. */
export function settleSubscriptions(open: OpenState, now: Instant): number {
  const subscriptions = open.parts.get(SUBSCRIPTIONS_PART);
  for (const each of subscriptions.all) {
    if (!isPaid(each) || each.isOverdue || dueAt(each) > now) continue;
    each.isOverdue = true;
    open.extras.add(DUE, dueAt(each), 1);
    open.parts.put(SUBSCRIPTIONS_PART, subscriptions);
  }
  // Its deadline moves on, and what ended has none.
  if (open.parts.isDue(SUBSCRIPTIONS_PART, now)) {
    const kept = subscriptions.all.filter((each) => nextDue(each) > now);
    for (const each of subscriptions.all) if (nextDue(each) <= now) forget(subscriptions, each);
    subscriptions.all = kept;
    open.parts.put(SUBSCRIPTIONS_PART, subscriptions);
  }
  return subscriptions.all.filter((each) => isPaid(each) && now < endOf(each)).length;
}

/** Every time during which the customer had a subscription, as far as it is remembered. */
export function spansOf({ all, past }: Subscriptions): Span[] {
  const own = all.filter(({ since }) => since >= 0).map((each) => ({ from: each.since, to: endOf(each) }));
  return [...past, ...own].filter(({ from, to }) => to > from);
}

/** A payment that comes late may be from before the others, and join them or not. */
function pay(subscriptions: Subscriptions, own: Subscription, at: Instant, periodDays: number | null): void {
  if (at > own.paidAt) {
    if (own.paidAt < 0 || at > endOf(own)) {
      forget(subscriptions, own);
      own.since = at;
    }
    own.paidAt = at;
    own.periodDays = periodDays ?? own.periodDays;
    own.isOverdue = false;
    return;
  }
  if (own.periodDays === 0) own.periodDays = periodDays ?? 0;
  if (at >= own.since) return;
  const to = at + 2 * (periodDays ?? (own.periodDays || PERIOD_DAYS)) * DAY_MS;
  if (to >= own.since) own.since = at;
  else remember(subscriptions, { from: at, to });
}

function isPaid({ paidAt, cancelledAt }: Subscription): boolean {
  return paidAt >= 0 && cancelledAt < paidAt;
}

function dueAt({ paidAt, periodDays }: Subscription): Instant {
  return paidAt + (periodDays || PERIOD_DAYS) * DAY_MS;
}

/** The first instant without it: that of its cancellation, or when it was not renewed for a whole period. */
function endOf({ paidAt, periodDays, cancelledAt }: Subscription): Instant {
  const unpaidAt = paidAt + 2 * (periodDays || PERIOD_DAYS) * DAY_MS;
  return cancelledAt >= paidAt ? Math.min(cancelledAt, unpaidAt) : unpaidAt;
}

function nextDue(subscription: Subscription): Instant {
  if (!isPaid(subscription)) return NEVER;
  return subscription.isOverdue ? endOf(subscription) : dueAt(subscription);
}

function forget(subscriptions: Subscriptions, subscription: Subscription): void {
  if (subscription.since >= 0) remember(subscriptions, { from: subscription.since, to: endOf(subscription) });
}

function remember({ past }: Subscriptions, span: Span): void {
  past.push(span);
  past.sort((one, other) => one.to - other.to || one.from - other.from);
  if (past.length > SPANS_MAX) past.shift();
}

/** The one longest not heard of goes. */
function makeRoom(subscriptions: Subscriptions): void {
  const { all } = subscriptions;
  if (all.length <= REMEMBERED_SUBSCRIPTIONS) return;
  let oldest = 0;
  for (const [index, { paidAt, cancelledAt }] of all.entries()) {
    const other = all[oldest];
    if (other !== undefined && Math.max(paidAt, cancelledAt) < Math.max(other.paidAt, other.cancelledAt))
      oldest = index;
  }
  for (const gone of all.splice(oldest, 1)) forget(subscriptions, gone);
}

function readSpans(reader: ByteReader): Span[] {
  return Array.from({ length: reader.uint() }, () => {
    const from = reader.uint();
    return { from, to: from + reader.uint() };
  });
}

function periodOf(text: string | undefined): number | null {
  if (text === undefined || !/^[1-9]\d{0,3}$/.test(text)) return null;
  return Math.min(PERIOD_DAYS_MAX, Number(text));
}
