import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NEVER } from '../../processors/core/processor.ts';
import { DueIndex } from '../../processors/runtime/memory/documents-due.ts';
import { Random } from './protocol/random.ts';

interface Entry {
  readonly due: number;
  readonly key: string;
}

function sorted(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => a.due - b.due || (a.key < b.key ? -1 : 1));
}

test('pages like a sorted list through any additions and removals', () => {
  // Few times and many entries: runs are cut, and emptied again.
  const sizes = fc.record({
    seed: fc.nat(),
    entries: fc.integer({ min: 0, max: 3_000 }),
    times: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(
    fc.property(sizes, ({ seed, entries, times }) => {
      const random = new Random(seed);
      const index = new DueIndex();
      const all = Array.from({ length: entries }, (_, at) => ({
        due: random.below(times),
        key: `k${random.below(9)}-${at}`,
      }));
      for (const { due, key } of all) index.add(due, key);
      index.add(NEVER, 'never');
      const left = all.filter(() => !random.chance(0.4));
      const kept = new Set(left);
      for (const entry of all) if (!kept.has(entry)) index.remove(entry.due, entry.key);
      index.remove(0, 'unknown');
      index.remove(NEVER, 'never');
      const order = sorted(left);
      expect(index.page(times, null, entries + 1)).toEqual(order.map(({ key }) => key));
      const until = random.below(times);
      const after = { due: random.below(times), key: `k${random.below(9)}` };
      const beyond = order.filter((entry) => entry.due <= until && sorted([entry, after])[0] === after);
      expect(index.page(until, after, 7)).toEqual(beyond.slice(0, 7).map(({ key }) => key));
    }),
    { numRuns: 60, seed: 11 },
  );
});
