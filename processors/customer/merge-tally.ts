import { NEVER, type Instant } from '../core/processor.ts';
import { clearTiles, mergeTiles } from '../core/tiles.ts';
import { SUM_MAX, type Tally } from './tally.ts';

/** Adds all that is in `from`, which is present and unpacked, at `now`. */
export function mergeTally(tally: Tally, from: Tally, now: Instant): void {
  tally.changed = true;
  if (!tally.present) {
    tally.present = true;
    tally.opened = true;
    tally.due = NEVER;
    tally.lifetime = 0;
    tally.lastAt = from.lastAt;
    for (const tiles of tally.rings) clearTiles(tiles);
  }
  tally.lifetime = bounded(tally.lifetime + from.lifetime);
  tally.lastAt = Math.max(tally.lastAt, from.lastAt);
  for (const ring of [0, 1, 2] as const) {
    mergeTiles(tally.rings[ring], from.rings[ring], now);
    tally.rings[ring].head = bounded(tally.rings[ring].head);
  }
}

function bounded(sum: number): number {
  return Math.max(-SUM_MAX, Math.min(SUM_MAX, sum));
}
