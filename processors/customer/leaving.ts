import type { Applied } from '../core/processor.ts';
import { leaveBand } from './churn-changes.ts';
import { countOutcome } from './churn-outcomes.ts';
import { leaveJourney } from './journey-changes.ts';
import { leaveSegments } from './memberships.ts';
import { NO_ORDERS } from './order-book.ts';
import { takeFromBrand } from './settle-brand.ts';
import { takeUnitsBack } from './tell-units.ts';
import type { CustomerAddition } from './totals.ts';
import { endTraits } from './traits.ts';
import { leaveTriggers, updateEveryTrigger } from './trigger-changes.ts';
import { turnOf, type AtHand } from './turn.ts';

/**
 * Triggers alone, of a customer who is about to become another one: what was reached before a brand asked for it must be known by
 * then, or it would be told as if the merge had reached it.
 */
export function settleTriggers(at: AtHand): Applied<CustomerAddition> {
  const turn = turnOf(at, 'DEFINITION', true);
  updateEveryTrigger(turn);
  return { kind: 'apply', outputs: turn.outputs, contributions: turn.contributions };
}

/** Nothing is known under this identifier any more: it leaves its segments and its band, and what was published of it ends. */
export function settleLeaving(at: AtHand, cause: 'MERGE' | 'ERASURE'): Applied<CustomerAddition> {
  const { state, open, now } = at;
  const turn = turnOf(at, cause, true);
  leaveJourney(turn);
  // Of a linked identifier what was told stands on, under the stronger one.
  if (cause === 'ERASURE') leaveTriggers(turn);
  takeFromBrand(turn);
  leaveSegments(turn);
  leaveBand(turn);
  takeUnitsBack(turn);
  countOutcome(turn, open.facts, NO_ORDERS);
  if (state.traitsAt >= 0) endTraits(turn);
  state.at = now;
  return { kind: 'apply', outputs: turn.outputs, contributions: turn.contributions };
}
