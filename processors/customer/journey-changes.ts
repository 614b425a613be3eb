import type { JourneyChanged } from '../../schemas/types.ts';
import { NEVER } from '../core/processor.ts';
import { remember } from './history.ts';
import { dormantDaysOf, JOURNEY, stageOf, type Journey } from './journey.ts';
import { joinStretches, lifecycleAt, lifecycleRule } from './lifecycle.ts';
import { bitsOf, placeOf } from './measures.ts';
import { postMove, takeBackStay } from './stage-sums.ts';
import { heldUntil, stageAt, stageRule } from './stages.ts';
import { holdsUntil } from './tally.ts';
import type { OpenState } from './open-state.ts';
import type { OpenParts } from './parts.ts';
import type { Turn } from './turn.ts';

/** Product views, carts and checkouts: what product intent is made of. */
const INTENT = bitsOf('product_views', 'cart_adds', 'checkouts');
const PRODUCT_VIEWS = placeOf('product_views');
const CART_ADDS = placeOf('cart_adds');
const CHECKOUTS = placeOf('checkouts');

/**
 * Finds the stage and the lifecycle anew, publishes what changed and when silence will next change one of them. Answers
 * whether something was published.
 */
export function updateJourney(turn: Turn): boolean {
  const { open, plan } = turn;
  const { journey: settings } = plan.rules;
  if (settings.stages === null && settings.lifecycle === null && !open.parts.has(JOURNEY)) return false;
  const journey = open.parts.get(JOURNEY);
  joinStretches(journey.stretches, dormantDaysOf(settings));
  journey.due = NEVER;
  const isStageNew = updateStage(turn, journey);
  const isLifecycleNew = updateLifecycle(turn, journey);
  open.parts.put(JOURNEY, journey);
  return isStageNew || isLifecycleNew;
}

/**
 * Whether the event in hand may bring the customer into consideration. Whoever is there already, or further, stays: that intent
 * lasts longer now is found at the deadline that it had before.
 */
export function mayConsider({ postings, parts }: OpenState): boolean {
  if (!postings.touches(INTENT)) return false;
  const stage = stageOf(parts);
  return stage === null || stage === 'awareness';
}

/** The customer is another one from now on: in no stage and no lifecycle. */
export function leaveJourney(turn: Turn): void {
  const { parts } = turn.open;
  if (!parts.has(JOURNEY)) return;
  const { stage, stageSince, lifecycle } = parts.get(JOURNEY);
  if (stage !== null) {
    count(turn, 'stage', stage, -1);
    takeBackStay(turn.open.ofStages, stage, stageSince);
  }
  if (lifecycle !== null) count(turn, 'lifecycle', lifecycle, -1);
}

/** Stage and lifecycle are as they were published, whatever the days say that are left of the customer. */
export function keepJourney(parts: OpenParts, published: OpenParts): void {
  if (!parts.has(JOURNEY) && !published.has(JOURNEY)) return;
  const { stage, stageSince, lifecycle, lifecycleSince } = published.get(JOURNEY);
  parts.put(JOURNEY, { ...parts.get(JOURNEY), stage, stageSince, lifecycle, lifecycleSince });
}

function updateStage(turn: Turn, journey: Journey): boolean {
  const { open, plan, now } = turn;
  const settings = plan.rules.journey.stages;
  const from = journey.stage;
  if (settings === null) {
    journey.stage = null;
    if (from === null) return false;
    count(turn, 'stage', from, -1);
    takeBackStay(open.ofStages, from, journey.stageSince);
    return false;
  }
  const { days, firstAt, lastAt } = open.facts;
  const orders = days === 0 ? { firstOrderAt: -1, lastOrderAt: -1 } : { firstOrderAt: firstAt, lastOrderAt: lastAt };
  const span = { ring: 2, hops: settings.considerationDays } as const;
  const intentUntil = Math.max(
    holdsUntil(open.tally(PRODUCT_VIEWS), span, settings.considerationViews, now),
    holdsUntil(open.tally(CART_ADDS), span, 1, now),
    holdsUntil(open.tally(CHECKOUTS), span, 1, now),
  );
  const facts = { ...orders, recommendedDay: journey.recommendedDay, intentUntil };
  const { stage: to, until } = stageAt(facts, settings, now);
  const held = from === null || from === to ? -1 : heldUntil(from, to, journey.stageSince, settings);
  if (from === to || held > now) {
    journey.due = Math.min(journey.due, from === to ? until : held);
    return false;
  }
  journey.due = Math.min(journey.due, until);
  postMove(open.ofStages, from, journey.stageSince, to, now);
  const since = from === null ? null : journey.stageSince;
  publish(turn, { axis: 'STAGE', from, to, rule: stageRule(from, to, days > 0), since });
  journey.stage = to;
  journey.stageSince = now;
  for (const slot of plan.stageSlots) plan.scratch.moved[slot] = 1;
  if (from !== null) count(turn, 'stage', from, -1);
  count(turn, 'stage', to, 1);
  return true;
}

/** Nothing is known of a customer who never did anything, such as one who only gets messages. */
function updateLifecycle(turn: Turn, journey: Journey): boolean {
  const { plan, now } = turn;
  const settings = plan.rules.journey.lifecycle;
  const from = journey.lifecycle;
  const newest = journey.stretches.at(-1);
  if (settings === null || newest === undefined) {
    journey.lifecycle = null;
    if (from !== null) count(turn, 'lifecycle', from, -1);
    return false;
  }
  const { lifecycle: to, until } = lifecycleAt(journey.firstDay, newest, settings, now);
  journey.due = Math.min(journey.due, until);
  if (from === to) return false;
  const since = from === null ? null : journey.lifecycleSince;
  publish(turn, { axis: 'LIFECYCLE', from, to, rule: lifecycleRule(from, to), since });
  journey.lifecycle = to;
  journey.lifecycleSince = now;
  for (const slot of plan.lifecycleSlots) plan.scratch.moved[slot] = 1;
  if (from !== null) count(turn, 'lifecycle', from, -1);
  count(turn, 'lifecycle', to, 1);
  return true;
}

type Change = Pick<JourneyChanged, 'axis' | 'from' | 'to' | 'rule' | 'since'>;

function publish(turn: Turn, change: Change): void {
  const { state, plan, now, cause, outputs } = turn;
  const { axis, from, to } = change;
  remember(turn, { kind: axis === 'STAGE' ? 'stage' : 'lifecycle', at: now, cause, from, to });
  const value: JourneyChanged = {
    brandId: state.brandId,
    customerId: state.subject,
    occurredAt: now,
    cause,
    ...change,
    definitionsVersion: plan.rules.hash,
  };
  outputs.push({ topic: 'journey-stages.v1', key: state.key, value, timestamp: now });
}

function count({ state, contributions }: Turn, of: 'stage' | 'lifecycle', label: string, by: number): void {
  contributions.push({ brandId: state.brandId, of, label, by });
}
