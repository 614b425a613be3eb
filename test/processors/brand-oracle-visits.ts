import type { Interaction } from '../../schemas/types.ts';

const DAY = 86_400_000;
const GAP = 30 * 60_000;
const KEY_EVENTS = /^(CART_ADD|CHECKOUT_STARTED|ORDER_PLACED)$/;
const ON_SITE = /^(PAGE_VIEW|PAGE_ENGAGEMENT|PRODUCT_VIEW|SEARCH|CART_ADD|CART_REMOVE|CHECKOUT_STARTED)$/;
const REPORT_MAX = GAP;
const LONG_VIEW = 45_000;
const ENGAGED = 10_000;

/** What happened to a customer, when, and when the pipeline heard of it. */
export interface Event {
  readonly at: number;
  readonly timestamp: number;
  readonly value: Interaction;
}

export type Add = (name: string, by: number) => void;

/** Sessions that closed up to `until`, and time on pages, of one customer, by nothing but their definitions. */
export function countVisits(events: readonly Event[], start: number, until: number, add: Add): void {
  const onSite: { readonly event: Event; readonly isInReach: boolean }[] = [];
  let clock = 0;
  for (const event of events) {
    clock = Math.max(clock, event.timestamp);
    const { type, channel, machineGenerated } = event.value;
    const isOnSite = ON_SITE.test(type) || (type === 'ORDER_PLACED' && (channel === 'WEB' || channel === 'APP'));
    if (isOnSite && !machineGenerated) onSite.push({ event, isInReach: event.at > clock - DAY });
  }
  const inReach = onSite.filter((each) => each.isInReach).map(({ event }) => event);
  countSessions(inReach, start, until, add);
  const unmeasured = onSite.filter(({ event, isInReach }) => {
    const { type, pageViewId } = event.value;
    return type === 'PAGE_VIEW' && event.at >= start && (pageViewId === null || !isInReach);
  });
  add('unmeasured', unmeasured.length);
  countPages(inReach, start, add);
}

function countSessions(events: readonly Event[], start: number, until: number, add: Add): void {
  const sorted = events.toSorted((one, other) => one.at - other.at);
  let session: Event[] = [];
  const close = (): void => {
    const [first, last] = [session[0], session.at(-1)];
    if (first === undefined || last === undefined) return;
    const closedAt = last.at + GAP;
    if (closedAt < start || closedAt > until) return;
    add('sessions', 1);
    const views = session.filter(({ value }) => value.type === 'PAGE_VIEW').length;
    const visible = session.reduce((sum, event) => sum + visibleOf(event), 0);
    const hasKeyEvent = session.some(({ value }) => KEY_EVENTS.test(value.type));
    if (hasKeyEvent || views >= 2 || Math.max(visible, last.at - first.at) > ENGAGED) add('engaged', 1);
  };
  for (const event of sorted) {
    if (event.at - (session.at(-1)?.at ?? event.at) >= GAP) {
      close();
      session = [];
    }
    session.push(event);
  }
  close();
}

function countPages(events: readonly Event[], start: number, add: Add): void {
  const pages = new Map<string, { readonly at: number; visible: number; isViewed: boolean }>();
  for (const event of events) {
    const { type, pageViewId } = event.value;
    if (pageViewId === null || (type !== 'PAGE_VIEW' && visibleOf(event) === 0)) continue;
    const page = pages.get(pageViewId) ?? { at: event.at, visible: 0, isViewed: false };
    pages.set(pageViewId, page);
    page.visible += visibleOf(event);
    page.isViewed ||= type === 'PAGE_VIEW';
  }
  for (const { at, visible, isViewed } of pages.values()) {
    if (at < start) continue;
    add('visible', visible);
    if (visible > 0) add('measured', 1);
    else if (isViewed) add('unmeasured', 1);
    if (visible > LONG_VIEW) add('long', 1);
  }
}

function visibleOf({ value: { type, engagedMs } }: Event): number {
  return type === 'PAGE_ENGAGEMENT' ? Math.max(0, Math.min(REPORT_MAX, engagedMs ?? 0)) : 0;
}

/** A subscription at a time: from a payment to the next one, its cancellation, or two periods later. */
interface Paid {
  readonly from: number;
  readonly to: number;
}

/** What a customer's subscriptions add; answers when there was one. */
export function countSubscriptions(events: readonly Event[], start: number, until: number, add: Add): Paid[] {
  const all = Object.groupBy(
    events.filter(({ value }) => value.type.startsWith('SUBSCRIPTION_')),
    ({ value }) => value.attributes['subscriptionId'] ?? '',
  );
  return Object.values(all).flatMap((own = []) => {
    const payments = own.filter(({ value }) => value.type !== 'SUBSCRIPTION_CANCELLED').toSorted((a, b) => a.at - b.at);
    const cancelled = own.filter(({ value }) => value.type === 'SUBSCRIPTION_CANCELLED').map(({ at }) => at);
    return payments.map(({ at, value }, index): Paid => {
      if (value.type === 'SUBSCRIPTION_RENEWED' && at >= start) add('renewals', 1);
      const next = payments[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      const end = Math.min(next, ...cancelled.filter((each) => each >= at));
      const period = Number(value.attributes['periodDays'] ?? 30) * DAY;
      // Paid again early, or not in time; not when it was cancelled before.
      const due = Math.min(at + period, next);
      if (due >= start && due <= until && due <= end) add('due', 1);
      const to = Math.min(end, at + 2 * period);
      if (at <= until && until < to) add('subscriptions', 1);
      return { from: at, to };
    });
  });
}
