import { isBeyondHorizon, tileTime, utcDay } from '../core/event-time.ts';
import type { Instant, Outcome, Rejected, Skipped } from '../core/processor.ts';
import type { SkipReason } from '../core/reasons.ts';
import { mergeAttributes } from './attributes.ts';
import { foldAffinity } from './fold-affinity.ts';
import { countExtras } from './brand-extras.ts';
import { noteForExperiments } from './note-exposures.ts';
import { noteForTriggers } from './note-triggers.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { canRecommend, foldJourney } from './fold-journey.ts';
import { hasDay, JOURNEY } from './journey.ts';
import { gatherEvent } from './gather-events.ts';
import { enrol } from './loyalty-changes.ts';
import { countInteraction, placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { OrderBook, OrderFacts } from './order-book.ts';
import { cancelOrder, placeOrder, refundOrder } from './orders.ts';
import type { OpenParts } from './parts.ts';
import type { Plan } from './plan.ts';
import type { Postings } from './postings.ts';
import type { FoldedInteraction } from './read-fields.ts';
import { foldScores } from './scores.ts';
import { settleEvent, type Folded } from './settle.ts';
import { settleLate } from './settle-brand.ts';
import { postAnswer } from './stage-sums.ts';
import type { CustomerState } from './state.ts';
import type { CustomerAddition } from './totals.ts';
import { foldVisit, isOnSite } from './visits.ts';
import { noteAges } from './watching.ts';

const ORDERS = placeOf('orders');

/** Applies one interaction at `now`, all deadlines up to then being behind. */
export function foldEvent(
  state: CustomerState,
  interaction: FoldedInteraction | null,
  now: Instant,
  open: OpenState,
  plan: Plan,
): Outcome<CustomerAddition> {
  if (interaction === null || interaction.type === 'UNKNOWN') return skip('unknown_type');
  open.open(state);
  const id = fingerprint(interaction.eventId);
  if (open.ids.has(id, now)) return skip('duplicate_event');
  const at = tileTime(interaction.occurredAt, now);
  const { postings } = open;
  const orders = foldOrder(interaction, at, open, plan, postings);
  if (orders !== null && 'kind' in orders) return orders;
  countInteraction(interaction, at, postings);
  countExtras(interaction, at, open);

  open.ids.add(id, now);
  noteAges(open, plan, now, postings);
  const closedSessions = isOnSite(interaction) ? foldVisit(open.parts, interaction, at, now, open) : null;
  if (interaction.score !== null && plan.rules.journey.stages !== null) postAnswer(open, interaction, at, plan.rules);
  const hasMovedOn = foldPerson(open.parts, interaction, at, plan);
  const before = open.facts;
  if (orders !== null) open.keepBook(orders);
  open.brandMoments.note(open, now);
  open.post(now);
  if (plan.gathering !== null) gatherEvent(open, plan.gathering, interaction, at, now);
  const folded: Folded = {
    // An order that was cancelled before it came counts nothing.
    ordered: interaction.type === 'ORDER_PLACED' && postings.includes(ORDERS),
    hasOtherOrders: isOther(before, open.facts),
    ordersBefore: before,
    hasOtherAttributes:
      interaction.type === 'IDENTIFIED' && mergeAttributes(open.attributes, interaction.attributes, at),
    touchesUnits:
      plan.experiments !== null &&
      (noteForExperiments(open, plan.experiments, interaction, at, now) || orders !== null),
    touchedTriggers: plan.triggers === null ? 0 : noteForTriggers(open, plan.triggers, interaction, at),
    hasMovedOn,
    hasEnrolled:
      interaction.type === 'LOYALTY_ENROLLED' && plan.rules.journey.loyalty !== null && enrol(open.parts, at),
    closedSessions,
    otherLiked: plan.affinity === null ? 0 : foldAffinity(open.parts, plan.affinity, interaction, at),
    otherScores:
      interaction.score === null && plan.rules.readSentiment === null
        ? 0
        : foldScores(open.parts, interaction, at, plan.rules.readSentiment),
  };
  state.at = now;
  if (!isBeyondHorizon(at, now)) return settleEvent({ state, open, plan, now }, folded);

  // Too late for any window, but life-long sums, orders and attributes took it. A skip publishes nothing, so what follows
  // from it becomes a deadline that is due at once.
  const changes = settleLate(state, open, now);
  state.mustEvaluate = true;
  if (folded.ordered) state.mustPublishChurn = true;
  state.due = now;
  open.keepIn(state);
  return changes === null ? skip('beyond_horizon') : { ...skip('beyond_horizon'), contributions: [changes] };
}

/** Takes in what the journey is made of; answers whether that may move it on. */
function foldPerson(parts: OpenParts, interaction: FoldedInteraction, at: Instant, plan: Plan): boolean {
  const { stages, lifecycle } = plan.rules.journey;
  if (stages === null && lifecycle === null) return false;
  if (!canRecommend(interaction) && hasDay(parts, utcDay(at))) return false;
  const journey = parts.get(JOURNEY);
  if (!foldJourney(journey, interaction, at, plan.rules)) return false;
  parts.put(JOURNEY, journey);
  return true;
}

/** The order book as an order event leaves it; null for any other event; or why the event changes nothing. */
function foldOrder(
  interaction: FoldedInteraction,
  at: Instant,
  open: OpenState,
  plan: Plan,
  postings: Postings,
): OrderBook | Skipped | Rejected | null {
  const { type, order } = interaction;
  if (type !== 'ORDER_PLACED' && type !== 'ORDER_CANCELLED' && type !== 'ORDER_REFUNDED') return null;
  if (order === null) return { kind: 'reject', reason: 'missing_order', message: `order is missing for ${type}` };
  const { book } = open;
  const id = fingerprint(order.orderId);
  const amountMinor = order.currency === plan.rules.currency ? order.amountMinor : null;
  let refusal: SkipReason | null = null;
  if (type === 'ORDER_PLACED') refusal = placeOrder(book, { id, at, amountMinor, guest: order.guest }, open);
  else if (type === 'ORDER_CANCELLED') refusal = cancelOrder(book, id, open);
  else refundOrder(book, id, at, amountMinor, postings);
  return refusal === null ? book : skip(refusal);
}

function isOther(before: OrderFacts, after: OrderFacts): boolean {
  return before.days !== after.days || before.firstAt !== after.firstAt || before.lastAt !== after.lastAt;
}

const SKIPS = new Map<SkipReason, Skipped>();

export function skip(reason: SkipReason): Skipped {
  let skipped = SKIPS.get(reason);
  if (skipped === undefined) {
    skipped = { kind: 'skip', reason };
    SKIPS.set(reason, skipped);
  }
  return skipped;
}
