import type { JourneySettings } from '../core/definitions.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { readDays, readHead, readStage, writeJourney, type JourneyHead } from './journey-packing.ts';
import { addDays, joinStretches, type Stretch } from './lifecycle.ts';
import type { OpenParts, Part } from './parts.ts';
import type { Stage } from './stages.ts';

/** What is kept of a customer's journey: what stages.ts and lifecycle.ts decide by, and what they decided last. */
export interface Journey extends JourneyHead {
  /** Oldest first. */
  stretches: Stretch[];
  /** When silence alone changes the stage or the lifecycle; set by whoever puts the part. */
  due: Instant;
}

/** Without a lifecycle, one stretch is all that is kept. */
export function dormantDaysOf({ lifecycle }: JourneySettings): number {
  return lifecycle?.dormantDays ?? Infinity;
}

// Read into, again and again.
const head: JourneyHead = newHead();
const days: number[] = [];

/** The journey as it stands, for the view, good until the next call; null where nothing is followed. Its days stay packed. */
export function journeyOf(parts: OpenParts): Readonly<JourneyHead> | null {
  const reader = parts.packed(JOURNEY);
  if (reader === null) return parts.has(JOURNEY) ? parts.get(JOURNEY) : null;
  readHead(reader, head);
  return head;
}

/** The stage as last published; null: none. */
export function stageOf(parts: OpenParts): Stage | null {
  const reader = parts.packed(JOURNEY);
  return reader === null ? parts.get(JOURNEY).stage : readStage(reader);
}

/** Whether an interaction of this day is known to have been counted: then one more that recommends nothing moves nothing. */
export function hasDay(parts: OpenParts, day: number): boolean {
  const reader = parts.packed(JOURNEY);
  if (reader === null) return false;
  readDays(reader, head, readHead(reader, head), days);
  for (let at = 0; at < days.length; at += 2) {
    if (day >= (days[at] ?? day) && day <= (days[at + 1] ?? day)) return true;
  }
  return false;
}

function newHead(): JourneyHead {
  return { firstDay: -1, recommendedDay: -1, stage: null, stageSince: 0, lifecycle: null, lifecycleSince: 0 };
}

export const JOURNEY: Part<Journey> = {
  id: 2,

  initial: () => ({ ...newHead(), stretches: [], due: NEVER }),

  nextDue: ({ due }) => due,

  write: (journey, writer) => writeJourney(journey, journey.stretches, writer),

  read(reader, due) {
    const journey = JOURNEY.initial();
    journey.due = due;
    readDays(reader, journey, readHead(reader, journey), days);
    for (let at = 0; at < days.length; at += 2) {
      journey.stretches.push({ startDay: days[at] ?? 0, endDay: days[at + 1] ?? 0 });
    }
    return journey;
  },
};

/** What was published of the customer that stays stands until it is evaluated anew, as it must be after a merge. */
export function mergeJourneys(into: Journey, from: Journey, settings: JourneySettings): void {
  into.recommendedDay = Math.max(into.recommendedDay, from.recommendedDay);
  if (from.firstDay >= 0) into.firstDay = into.firstDay < 0 ? from.firstDay : Math.min(into.firstDay, from.firstDay);
  // Joined at once: beyond the few that are kept the oldest go.
  const dormantDays = dormantDaysOf(settings);
  joinStretches(into.stretches, dormantDays);
  for (const stretch of from.stretches) addDays(into.stretches, stretch, dormantDays);
}
