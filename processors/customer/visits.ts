import { placeOfSum } from '../core/brand-amounts.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { placeOf } from './measures.ts';
import {
  addPageEvent,
  dropOldViews,
  REMEMBERED_PAGE_VIEWS,
  reportedMs,
  type PageTotals,
  type PageView,
} from './page-time.ts';
import type { MergeablePart, OpenParts } from './parts.ts';
import type { Postings } from './postings.ts';
import type { FoldedInteraction } from './read-fields.ts';
import { addSession, dropOutOfReach, isInReach, SESSION_GAP_MS, sessionOf, type Session } from './sessions.ts';

/** What a customer's visits to the site and the app come to: sessions.ts and page-time.ts. */
export interface Visits {
  /** When the newest session began; −1: there was none. */
  lastStartAt: Instant;
  /** Those in reach, oldest first. */
  sessions: Session[];
  /** The newest session can still go on. */
  isOpen: boolean;
  /** Since ever, those still open included; how many sessions there were is the measure's sum. */
  engagedSessions: number;
  readonly pages: PageTotals;
  /** Those that can still be measured, by the time they were first heard of. */
  views: PageView[];
}

/** How many closed sessions, and engaged ones among them, an event or a deadline added. */
export interface ClosedSessions {
  readonly sessions: number;
  readonly engaged: number;
}

const SESSIONS = placeOf('sessions');
/** Sums of the brand that totals of pages are. */
const PAGE_SUMS = [
  [placeOfSum('pageVisibleMs'), 'visibleMs'],
  [placeOfSum('measuredViews'), 'measuredViews'],
  [placeOfSum('longViews'), 'longViews'],
  [placeOfSum('unmeasuredViews'), 'unmeasuredViews'],
] as const;
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
  const before = closed(visits);
  const isView = type === 'PAGE_VIEW';
  const visibleMs = type === 'PAGE_ENGAGEMENT' ? reportedMs(interaction.engagedMs) : 0;
  if (isView || (visibleMs > 0 && pageViewId !== null)) {
    const id = pageViewId === null ? null : fingerprint(pageViewId) % 2 ** 32;
    const pages = { ...visits.pages };
    const countedAt = addPageEvent(visits.views, visits.pages, { id, at, isView, visibleMs }, now);
    for (const [place, name] of PAGE_SUMS) {
      const by = visits.pages[name] - pages[name];
      if (by !== 0) ofBrand.add(place, countedAt, by);
    }
  } else if (visits.views.length > 0) {
    dropOldViews(visits.views, now);
  }
  let begun = 0;
  if (isInReach(at, now)) {
    const event = { at, pageViews: isView ? 1 : 0, isKey: KEY_EVENTS.has(type), visibleMs } as const;
    begun = take(visits, sessionOf(event), postings);
    visits.isOpen = (visits.sessions.at(-1)?.endAt ?? -Infinity) + SESSION_GAP_MS > now;
  }
  dropOutOfReach(visits.sessions, now);
  parts.put(VISITS, visits);
  return difference(before, closed(visits), begun);
}

/** Closes the session that silence ended at `now`. */
export function closeVisit(parts: OpenParts): ClosedSessions | null {
  const visits = parts.get(VISITS);
  if (!visits.isOpen) return null;
  const before = closed(visits);
  visits.isOpen = false;
  parts.put(VISITS, visits);
  return difference(before, closed(visits), 0);
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

/** The open session, if there is one, as what is missing from the closed ones. */
function closed({ isOpen, sessions, engagedSessions }: Visits): ClosedSessions {
  const open = isOpen ? 1 : 0;
  return { sessions: -open, engaged: engagedSessions - (isOpen && sessions.at(-1)?.isEngaged === true ? 1 : 0) };
}

function difference(before: ClosedSessions, after: ClosedSessions, begun: number): ClosedSessions | null {
  const sessions = begun + after.sessions - before.sessions;
  const engaged = after.engaged - before.engaged;
  return sessions === 0 && engaged === 0 ? null : { sessions, engaged };
}

const IS_OPEN = 1;
const HAS_SESSIONS = 2;
const HAS_MEASURED = 4;
const HAS_UNMEASURED = 8;
const HAS_VIEWS = 16;

const IS_ENGAGED = 1;
const IS_VIEWED = 1;

export const VISITS: MergeablePart<Visits> = {
  id: 1,

  initial: () => ({
    lastStartAt: -1,
    sessions: [],
    isOpen: false,
    engagedSessions: 0,
    pages: { measuredViews: 0, longViews: 0, unmeasuredViews: 0, visibleMs: 0 },
    views: [],
  }),

  nextDue: ({ isOpen, sessions }) => (isOpen ? (sessions.at(-1)?.endAt ?? NEVER) + SESSION_GAP_MS : NEVER),

  /** Sessions are packed newest first: each begins so long before the one after it, and lasts so long. */
  write(visits, writer) {
    const { lastStartAt, sessions, isOpen, engagedSessions, pages, views } = visits;
    writer.byte(
      (isOpen ? IS_OPEN : 0) |
        (sessions.length > 0 ? HAS_SESSIONS : 0) |
        (pages.measuredViews > 0 ? HAS_MEASURED : 0) |
        (pages.unmeasuredViews > 0 ? HAS_UNMEASURED : 0) |
        (views.length > 0 ? HAS_VIEWS : 0),
    );
    writer.uint(lastStartAt + 1);
    writer.uint(engagedSessions);
    if (sessions.length > 0) writeSessions(sessions, lastStartAt, writer);
    if (pages.measuredViews > 0) {
      writer.uint(pages.measuredViews);
      writer.uint(pages.longViews);
      writer.uint(pages.visibleMs);
    }
    if (pages.unmeasuredViews > 0) writer.uint(pages.unmeasuredViews);
    if (views.length === 0) return;
    writer.uint(views.length);
    for (const { id, at, isViewed, visibleMs } of views) {
      writer.uint32(id);
      writer.int(lastStartAt - at);
      writer.uint(visibleMs * 2 + (isViewed ? IS_VIEWED : 0));
    }
  },

  read(reader) {
    const visits = VISITS.initial();
    const flags = reader.byte();
    visits.isOpen = (flags & IS_OPEN) !== 0;
    visits.lastStartAt = reader.uint() - 1;
    visits.engagedSessions = reader.uint();
    if ((flags & HAS_SESSIONS) !== 0) readSessions(visits, reader);
    if ((flags & HAS_MEASURED) !== 0) {
      visits.pages.measuredViews = reader.uint();
      visits.pages.longViews = reader.uint();
      visits.pages.visibleMs = reader.uint();
    }
    if ((flags & HAS_UNMEASURED) !== 0) visits.pages.unmeasuredViews = reader.uint();
    if ((flags & HAS_VIEWS) === 0) return visits;
    for (let left = reader.uint(); left > 0; left--) {
      const id = reader.byte() * 2 ** 24 + (reader.byte() << 16) + (reader.byte() << 8) + reader.byte();
      const at = visits.lastStartAt - reader.int();
      const packed = reader.uint();
      visits.views.push({ id, at, isViewed: packed % 2 === IS_VIEWED, visibleMs: Math.floor(packed / 2) });
    }
    return visits;
  },

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
    for (const name of ['measuredViews', 'longViews', 'unmeasuredViews', 'visibleMs'] as const) {
      into.pages[name] += from.pages[name];
    }
    into.views = [...into.views, ...from.views]
      .sort((a, b) => a.at - b.at || a.id - b.id)
      .slice(-REMEMBERED_PAGE_VIEWS);
  },
};

function writeSessions(sessions: readonly Session[], lastStartAt: Instant, writer: ByteWriter): void {
  writer.uint(sessions.length);
  let nextStartAt = lastStartAt;
  for (let index = sessions.length - 1; index >= 0; index--) {
    const session = sessions[index];
    if (session === undefined) continue;
    writer.uint(nextStartAt - session.startAt);
    nextStartAt = session.startAt;
    // Behind the flag: whether it had one page view, and how long it was visible.
    const { isEngaged, pageViews, visibleMs, startAt, endAt } = session;
    writer.uint((endAt - startAt) * 2 + (isEngaged ? IS_ENGAGED : 0));
    if (!isEngaged) writer.uint(visibleMs * 2 + pageViews);
  }
}

function readSessions(visits: Visits, reader: ByteReader): void {
  let startAt = visits.lastStartAt;
  for (let left = reader.uint(); left > 0; left--) {
    startAt -= reader.uint();
    const packed = reader.uint();
    const isEngaged = packed % 2 === IS_ENGAGED;
    const rest = isEngaged ? 0 : reader.uint();
    const endAt = startAt + Math.floor(packed / 2);
    visits.sessions.push({ startAt, endAt, isEngaged, pageViews: rest % 2, visibleMs: Math.floor(rest / 2) });
  }
  visits.sessions.reverse();
}
