import type { Applied, Instant } from '../core/processor.ts';
import { reviewAffinity } from './affinity.ts';
import { updateChurn } from './churn-changes.ts';
import { countOutcome } from './churn-outcomes.ts';
import { noteGathered, watchAllGathered, watchDueGathered } from './gather-events.ts';
import { updateMemberships } from './memberships.ts';
import { JOURNEY } from './journey.ts';
import { mayConsider, updateJourney } from './journey-changes.ts';
import { LOYALTY } from './loyalty.ts';
import { touchesLoyalty, updateLoyalty } from './loyalty-changes.ts';
import type { OpenState } from './open-state.ts';
import type { OrderFacts } from './order-book.ts';
import { countAnew, settleBrand, takeFromBrand } from './settle-brand.ts';
import { reviewScores } from './scores.ts';
import { tellUnits } from './tell-units.ts';
import type { CustomerAddition } from './totals.ts';
import { publishTraits, publishTraitsNow, traitsDue } from './traits.ts';
import { NO_TRIGGER, updateEveryTrigger, updateTriggers } from './trigger-changes.ts';
import { TRIGGERS_PART } from './triggers.ts';
import { turnOf, type AtHand, type Turn } from './turn.ts';
import { countSessions, type ClosedSessions } from './closed-sessions.ts';
import { countVisits, sumOfVisits, type VisitCounts } from './visit-counts.ts';
import { closeVisit, visitCountsOf, VISITS } from './visits.ts';
import { watchMeasure, watchRatios } from './watching.ts';

/** What one event did to a customer, before anything is evaluated. */
export interface Folded {
  /** A new order counts: its churn risk is published in any case. */
  readonly ordered: boolean;
  /** First, last or number of order days changed. */
  readonly hasOtherOrders: boolean;
  readonly ordersBefore: OrderFacts;
  readonly hasOtherAttributes: boolean;
  /** What the customer counts for in experiments may be otherwise. */
  readonly touchesUnits: boolean;
  /** Bits of what triggers are about; 0: none moves. */
  readonly touchedTriggers: number;
  /** A day with an interaction, or a recommendation, that was not known. */
  readonly hasMovedOn: boolean;
  /** A first enrolment in the loyalty programme, or an earlier one. */
  readonly hasEnrolled: boolean;
  /** null: as many as before. */
  readonly closedSessions: ClosedSessions | null;
  /** A bit for each dimension of affinity that has another first key; 0 for none. */
  readonly otherLiked: number;
  /** A bit for each score whose last answer is another one; 0 for none. */
  readonly otherScores: number;
}

/** Everything that follows from an event that was folded in. `noteAges` ran before the fold. */
export function settleEvent(at: AtHand, folded: Folded): Applied<CustomerAddition> {
  const { state, open, plan, now } = at;
  const isRedefined = state.rules !== plan.version && state.rules !== 0;
  const everything = state.rules !== plan.version || state.mustEvaluate;
  const turn = turnOf(at, isRedefined ? 'DEFINITION' : 'EVENT', everything);
  const { moved, known } = plan.scratch;
  moved.fill(0);
  known.fill(0);
  if (everything) watchEverything(turn);
  else watchTouched(turn);
  if (folded.hasOtherAttributes) for (const { slot } of plan.attributes) moved[slot] = 1;
  if (folded.otherLiked !== 0 && plan.affinity !== null) mark(plan.affinity.slots, folded.otherLiked, moved);
  if (folded.otherScores !== 0) mark(plan.scoreSlots, folded.otherScores, moved);
  if (everything || folded.hasOtherOrders || folded.ordered)
    updateChurn(turn, folded.ordered || state.mustPublishChurn);
  if (folded.hasOtherOrders) countOutcome(turn, folded.ordersBefore, open.facts);
  if (everything || folded.hasMovedOn || folded.hasOtherOrders || mayConsider(open)) updateJourney(turn);
  if (everything || folded.hasEnrolled || touchesLoyalty(turn)) updateLoyalty(turn);
  if (everything) updateEveryTrigger(turn);
  else if (folded.touchedTriggers !== 0) updateTriggers(turn, folded.touchedTriggers);
  if (folded.closedSessions !== null) countSessions(folded.closedSessions, now, open.ofBrand);
  const segmentsBefore = state.segments;
  updateMemberships(turn);
  settleBrand(turn, segmentsBefore);
  publishTraits(turn);
  if (everything || folded.touchesUnits) tellUnits(turn);
  return close(turn);
}

/** Everything that silence changes at exactly `at.now`, the state's deadline. */
export function settleDeadline(at: AtHand): Applied<CustomerAddition> {
  const { state, open, plan, now } = at;
  const isRedefined = state.rules !== plan.version && state.rules !== 0;
  const everything = state.rules !== plan.version || state.mustEvaluate;
  const cause = isRedefined ? 'DEFINITION' : state.mustEvaluate ? 'EVENT' : 'TIME';
  const turn = turnOf(at, cause, everything);
  plan.scratch.moved.fill(0);
  plan.scratch.known.fill(0);
  if (everything) watchEverything(turn);
  else watchDue(turn);
  if (open.parts.isDue(VISITS, now)) {
    const closed = closeVisit(open.parts);
    if (closed !== null) countSessions(closed, now, open.ofBrand);
  }
  const isBandNew = everything || state.churnDue <= now ? updateChurn(turn, state.mustPublishChurn) : false;
  const isJourneyNew = everything || open.parts.isDue(JOURNEY, now) ? updateJourney(turn) : false;
  const isTierNew = everything || open.parts.isDue(LOYALTY, now) ? updateLoyalty(turn) : false;
  if (everything) updateEveryTrigger(turn);
  // Also of a brand that follows them no more: what is due must come to rest.
  else if (open.parts.isDue(TRIGGERS_PART, now)) updateTriggers(turn, NO_TRIGGER);
  const segmentsBefore = state.segments;
  updateMemberships(turn);
  settleBrand(turn, segmentsBefore);
  if (isBandNew || isJourneyNew || isTierNew || state.mustEvaluate || traitsDue(state) <= now) publishTraits(turn);
  if (everything) tellUnits(turn);
  if (now > state.at) state.at = now;
  return close(turn);
}

/**
 * Everything that follows from taking in, or giving away, what is known under another identifier: all is looked at anew.
 * `before`: the customer as it was, opened; `moved`: visits that were counted where it comes from, or less those that are where it
 * goes to.
 */
export function settleMerge(at: AtHand, before: OpenState, moved: VisitCounts): Applied<CustomerAddition> {
  const { state, open, plan, now } = at;
  // Of two sessions, or views of a page, that both counted one may be left.
  countVisits(sumOfVisits([visitCountsOf(before), moved]), visitCountsOf(open), now, open.ofBrand);
  const turn = turnOf(at, 'MERGE', true);
  takeFromBrand({ ...turn, open: before });
  countAnew(open);
  plan.scratch.moved.fill(0);
  plan.scratch.known.fill(0);
  watchEverything(turn);
  // One that was open under the other identifier may be over by now.
  const closed = open.parts.isDue(VISITS, now) ? closeVisit(open.parts) : null;
  if (closed !== null) countSessions(closed, now, open.ofBrand);
  updateChurn(turn, state.mustPublishChurn);
  countOutcome(turn, before.facts, open.facts);
  updateJourney(turn);
  updateLoyalty(turn);
  updateEveryTrigger(turn);
  const segmentsBefore = state.segments;
  updateMemberships(turn);
  settleBrand(turn, segmentsBefore);
  publishTraits(turn);
  tellUnits(turn);
  state.at = now;
  return close(turn);
}

/** The end of all input at `at.now`: traits that were held back leave at once. */
export function settleEnd(at: AtHand): Applied<CustomerAddition> {
  const turn = turnOf(at, 'TIME', false);
  if (at.state.mustPublishTraits) publishTraitsNow(turn);
  // Before its clock a state cannot remember that it published.
  if (at.now > at.state.at) at.state.at = at.now;
  at.state.due = dueOf(turn);
  return { kind: 'apply', outputs: turn.outputs, contributions: turn.contributions };
}

function watchEverything({ state, open, plan, now }: Turn): void {
  for (let measure = 0; measure < open.tallies.length; measure++) watchMeasure(open, plan, measure, now, null);
  state.ratioDue = watchRatios(open, plan, now, null);
  watchAllGathered(open, plan.gathering, now);
  reviewAffinity(open.parts, plan.affinity);
  reviewScores(open.parts, plan.rules.readSentiment);
}

/** Marks the slots of what has its bit set; by place, −1 for what no rule reads. */
function mark(slots: readonly number[], bits: number, moved: Uint8Array): void {
  for (let place = 0; place < slots.length; place++) {
    const slot = slots[place] ?? -1;
    if (slot >= 0 && (bits & (1 << place)) !== 0) moved[slot] = 1;
  }
}

function watchTouched({ state, open, plan, now }: Turn): void {
  const { postings } = open;
  let touched = 0;
  for (let index = 0; index < postings.count; index++) {
    const measure = postings.measure(index);
    if ((touched & (1 << measure)) !== 0) continue;
    touched |= 1 << measure;
    watchMeasure(open, plan, measure, now, postings);
  }
  if ((touched & plan.inRatios) !== 0 || plan.gathering?.touchesRatios === true) {
    state.ratioDue = watchRatios(open, plan, now, postings);
  }
  if (plan.gathering !== null) noteGathered(plan.gathering, plan.scratch);
}

function watchDue({ state, open, plan, now }: Turn): void {
  for (let measure = 0; measure < open.tallies.length; measure++) {
    const tally = open.tallies[measure];
    if (tally !== undefined && tally.due <= now) watchMeasure(open, plan, measure, now, null);
  }
  if (state.ratioDue <= now) state.ratioDue = watchRatios(open, plan, now, null);
  watchDueGathered(open, plan.gathering, now, plan.scratch.moved);
}

function close(turn: Turn): Applied<CustomerAddition> {
  const { state, open, plan, outputs, contributions } = turn;
  state.rules = plan.version;
  state.mustEvaluate = false;
  state.mustPublishChurn = false;
  state.due = dueOf(turn);
  open.keepIn(state);
  return { kind: 'apply', outputs, contributions };
}

function dueOf({ state, open }: Turn): Instant {
  let due = Math.min(state.ratioDue, state.churnDue, traitsDue(state), open.parts.due);
  for (const tally of open.tallies) if (tally.due < due) due = tally.due;
  return due;
}
