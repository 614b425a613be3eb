import { placeOfSum } from '../core/brand-amounts.ts';
import type { Turn } from './turn.ts';
import type { ClosedSessions } from './visits.ts';

const SESSIONS = placeOfSum('sessions');
const ENGAGED_SESSIONS = placeOfSum('engagedSessions');

/** What is counted for a brand beside its customers: gauges of these names. */
export const ACTIVITIES = ['closed_sessions', 'engaged_sessions', 'machine_opens', 'machine_clicks'] as const;
type Activity = (typeof ACTIVITIES)[number];

export interface ActivityAddition {
  readonly brandId: string;
  readonly of: 'activity';
  readonly label: Activity;
  readonly by: number;
}

/** Sessions that closed. A late event that joins two of them, or opens one again, takes from what was counted. */
export function countSessions(turn: Turn, { sessions, engaged }: ClosedSessions): void {
  if (sessions !== 0) turn.open.ofBrand.add(SESSIONS, turn.now, sessions);
  if (engaged !== 0) turn.open.ofBrand.add(ENGAGED_SESSIONS, turn.now, engaged);
  if (sessions !== 0) count(turn, 'closed_sessions', sessions);
  if (engaged !== 0) count(turn, 'engaged_sessions', engaged);
}

/** Opens and clicks of machines are counted here alone: no measure of the customer has them. */
export function countMachineMade(turn: Turn, measure: 'opens' | 'clicks'): void {
  count(turn, measure === 'opens' ? 'machine_opens' : 'machine_clicks', 1);
}

function count({ state, contributions }: Turn, label: Activity, by: number): void {
  contributions.push({ brandId: state.brandId, of: 'activity', label, by });
}
