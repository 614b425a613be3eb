import { DAY_MS, HOUR_MS, MINUTE_MS } from './event-time.ts';
import type { Instant } from './processor.ts';

/**
 * Rolling windows over tiles. A tile is `hopMs` long and has the number `floor(time / hopMs)`, so days are UTC days. A window
 * of k hops is the sum of the tiles `floor(now / hop) − k` to `floor(now / hop)`: its true length is between k and k + 1
 * hops, and tile s leaves it exactly at `(s + k + 1) · hop`.
 */
export interface Ring {
  readonly hopMs: number;
  /** How many tiles, the current one included, its longest window needs. */
  readonly tiles: number;
}

/** Of 5 minutes, of an hour, of a UTC day; an event is added to one tile of each. */
export const RINGS = [
  { hopMs: 5 * MINUTE_MS, tiles: 13 },
  { hopMs: HOUR_MS, tiles: 169 },
  { hopMs: DAY_MS, tiles: 366 },
] as const satisfies readonly Ring[];

/** A window: so many hops of one ring. */
export interface Span {
  readonly ring: 0 | 1 | 2;
  readonly hops: number;
}

/** The tile that `at` lies in. */
export function slotAt(ring: Ring, at: Instant): number {
  return Math.floor(at / ring.hopMs);
}

/** The oldest tile that a ring keeps at `now`. */
export function oldestSlot(ring: Ring, now: Instant): number {
  return slotAt(ring, now) - ring.tiles + 1;
}

/** The oldest tile that the window holds at `now`. */
export function firstSlot(span: Span, now: Instant): number {
  return slotAt(RINGS[span.ring], now) - span.hops;
}

/** The instant at which a tile is no longer in the window. */
export function leavesAt(span: Span, slot: number): Instant {
  return (slot + span.hops + 1) * RINGS[span.ring].hopMs;
}
