import { NEVER, type Instant } from '../core/processor.ts';
import { addToTiles, clearTiles, newTiles, type Tiles } from '../core/tiles.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { firstSlot, leavesAt, oldestSlot, RINGS, type Span } from '../core/window.ts';
import { ALL_SPANS } from './windows.ts';

/** Everything kept of one measure of one customer. Reused from customer to customer (open-state.ts). */
export interface Tally {
  /** False: the customer never had one. */
  present: boolean;
  /** The fields below `due` are unpacked. */
  opened: boolean;
  changed: boolean;
  /** When the first watched window or age of this measure flips by itself. */
  due: Instant;
  /** Sum since ever. */
  lifetime: number;
  /** The newest event; the newest tile of each ring is the one it lies in. */
  lastAt: Instant;
  readonly rings: readonly [Tiles, Tiles, Tiles];
  /** Where the packed form begins and ends in the customer's bytes. */
  start: number;
  end: number;
}

/** Keeps sums exact and packable: reached by no honest amounts. */
export const SUM_MAX = 2 ** 51;

const tilesOfWindow = new Unrolled();

export function newTally(): Tally {
  return {
    present: false,
    opened: false,
    changed: false,
    due: NEVER,
    lifetime: 0,
    lastAt: 0,
    rings: [newTiles(RINGS[0]), newTiles(RINGS[1]), newTiles(RINGS[2])],
    start: 0,
    end: 0,
  };
}

/** Adds `amount` under the time `at` ≤ `now`: to the sum since ever and to every ring that still reaches back to it. */
export function postToTally(tally: Tally, at: Instant, amount: number, now: Instant): void {
  tally.changed = true;
  if (!tally.present) {
    tally.present = true;
    tally.opened = true;
    tally.due = NEVER;
    tally.lifetime = 0;
    tally.lastAt = at;
    for (const tiles of tally.rings) clearTiles(tiles);
  }
  tally.lifetime = bounded(tally.lifetime + amount);
  if (at > tally.lastAt) tally.lastAt = at;
  for (const tiles of tally.rings) {
    addToTiles(tiles, at, amount, now);
    tiles.head = bounded(tiles.head);
  }
}

/** The sum over a window at `now`; over the whole life for null. */
export function windowSum(tally: Tally, span: Span | null, now: Instant): number {
  if (!tally.present) return 0;
  if (span === null) return tally.lifetime;
  unroll(tally.rings[span.ring], firstSlot(span, now), tilesOfWindow);
  let sum = 0;
  for (let index = 0; index < tilesOfWindow.length; index++) sum += tilesOfWindow.value(index);
  return sum;
}

/** Until when the window holds at least `least`, provided that no tile of it is below zero; −1: it does not. */
export function holdsUntil(tally: Tally, span: Span, least: number, now: Instant): Instant {
  if (!tally.present) return -1;
  unroll(tally.rings[span.ring], firstSlot(span, now), tilesOfWindow);
  let sum = 0;
  for (let index = 0; index < tilesOfWindow.length; index++) {
    sum += tilesOfWindow.value(index);
    if (sum >= least) return leavesAt(span, tilesOfWindow.slot(index));
  }
  return -1;
}

/**
 * The sums over every window, shortest first, and since ever, into seven places of `sums` from `at` on, of a present tally. A
 * window that holds all there ever was is followed by others that do, unless amounts can be below zero (`signed`).
 */
export function windowSums(tally: Tally, signed: boolean, now: Instant, sums: Float64Array, at: number): void {
  let ring = -1;
  let count = 0;
  let sum = 0;
  for (let index = 0; index < ALL_SPANS.length; index++) {
    const span = ALL_SPANS[index] ?? null;
    if (span === null) {
      sums[at + index] = tally.lifetime;
      continue;
    }
    if (span.ring !== ring) {
      ring = span.ring;
      count = 0;
      sum = 0;
      unroll(tally.rings[span.ring], oldestSlot(RINGS[span.ring], now), tilesOfWindow);
    }
    const from = firstSlot(span, now);
    while (count < tilesOfWindow.length && tilesOfWindow.slot(count) >= from) sum += tilesOfWindow.value(count++);
    if (sum === tally.lifetime && !signed) {
      sums.fill(sum, at + index, at + ALL_SPANS.length);
      return;
    }
    sums[at + index] = sum;
  }
}

function bounded(sum: number): number {
  return Math.max(-SUM_MAX, Math.min(SUM_MAX, sum));
}
