import { DAY_MS, utcDay } from '../core/event-time.ts';
import type { LifecycleSettings } from '../core/definitions.ts';
import { NEVER, type Instant } from '../core/processor.ts';

/**
 * Where a customer is in the life with the brand, by whole UTC days since the day of the last interaction that a person made
 * (d), of the first one ever, and of the return after a long silence:
 *
 *   churned      d ≥ churnedDays
 *   dormant      d ≥ dormantDays
 *   at_risk      d ≥ activeDays
 *   new          first seen less than newDays ago
 *   resurrected  came back less than resurrectedDays ago, after at least dormantDays
 *   active       anything else
 *
 * The first that holds: the growth accounting of product analytics (new, current, resurrected, dormant), with two more
 * degrees of silence. A total function of the days with an interaction, so of no order of events.
 */
export const LIFECYCLES = ['new', 'active', 'at_risk', 'dormant', 'resurrected', 'churned'] as const;
export type Lifecycle = (typeof LIFECYCLES)[number];

/** Days with interactions, first and last, counted from 1970, without a silence of `dormantDays` between them. */
export interface Stretch {
  startDay: number;
  endDay: number;
}

/** How many stretches are kept, the newest. What is older decides nothing, unless an event later than three silences joins it. */
export const STRETCHES_MAX = 4;

export interface LifecycleAt {
  readonly lifecycle: Lifecycle;
  /** When silence alone ends it: a midnight UTC. */
  readonly until: Instant;
}

/** Takes days into the stretches, oldest first; answers whether that changed them. */
export function addDays(stretches: Stretch[], added: Stretch, dormantDays: number): boolean {
  let from = stretches.length;
  while (from > 0 && (stretches[from - 1]?.endDay ?? 0) > added.startDay - dormantDays) from -= 1;
  const joined = { ...added };
  let to = from;
  for (
    let next = stretches[to];
    next !== undefined && next.startDay < added.endDay + dormantDays;
    next = stretches[++to]
  ) {
    if (next.startDay <= added.startDay && next.endDay >= added.endDay) return false;
    joined.startDay = Math.min(joined.startDay, next.startDay);
    joined.endDay = Math.max(joined.endDay, next.endDay);
  }
  stretches.splice(from, to - from, joined);
  if (stretches.length > STRETCHES_MAX) stretches.shift();
  return true;
}

/** Joins what is less than `dormantDays` apart, where it was kept under other settings. */
export function joinStretches(stretches: Stretch[], dormantDays: number): void {
  if (stretches.length < 2) return;
  for (const stretch of stretches.splice(0)) addDays(stretches, stretch, dormantDays);
}

/** `firstDay`: of the first interaction ever, in the oldest stretch or before it. */
export function lifecycleAt(firstDay: number, newest: Stretch, settings: LifecycleSettings, now: Instant): LifecycleAt {
  const today = utcDay(now);
  const { newDays, activeDays, dormantDays, churnedDays, resurrectedDays } = settings;
  const silentDays = today - newest.endDay;
  if (silentDays >= churnedDays) return { lifecycle: 'churned', until: NEVER };
  if (silentDays >= dormantDays) return { lifecycle: 'dormant', until: (newest.endDay + churnedDays) * DAY_MS };
  if (silentDays >= activeDays) return { lifecycle: 'at_risk', until: (newest.endDay + dormantDays) * DAY_MS };
  const riskDay = newest.endDay + activeDays;
  if (today - firstDay < newDays) return { lifecycle: 'new', until: Math.min(riskDay, firstDay + newDays) * DAY_MS };
  if (newest.startDay > firstDay && today - newest.startDay < resurrectedDays) {
    return { lifecycle: 'resurrected', until: Math.min(riskDay, newest.startDay + resurrectedDays) * DAY_MS };
  }
  return { lifecycle: 'active', until: riskDay * DAY_MS };
}

/** The rule by which a customer is in `to`, coming from `from`; null: not known before. */
export function lifecycleRule(from: Lifecycle | null, to: Lifecycle): string {
  switch (to) {
    case 'at_risk':
    case 'dormant':
    case 'churned':
      return 'silence';
    case 'new':
      return 'first_seen';
    case 'resurrected':
      return 'returned';
    case 'active':
      return from === 'new' || from === 'resurrected' ? 'settled' : 'returned';
  }
}
