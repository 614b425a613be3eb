import { placeOfSum } from '../core/brand-amounts.ts';
import type { Instant } from '../core/processor.ts';
import type { Postings } from './postings.ts';
import type { Visits } from './visits-packing.ts';

/** How many closed sessions, and engaged ones among them, an event or a deadline added. */
export interface ClosedSessions {
  readonly sessions: number;
  readonly engaged: number;
}

const CLOSED_SESSIONS = placeOfSum('sessions');
const ENGAGED_SESSIONS = placeOfSum('engagedSessions');

/** Counts sessions that closed for the brand. A late event that joins two of them, or opens one again, takes from what was counted. */
export function countSessions({ sessions, engaged }: ClosedSessions, now: Instant, ofBrand: Postings): void {
  if (sessions !== 0) ofBrand.add(CLOSED_SESSIONS, now, sessions);
  if (engaged !== 0) ofBrand.add(ENGAGED_SESSIONS, now, engaged);
}

/** The open session, if there is one, as what is missing from the closed ones. */
export function closedSessions({ isOpen }: Visits): number {
  return isOpen ? -1 : 0;
}

/** The same of engaged ones. */
export function closedEngaged({ isOpen, sessions, engagedSessions }: Visits): number {
  return engagedSessions - (isOpen && sessions.at(-1)?.isEngaged === true ? 1 : 0);
}

/** How many more have closed than before; null: as many. */
export function closedSince(visits: Visits, sessionsBefore: number, engagedBefore: number): ClosedSessions | null {
  const sessions = closedSessions(visits) - sessionsBefore;
  const engaged = closedEngaged(visits) - engagedBefore;
  return sessions === 0 && engaged === 0 ? null : { sessions, engaged };
}
