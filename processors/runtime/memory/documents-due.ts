import { NEVER } from '../../core/processor.ts';
import type { Instant } from '../../core/processor.ts';
import type { DueCursor } from '../ports.ts';

/** Beyond this a run is cut in two, so that one insertion moves at most so many entries. */
const MAX_RUN = 512;

/**
 * The deadlines of one partition, always in order of (due, key): sorted runs of bounded length, so that adding, removing
 * and finding a place stay cheap with hundreds of thousands of keys and a page costs what it holds.
 */
export class DueIndex {
  #runs: DueCursor[][] = [];

  add(due: Instant, key: string): void {
    if (due === NEVER) return;
    const entry = { due, key };
    const at = Math.min(this.#runOf(entry), Math.max(this.#runs.length - 1, 0));
    const run = this.#runs[at];
    if (run === undefined) {
      this.#runs.push([entry]);
      return;
    }
    run.splice(placeIn(run, entry), 0, entry);
    if (run.length > MAX_RUN) this.#runs.splice(at + 1, 0, run.splice(run.length >> 1));
  }

  remove(due: Instant, key: string): void {
    if (due === NEVER) return;
    const entry = { due, key };
    const at = this.#runOf(entry);
    const run = this.#runs[at];
    if (run === undefined) return;
    const place = placeIn(run, entry);
    const found = run[place];
    if (found === undefined || compare(found, entry) !== 0) return;
    run.splice(place, 1);
    if (run.length === 0) this.#runs.splice(at, 1);
  }

  /** Up to `limit` keys with due ≤ `until` and beyond `after`, in order. */
  page(until: Instant, after: DueCursor | null, limit: number): string[] {
    const keys: string[] = [];
    const first = after === null ? 0 : this.#runOf(after);
    for (let at = first; at < this.#runs.length; at++) {
      const run = this.#runs[at] ?? [];
      for (let place = at === first && after !== null ? placeIn(run, after) : 0; place < run.length; place++) {
        const entry = run[place];
        if (entry === undefined || entry.due > until || keys.length >= limit) return keys;
        if (after === null || compare(entry, after) > 0) keys.push(entry.key);
      }
    }
    return keys;
  }

  /** The first run whose last entry is not before `entry`; the number of runs when there is none. */
  #runOf(entry: DueCursor): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const last = this.#runs[middle]?.at(-1);
      if (last !== undefined && compare(last, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first place of the run whose entry is not before `entry`. */
function placeIn(run: readonly DueCursor[], entry: DueCursor): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = run[middle];
    if (found !== undefined && compare(found, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: DueCursor, b: DueCursor): number {
  if (a.due !== b.due) return a.due - b.due;
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}
