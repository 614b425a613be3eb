import type { Instant } from '../core/processor.ts';

interface DueEntry {
  readonly due: Instant;
  readonly key: string;
}

/**
 * A binary heap of (deadline, key), earliest first. Entries are never removed when a deadline moves: whoever takes one asks
 * whether it still holds, and drops it when not.
 */
export class DueHeap {
  readonly #entries: DueEntry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  peek(): DueEntry | undefined {
    return this.#entries[0];
  }

  push(due: Instant, key: string): void {
    const entries = this.#entries;
    const entry = { due, key };
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || !before(entry, parent)) break;
      entries[at] = parent;
      at = above;
    }
    entries[at] = entry;
  }

  pop(): DueEntry | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined || entries.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      let child = entries[below];
      if (child === undefined) break;
      const right = entries[below + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        below += 1;
      }
      if (!before(child, last)) break;
      entries[at] = child;
      at = below;
    }
    entries[at] = last;
    return first;
  }
}

function before(a: DueEntry, b: DueEntry): boolean {
  return a.due < b.due || (a.due === b.due && a.key < b.key);
}
