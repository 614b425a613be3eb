import type { Instant } from '../core/processor.ts';

interface Entry<T> {
  readonly at: Instant;
  readonly sequence: number;
  readonly item: T;
}

/** A binary heap of things by time; things of the same time leave in the order in which they came. */
export class TimeHeap<T> {
  readonly #entries: Entry<T>[] = [];
  #sequence = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** The time of the first thing; infinite when there is none. */
  get firstAt(): Instant {
    return this.#entries[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  push(at: Instant, item: T): void {
    const entries = this.#entries;
    const entry = { at, sequence: this.#sequence++, item };
    let index = entries.length;
    entries.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = entries[parentIndex];
      if (parent === undefined || before(parent, entry)) break;
      entries[index] = parent;
      index = parentIndex;
    }
    entries[index] = entry;
  }

  pop(): { at: Instant; item: T } | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined || entries.length === 0) return first;
    let index = 0;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = entries[leftIndex];
      if (left === undefined) break;
      const right = entries[leftIndex + 1];
      const useRight = right !== undefined && before(right, left);
      const child = useRight ? right : left;
      if (before(last, child)) break;
      entries[index] = child;
      index = useRight ? leftIndex + 1 : leftIndex;
    }
    entries[index] = last;
    return first;
  }
}

function before<T>(one: Entry<T>, other: Entry<T>): boolean {
  return one.at < other.at || (one.at === other.at && one.sequence < other.sequence);
}
