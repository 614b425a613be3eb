import { DAY_MS } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';

/**
 * Time on page: the milliseconds for which a page was visible, reported piece by piece and summed for each page view (its
 * pageViewId). A page view without any report is unmeasured and belongs in no average; a view that was visible for more than
 * 45 seconds is a long one. Reports may come before their page view, and late: what is counted depends on the set of events
 * alone while a page view is remembered, which are the newest 16 of the last 24 hours. A report for one that is not
 * remembered counts in engaged_seconds only.
 */
export const PAGE_REACH_MS = DAY_MS;
export const REMEMBERED_PAGE_VIEWS = 16;
export const LONG_VIEW_MS = 45_000;
/** A single report of more than this was made by a page that nobody looked at. */
const REPORT_MAX_MS = 30 * 60_000;

export interface PageView {
  /** 32 bits of the pageViewId's fingerprint. */
  readonly id: number;
  /** Of its first event that came. */
  readonly at: Instant;
  isViewed: boolean;
  /** Up to one more than LONG_VIEW_MS. */
  visibleMs: number;
}

/** Since ever. */
export interface PageTotals {
  measuredViews: number;
  longViews: number;
  unmeasuredViews: number;
  /** Of the measured views. */
  visibleMs: number;
}

/** What a report says, within reason. */
export function reportedMs(engagedMs: number | null): number {
  return engagedMs === null ? 0 : Math.max(0, Math.min(REPORT_MAX_MS, engagedMs));
}

/** Answers under which time the page view is counted: that of its first event. */
export function addPageEvent(
  views: PageView[],
  totals: PageTotals,
  event: { readonly id: number | null; readonly at: Instant; readonly isView: boolean; readonly visibleMs: number },
  now: Instant,
): Instant {
  const { id, at, isView, visibleMs } = event;
  dropOldViews(views, now);
  if (id === null || at <= now - PAGE_REACH_MS) {
    if (isView) totals.unmeasuredViews += 1;
    return at;
  }
  let view = views.find((each) => each.id === id);
  if (view === undefined) {
    view = { id, at, isViewed: false, visibleMs: 0 };
    views.push(view);
    if (views.length > REMEMBERED_PAGE_VIEWS) views.shift();
  }
  count(view, totals, -1);
  view.isViewed ||= isView;
  view.visibleMs = Math.min(LONG_VIEW_MS + 1, view.visibleMs + visibleMs);
  totals.visibleMs += visibleMs;
  count(view, totals, 1);
  return view.at;
}

/** Takes in what another customer's pages come to, who is the same person. A page view of which both know is one. */
export function mergePages(
  into: PageTotals & { views: PageView[] },
  from: PageTotals & { readonly views: readonly PageView[] },
): void {
  for (const name of ['measuredViews', 'longViews', 'unmeasuredViews', 'visibleMs'] as const) {
    into[name] += from[name];
  }
  const views = new Map(into.views.map((view) => [view.id, view]));
  for (const view of from.views) {
    const own = views.get(view.id);
    if (own === undefined) {
      views.set(view.id, view);
      continue;
    }
    for (const each of [own, view]) count(each, into, -1);
    const joined = {
      id: own.id,
      at: Math.min(own.at, view.at),
      isViewed: own.isViewed || view.isViewed,
      visibleMs: Math.min(LONG_VIEW_MS + 1, own.visibleMs + view.visibleMs),
    };
    count(joined, into, 1);
    views.set(view.id, joined);
  }
  into.views = [...views.values()].sort((a, b) => a.at - b.at || a.id - b.id).slice(-REMEMBERED_PAGE_VIEWS);
}

function dropOldViews(views: PageView[], now: Instant): void {
  const limit = now - PAGE_REACH_MS;
  if (views.some(({ at }) => at <= limit)) views.splice(0, views.length, ...views.filter(({ at }) => at > limit));
}

function count({ isViewed, visibleMs }: PageView, totals: PageTotals, by: 1 | -1): void {
  if (visibleMs > 0) totals.measuredViews += by;
  else if (isViewed) totals.unmeasuredViews += by;
  if (visibleMs > LONG_VIEW_MS) totals.longViews += by;
}
