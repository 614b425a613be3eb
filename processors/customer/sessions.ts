import { DAY_MS, MINUTE_MS } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';

/**
 * Sessions: what a customer did on the site or in the app without a silence of 30 minutes. A session is engaged when it
 * lasted longer than 10 seconds, had a key event, or at least two page views (the definition of Google Analytics 4, "engaged
 * sessions"; a session lasts from its first to its last event, or as long as its pages were visible, if that is longer).
 *
 * Sessions are the connected parts of a set of instants, so neither their number nor what is in them depends on the order in
 * which events come: one that comes late joins the sessions around it, and two sessions become one when it lies between them.
 * That holds for events at most REACH_MS behind the newest; older ones are in no session. What is in reach bounds what is
 * kept: sessions are at least 30 minutes apart, so at most 50 of them.
 */
export const SESSION_GAP_MS = 30 * MINUTE_MS;
export const REACH_MS = DAY_MS;

const ENGAGED_MS = 10_000;
const ENGAGED_PAGE_VIEWS = 2;

export interface Session {
  startAt: Instant;
  endAt: Instant;
  /** Once engaged, a session stays it, and the two numbers below tell no more. */
  isEngaged: boolean;
  pageViews: number;
  visibleMs: number;
}

/** What one event adds to the session that it is in. */
export interface SessionEvent {
  readonly at: Instant;
  readonly pageViews: 0 | 1;
  readonly isKey: boolean;
  readonly visibleMs: number;
}

/** What a session more or less is told to: the time it began at, and how many began. */
export type CountStart = (startAt: Instant, by: 1 | -1) => void;

export function sessionOf({ at, pageViews, isKey, visibleMs }: SessionEvent): Session {
  return settled({ startAt: at, endAt: at, isEngaged: isKey, pageViews, visibleMs });
}

/** Whether a late event at `at` still finds the sessions around it. */
export function isInReach(at: Instant, now: Instant): boolean {
  return at > now - REACH_MS;
}

/**
 * Takes a session in among others, oldest first and at least 30 minutes apart, joined with those it touches. Answers how many
 * engaged sessions there are more than before.
 */
export function addSession(sessions: Session[], added: Session, count: CountStart): number {
  let from = sessions.length;
  while (from > 0 && endOf(sessions[from - 1]) > added.startAt - SESSION_GAP_MS) from -= 1;
  let joined = added;
  let to = from;
  let engaged = 0;
  for (
    let next = sessions[to];
    next !== undefined && next.startAt < added.endAt + SESSION_GAP_MS;
    next = sessions[++to]
  ) {
    count(next.startAt, -1);
    if (next.isEngaged) engaged -= 1;
    joined = join(joined, next);
  }
  count(joined.startAt, 1);
  if (joined.isEngaged) engaged += 1;
  sessions.splice(from, to - from, joined);
  return engaged;
}

/**
 * Takes an event in as `addSession` would, if it lies in the newest session or goes on with it; answers how many engaged
 * sessions there are more than before, null when it does not.
 */
export function extend(newest: Session, { at, pageViews, isKey, visibleMs }: SessionEvent): number | null {
  if (at < newest.startAt || at >= newest.endAt + SESSION_GAP_MS) return null;
  const wasEngaged = newest.isEngaged;
  if (at > newest.endAt) newest.endAt = at;
  newest.isEngaged ||= isKey;
  newest.pageViews += pageViews;
  newest.visibleMs += visibleMs;
  return settled(newest).isEngaged && !wasEngaged ? 1 : 0;
}

/** Drops the sessions that no event in reach can touch any more. */
export function dropOutOfReach(sessions: Session[], now: Instant): void {
  const limit = now - REACH_MS - SESSION_GAP_MS;
  let gone = 0;
  while (gone < sessions.length && endOf(sessions[gone]) <= limit) gone += 1;
  if (gone > 0) sessions.splice(0, gone);
}

function endOf(session: Session | undefined): Instant {
  return session?.endAt ?? 0;
}

function join(one: Session, other: Session): Session {
  return settled({
    startAt: Math.min(one.startAt, other.startAt),
    endAt: Math.max(one.endAt, other.endAt),
    isEngaged: one.isEngaged || other.isEngaged,
    pageViews: one.pageViews + other.pageViews,
    visibleMs: one.visibleMs + other.visibleMs,
  });
}

function settled(session: Session): Session {
  const { startAt, endAt, pageViews, visibleMs } = session;
  session.isEngaged ||= Math.max(endAt - startAt, visibleMs) > ENGAGED_MS || pageViews >= ENGAGED_PAGE_VIEWS;
  if (session.isEngaged) session.pageViews = session.visibleMs = 0;
  return session;
}
