import type { Instant } from '../core/processor.ts';

/** Ends of one partition's log that are remembered: more than enough for an hour of standstill. */
const ENDS_MAX = 1_000;

/**
 * How far one partition is behind its log. The age of the oldest record that is not folded is only known by reading it, so
 * it is bounded from what was seen: the record came after the last moment at which everything was folded, and it is no older
 * than the newest record folded. Off by no more than the time between two measurements, or a fiftieth of a long standstill.
 */
export class Lag {
  /** What the end of the log was and when, oldest first; all but the first lie beyond what is folded. */
  readonly #ends: { end: number; at: Instant }[] = [];
  #apartMs = 0;
  #newestFolded: Instant | null = null;

  /** `next`: the first offset not folded; `end`: the log's; `newest`: timestamp of the newest record just folded, if any. */
  measure(next: number, end: number, newest: Instant | null, now: Instant): { records: number; seconds: number } {
    if (newest !== null) this.#newestFolded = newest;
    this.#remember(end, next, now);
    if (end <= next) return { records: 0, seconds: 0 };
    return { records: end - next, seconds: Math.max(0, now - this.#since(next, now)) / 1000 };
  }

  #remember(end: number, next: number, now: Instant): void {
    const ends = this.#ends;
    // The log ends earlier than it did: another log, of which nothing is known.
    if (end < (ends.at(-1)?.end ?? end)) ends.length = 0;
    const last = ends.at(-1);
    if (last?.end === end) {
      if (end <= next) last.at = now;
    } else if (ends.length < 2 || end <= next || now - (last?.at ?? now) >= this.#apartMs) {
      ends.push({ end, at: now });
    }
    while ((ends[1]?.end ?? Number.POSITIVE_INFINITY) <= next) ends.shift();
    if (ends.length < 2) this.#apartMs = 0;
    if (ends.length > ENDS_MAX) this.#thin(now);
  }

  /** Keeps every second one, and from now on only those that are as far apart. */
  #thin(now: Instant): void {
    this.#apartMs = (2 * (now - (this.#ends[0]?.at ?? now))) / this.#ends.length;
    const kept = this.#ends.filter((_, index) => index % 2 === 0);
    this.#ends.splice(0, this.#ends.length, ...kept);
  }

  /** A moment at which the record at `next` did not exist yet, the latest that is known; else when it was first seen. */
  #since(next: number, now: Instant): Instant {
    const first = this.#ends[0];
    const known: Instant[] = [];
    if (this.#newestFolded !== null) known.push(this.#newestFolded);
    if (first !== undefined && first.end <= next) known.push(first.at);
    return known.length > 0 ? Math.max(...known) : (first?.at ?? now);
  }
}
