import { placeOfSum } from '../core/brand-amounts.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { closedEngaged, closedSessions, closedSince, type ClosedSessions } from './closed-sessions.ts';
import { placeOf } from './measures.ts';
import { addPageEvent, mergePages, reportedMs } from './page-time.ts';
import type { MergeablePart, OpenParts } from './parts.ts';
import type { OpenState } from './open-state.ts';
import type { Postings } from './postings.ts';
import type { FoldedInteraction } from './read-fields.ts';
import { addSession, dropOutOfReach, extend, isInReach, SESSION_GAP_MS, sessionOf, type Session } from './sessions.ts';
import { NO_VISITS, type VisitCounts } from './visit-counts.ts';
import { readLastStart, Visits } from './visits-packing.ts';

const SESSIONS = placeOf('sessions');
const VISIBLE_MS = placeOfSum('pageVisibleMs');
const MEASURED = placeOfSum('measuredViews');
const LONG = placeOfSum('longViews');
const UNMEASURED = placeOfSum('unmeasuredViews');
const ON_SITE: ReadonlySet<string> = new Set([
  'PAGE_VIEW',
  'PAGE_ENGAGEMENT',
  'PRODUCT_VIEW',
  'SEARCH',
  'CART_ADD',
  'CART_REMOVE',
  'CHECKOUT_STARTED',
]);
const KEY_EVENTS: ReadonlySet<string> = new Set(['CART_ADD', 'CHECKOUT_STARTED', 'ORDER_PLACED']);

/** Whether the interaction is a part of a session: a person did it on the site or in the app. */
export function isOnSite({ type, channel, machineGenerated }: FoldedInteraction): boolean {
  if (machineGenerated) return false;
  return ON_SITE.has(type) || (type === 'ORDER_PLACED' && (channel === 'WEB' || channel === 'APP'));
}

/** Takes in an interaction that is on site; sessions that begin, or began elsewhere, go into `postings`, page views into `ofBrand`. */
export function foldVisit(
  parts: OpenParts,
  interaction: FoldedInteraction,
  at: Instant,
  now: Instant,
  { postings, ofBrand }: { readonly postings: Postings; readonly ofBrand: Postings },
): ClosedSessions | null {
  const { type, pageViewId } = interaction;
  const visits = parts.get(VISITS);
  const sessionsBefore = closedSessions(visits);
  const engagedBefore = closedEngaged(visits);
  const isView = type === 'PAGE_VIEW';
  const visibleMs = type === 'PAGE_ENGAGEMENT' ? reportedMs(interaction.engagedMs) : 0;
  if (isView || (visibleMs > 0 && pageViewId !== null)) {
    const id = pageViewId === null ? null : fingerprint(pageViewId) % 2 ** 32;
    addPage(visits, { id, at, isView, visibleMs }, now, ofBrand);
  }
  let begun = 0;
  if (isInReach(at, now)) {
    const event = { at, pageViews: isView ? 1 : 0, isKey: KEY_EVENTS.has(type), visibleMs } as const;
    const newest = visits.sessions.at(-1);
    const engaged = newest === undefined ? null : extend(newest, event);
    if (engaged === null) begun = take(visits, sessionOf(event), postings);
    else visits.engagedSessions += engaged;
    visits.isOpen = (visits.sessions.at(-1)?.endAt ?? -Infinity) + SESSION_GAP_MS > now;
  }
  dropOutOfReach(visits.sessions, now);
  parts.put(VISITS, visits);
  return closedSince(visits, sessionsBefore - begun, engagedBefore);
}

/** Takes in a page view or a report of one; what that changes in sums goes into `ofBrand`. */
function addPage(visits: Visits, event: Parameters<typeof addPageEvent>[2], now: Instant, ofBrand: Postings): void {
  const { visibleMs, measuredViews, longViews, unmeasuredViews } = visits;
  const countedAt = addPageEvent(visits.views, visits, event, now);
  const post = (place: number, by: number): void => {
    if (by !== 0) ofBrand.add(place, countedAt, by);
  };
  post(VISIBLE_MS, visits.visibleMs - visibleMs);
  post(MEASURED, visits.measuredViews - measuredViews);
  post(LONG, visits.longViews - longViews);
  post(UNMEASURED, visits.unmeasuredViews - unmeasuredViews);
}

/** Closes the session that silence ended at `now`. */
export function closeVisit(parts: OpenParts): ClosedSessions | null {
  const visits = parts.get(VISITS);
  if (!visits.isOpen) return null;
  const sessionsBefore = closedSessions(visits);
  const engagedBefore = closedEngaged(visits);
  visits.isOpen = false;
  parts.put(VISITS, visits);
  return closedSince(visits, sessionsBefore, engagedBefore);
}

/** When the newest session began; −1: there was none. */
export function lastStartOf(parts: OpenParts): Instant {
  const reader = parts.packed(VISITS);
  return reader === null ? parts.get(VISITS).lastStartAt : readLastStart(reader);
}

/** What the customer's document has counted for the brand. */
export function visitCountsOf(open: Pick<OpenState, 'parts' | 'tally'>): VisitCounts {
  if (!open.parts.has(VISITS)) return NO_VISITS;
  const visits = open.parts.get(VISITS);
  const begun = open.tally(SESSIONS);
  const sessions = (begun.present ? begun.lifetime : 0) + closedSessions(visits);
  const { visibleMs, measuredViews, longViews, unmeasuredViews } = visits;
  return [sessions, closedEngaged(visits), visibleMs, measuredViews, longViews, unmeasuredViews];
}

/** Takes a session in; answers how many sessions there are more than before. A start that stays where it was is not posted. */
function take(visits: Visits, session: Session, postings: Postings): number {
  let begun = 0;
  let kept: Instant = -1;
  visits.engagedSessions += addSession(visits.sessions, session, (startAt, by) => {
    begun += by;
    if (by === -1 && kept === -1) kept = startAt;
    else if (by === -1 || startAt !== kept) postings.add(SESSIONS, startAt, by);
    else kept = -1;
  });
  // The earliest of the sessions joined began later than the new one does.
  if (kept !== -1) postings.add(SESSIONS, kept, -1);
  const newest = visits.sessions.at(-1);
  if (newest !== undefined) visits.lastStartAt = newest.startAt;
  return begun;
}

export const VISITS: MergeablePart<Visits> = {
  id: 1,

  initial: () => new Visits(),

  nextDue: ({ isOpen, sessions }) => (isOpen ? (sessions.at(-1)?.endAt ?? NEVER) + SESSION_GAP_MS : NEVER),

  write: (visits, writer) => visits.write(writer),

  read: (reader) => Visits.read(reader),

  /** Sessions of both that touch become one: what that takes from the measure `sessions` goes into `postings`. */
  merge(into, from, postings) {
    into.isOpen ||= from.isOpen;
    into.engagedSessions += from.engagedSessions - from.sessions.filter(({ isEngaged }) => isEngaged).length;
    const lastStartAt = Math.max(into.lastStartAt, from.lastStartAt);
    for (const session of from.sessions) {
      // It is counted already, among those of the customer it comes from.
      postings.add(SESSIONS, session.startAt, -1);
      take(into, session, postings);
    }
    into.lastStartAt = into.sessions.at(-1)?.startAt ?? lastStartAt;
    mergePages(into, from);
  },
};
