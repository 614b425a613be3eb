import { DAY_MS, utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { journeyOf } from './journey.ts';
import { isInteraction, placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { FoldedInteraction } from './read-fields.ts';
import { ORDERED, STARTED, type TriggerPlan } from './trigger-plan.ts';
import type { OpenParts } from './parts.ts';
import { HAS_STARTED, TRIGGERS_PART } from './triggers.ts';

const INTERACTIONS = placeOf('interactions');
/** The first interaction of a customer who was known before anybody asked for it. */
const LONG_AGO: Instant = 0;

/** Notes an interaction whose measures are posted; answers the bits of what it touched that triggers are about, 0 for nothing. */
export function noteForTriggers(
  open: OpenState,
  plan: TriggerPlan,
  { type, machineGenerated }: FoldedInteraction,
  at: Instant,
): number {
  const { postings } = open;
  // An order that was cancelled before it came counts in no measure.
  let touched = type === 'ORDER_PLACED' || type === 'ORDER_CANCELLED' ? ORDERED : 0;
  for (let index = 0; index < postings.count; index++) touched |= 1 << postings.measure(index);
  if (plan.followsStart && isInteraction(type)) {
    if (machineGenerated) noteMachine(open.parts);
    else if (noteStart(open, at)) touched |= STARTED;
  }
  return touched & plan.measures;
}

/** Only the first interaction to come, and one that comes behind a later one, can be the first by time. */
function noteStart(open: OpenState, at: Instant): boolean {
  const { parts } = open;
  if (hasStart(parts) && at >= open.tally(INTERACTIONS).lastAt) return false;
  const triggers = parts.get(TRIGGERS_PART);
  const startedAt = triggers.startedAt < 0 ? firstAt(open, at, triggers.machineMade) : Math.min(at, triggers.startedAt);
  if (startedAt === triggers.startedAt) return false;
  triggers.startedAt = startedAt;
  triggers.machineMade = 0;
  parts.put(TRIGGERS_PART, triggers);
  return true;
}

/** Counted, so that whoever was known to machines alone is told from whoever was known before anybody asked. */
function noteMachine(parts: OpenParts): void {
  if (hasStart(parts)) return;
  const triggers = parts.get(TRIGGERS_PART);
  triggers.machineMade += 1;
  parts.put(TRIGGERS_PART, triggers);
}

/** Whether the first interaction is kept: what is told of may be kept without it. */
function hasStart(parts: OpenParts): boolean {
  if (!parts.has(TRIGGERS_PART)) return false;
  const reader = parts.packed(TRIGGERS_PART);
  return reader === null ? parts.get(TRIGGERS_PART).startedAt >= 0 : (reader.uint() & HAS_STARTED) !== 0;
}

/** The first interaction of a customer of whom it is not kept, as well as it is known; the one at `at` is folded in. */
function firstAt(open: OpenState, at: Instant, machineMade: number): Instant {
  const journey = journeyOf(open.parts);
  if (journey === null) return open.tally(INTERACTIONS).lifetime > 1 + machineMade ? LONG_AGO : at;
  const { firstDay } = journey;
  return firstDay >= 0 && firstDay < utcDay(at) ? firstDay * DAY_MS : at;
}
