import { placeOfSum } from '../core/brand-amounts.ts';
import { DAY_MS } from '../core/event-time.ts';
import { fingerprint, readFingerprint, writeFingerprint, type Fingerprint } from '../core/fingerprint.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { OpenState } from './open-state.ts';
import type { MergeablePart } from './parts.ts';
import type { FoldedInteraction } from './read-fields.ts';

/** How many subscriptions of a customer are remembered, the newest by payment. */
export const REMEMBERED_SUBSCRIPTIONS = 8;
/** Of a subscription none of whose payments tells it. */
const PERIOD_DAYS = 30;
const PERIOD_DAYS_MAX = 3660;

interface Subscription {
  readonly id: Fingerprint;
  /** The newest start or renewal; −1: only its end is known. */
  paidAt: Instant;
  /** 0: no payment told it yet. */
  periodDays: number;
  /** The newest cancellation; −1: none. */
  cancelledAt: Instant;
  /** It was not renewed in time, which is counted already. */
  isOverdue: boolean;
}

const RENEWALS = placeOfSum('renewals');
const DUE = placeOfSum('renewalsDue');

/**
 * Subscriptions of a customer. A renewal is due a period after the payment before it; it is counted as due when it comes, or
 * at that instant by silence. A subscription ends when it is cancelled, or a whole period after a renewal that did not come.
 */
export const SUBSCRIPTIONS_PART: MergeablePart<Subscription[]> = {
  id: 42,
  initial: () => [],

  read(reader) {
    const all: Subscription[] = [];
    for (let left = reader.uint(); left > 0; left--) {
      const id = readFingerprint(reader);
      const [paidAt, cancelledAt] = [reader.uint() - 1, reader.uint() - 1];
      const period = reader.uint();
      all.push({ id, paidAt, cancelledAt, periodDays: period >> 1, isOverdue: (period & 1) === 1 });
    }
    return all;
  },

  write(all, writer) {
    if (all.length === 0) return;
    writer.uint(all.length);
    for (const { id, paidAt, cancelledAt, periodDays, isOverdue } of all) {
      writeFingerprint(id, writer);
      writer.uint(paidAt + 1);
      writer.uint(cancelledAt + 1);
      writer.uint((periodDays << 1) | (isOverdue ? 1 : 0));
    }
  },

  nextDue: (all) => all.reduce((due, each) => Math.min(due, nextDue(each)), NEVER),

  /** Of one that both have, the newer payment counts; it may be that only an older one told the period. */
  merge(into, from) {
    for (const each of from) {
      const place = into.findIndex(({ id }) => id === each.id);
      const own = into[place];
      if (own === undefined) {
        into.push(each);
        if (into.length > REMEMBERED_SUBSCRIPTIONS) into.splice(oldestOf(into), 1);
        continue;
      }
      const [newer, older] = own.paidAt >= each.paidAt ? [own, each] : [each, own];
      const cancelledAt = Math.max(own.cancelledAt, each.cancelledAt);
      into[place] = { ...newer, periodDays: newer.periodDays || older.periodDays, cancelledAt };
    }
  },
};

/** `attributes.subscriptionId` tells several apart; `attributes.periodDays` is a whole number of days. */
export function foldSubscription({ type, attributes }: FoldedInteraction, at: Instant, open: OpenState): void {
  const all = open.parts.get(SUBSCRIPTIONS_PART);
  const id = fingerprint(attributes['subscriptionId'] ?? '');
  let subscription = all.find((each) => each.id === id);
  if (subscription === undefined) {
    subscription = { id, paidAt: -1, periodDays: 0, cancelledAt: -1, isOverdue: false };
    all.push(subscription);
    if (all.length > REMEMBERED_SUBSCRIPTIONS) all.splice(oldestOf(all), 1);
  }
  if (type === 'SUBSCRIPTION_CANCELLED') {
    subscription.cancelledAt = Math.max(subscription.cancelledAt, at);
  } else {
    if (type === 'SUBSCRIPTION_RENEWED') {
      open.extras.add(RENEWALS, at, 1);
      // One that is overdue was counted as due when it was.
      if (!subscription.isOverdue) open.extras.add(DUE, at, 1);
    }
    const told = periodOf(attributes['periodDays']);
    if (at > subscription.paidAt) {
      subscription.paidAt = at;
      subscription.periodDays = told ?? subscription.periodDays;
      subscription.isOverdue = false;
    } else if (subscription.periodDays === 0) {
      subscription.periodDays = told ?? 0;
    }
  }
  open.parts.put(SUBSCRIPTIONS_PART, all);
}

/** Lets time pass up to `now`. Answers how many are active. */
export function settleSubscriptions(open: OpenState, now: Instant): number {
  const all = open.parts.get(SUBSCRIPTIONS_PART);
  for (const each of all) {
    if (!isPaid(each) || each.isOverdue || dueAt(each) > now) continue;
    each.isOverdue = true;
    open.extras.add(DUE, dueAt(each), 1);
    open.parts.put(SUBSCRIPTIONS_PART, all);
  }
  // Its deadline moves on, and what ended has none.
  if (open.parts.isDue(SUBSCRIPTIONS_PART, now))
    open.parts.put(
      SUBSCRIPTIONS_PART,
      all.filter((each) => nextDue(each) > now),
    );
  return all.filter((each) => isPaid(each) && now < endsAt(each)).length;
}

function isPaid({ paidAt, cancelledAt }: Subscription): boolean {
  return paidAt >= 0 && cancelledAt < paidAt;
}

function dueAt({ paidAt, periodDays }: Subscription): Instant {
  return paidAt + (periodDays || PERIOD_DAYS) * DAY_MS;
}

function endsAt({ paidAt, periodDays }: Subscription): Instant {
  return paidAt + 2 * (periodDays || PERIOD_DAYS) * DAY_MS;
}

function nextDue(subscription: Subscription): Instant {
  if (!isPaid(subscription)) return NEVER;
  return subscription.isOverdue ? endsAt(subscription) : dueAt(subscription);
}

function oldestOf(all: readonly Subscription[]): number {
  let oldest = 0;
  for (const [index, { paidAt, cancelledAt }] of all.entries()) {
    const other = all[oldest];
    if (other !== undefined && Math.max(paidAt, cancelledAt) < Math.max(other.paidAt, other.cancelledAt))
      oldest = index;
  }
  return oldest;
}

function periodOf(text: string | undefined): number | null {
  if (text === undefined || !/^[1-9]\d{0,3}$/.test(text)) return null;
  return Math.min(PERIOD_DAYS_MAX, Number(text));
}
