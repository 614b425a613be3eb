import { HOUR_MS } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';

/** How much is remembered, at most twice of it: two generations, the older one dropped whole. */
const WORDS_MAX = 50_000;
/** How long, in record time: after that it is said again, in case that what it said was taken back meanwhile. */
const REMEMBERED_MS = HOUR_MS;

/**
 * What this process said `once` and was acknowledged. A mere saving: it is lost with the process, unknown to others, and what
 * failed on its way is not in it. Time is that of the records, so a replay leaves out the same each time.
 */
export class SaidLately {
  #newer = new Map<string, Instant>();
  #older = new Map<string, Instant>();

  has(words: string, now: Instant): boolean {
    const at = this.#newer.get(words) ?? this.#older.get(words);
    return at !== undefined && Math.abs(now - at) < REMEMBERED_MS;
  }

  note(acknowledged: ReadonlyMap<string, Instant>): void {
    for (const [words, at] of acknowledged) this.#newer.set(words, at);
    if (this.#newer.size < WORDS_MAX) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }
}
