import { NEVER, type Instant } from '../core/processor.ts';
import { addToTiles, newTiles, type Tiles } from '../core/tiles.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { firstSlot, leavesAt, RINGS, slotAt, type Span } from '../core/window.ts';
import { DAY_RING, HOUR_RING, SPANS } from './windows.ts';

/** What is added up over windows of one touchpoint: tiles of an hour and of a day. */
export interface Series {
  readonly hours: Tiles;
  readonly days: Tiles;
}

/** Series that an event adds to at once, some of them nothing: they share the time of their newest tiles. */
export interface Bundle {
  newestAt: Instant;
  readonly series: readonly Series[];
}

const unrolled = new Unrolled();

export function newBundle(size: number): Bundle {
  const series = Array.from({ length: size }, () => ({ hours: newTiles(HOUR_RING), days: newTiles(DAY_RING) }));
  return { newestAt: 0, series };
}

/** Adds `amounts`, one for each series, under the time `at` ≤ `now`. Answers when the first window loses the event. */
export function addToBundle(bundle: Bundle, at: Instant, amounts: readonly number[], now: Instant): Instant {
  const isNewest = at >= bundle.newestAt;
  if (isNewest) bundle.newestAt = at;
  for (const [index, { hours, days }] of bundle.series.entries()) {
    const amount = amounts[index] ?? 0;
    // The newest tile is always that of the newest event, even when it holds nothing.
    if (amount === 0 && !isNewest) continue;
    addToTiles(hours, at, amount, now);
    addToTiles(days, at, amount, now);
  }
  let leaves = NEVER;
  for (const span of SPANS) {
    const slot = slotAt(RINGS[span.ring], at);
    if (slot >= firstSlot(span, now)) leaves = Math.min(leaves, leavesAt(span, slot));
  }
  return leaves;
}

export function windowSum(series: Series, span: Span, now: Instant): number {
  unroll(tilesOf(series, span), firstSlot(span, now), unrolled);
  let sum = 0;
  for (let index = 0; index < unrolled.length; index++) sum += unrolled.value(index);
  return sum;
}

/** When the next window loses something by itself; NEVER when all are empty. */
export function nextLeaving(bundle: Bundle, now: Instant): Instant {
  let next = NEVER;
  for (const series of bundle.series) {
    for (const span of SPANS) {
      unroll(tilesOf(series, span), firstSlot(span, now), unrolled);
      for (let index = unrolled.length - 1; index >= 0; index--) {
        if (unrolled.value(index) === 0) continue;
        next = Math.min(next, leavesAt(span, unrolled.slot(index)));
        break;
      }
    }
  }
  return next;
}

function tilesOf({ hours, days }: Series, span: Span): Tiles {
  return span.ring === 1 ? hours : days;
}
