import { firstSlot, RINGS, slotAt, type Span } from '../core/window.ts';
import type { Instant } from '../core/processor.ts';
import { WINDOWS, type Window } from './features.ts';

/** The windows of the profile view; null: since ever, kept as an accumulator of its own. */
export const SPANS: Readonly<Record<Window, Span | null>> = {
  '1h': { ring: 0, hops: 12 },
  '24h': { ring: 1, hops: 24 },
  '7d': { ring: 1, hops: 168 },
  '30d': { ring: 2, hops: 30 },
  '90d': { ring: 2, hops: 90 },
  '365d': { ring: 2, hops: 365 },
  lifetime: null,
};

/** The spans of WINDOWS, in their order: each window lies in the next one. */
export const ALL_SPANS: readonly (Span | null)[] = WINDOWS.map((window) => SPANS[window]);

/** How many of the newest of these times, newest first, lie in the window at `now`, given that so many do. */
export function countWithin(ats: readonly Instant[], span: Span, now: Instant, known = 0): number {
  const from = firstSlot(span, now) * RINGS[span.ring].hopMs;
  let count = known;
  while (count < ats.length && (ats[count] ?? 0) >= from) count += 1;
  return count;
}

/** Whether something that happened at `at` ≤ `now` is in the window at `now`. */
export function isWithin(span: Span | null, at: Instant, now: Instant): boolean {
  return span === null || slotAt(RINGS[span.ring], at) >= firstSlot(span, now);
}
