import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { purgeLateMs, withMark, type MarkedPartition } from '../../processors/runtime/fold-marks.ts';
import { purgeBound } from '../../processors/runtime/purge-bound.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const SOURCE = 'kizuna.reader.v1@1/events.v1/0';

/** Marks as a reader makes them that folds `perHour` records an hour, seen once a minute from hour 0 on. */
function markedUntil(hours: number, perHour = 10, startOf: (hour: number) => number = () => 0): MarkedPartition {
  let marked: MarkedPartition | null = null;
  for (let minute = 0; minute <= hours * 60; minute++) {
    const mark = { at: minute * 60_000, next: Math.floor((minute / 60) * perHour) };
    marked = withMark(marked, SOURCE, mark, startOf(minute / 60), WEEK);
  }
  return marked ?? { source: SOURCE, marks: [] };
}

describe('the bound of a purge', () => {
  test('is where the reader stood that long ago, to a twenty-fourth of that time', () => {
    const bound = purgeBound([markedUntil(400)], 400 * HOUR, WEEK) ?? 0;
    expect(bound).toBeLessThanOrEqual((400 - 168) * 10);
    expect(bound).toBeGreaterThan((400 - 168 - 7.2) * 10);
  });

  test('is not known before a reader was marked for so long', () => {
    expect(purgeBound([markedUntil(167)], 167 * HOUR, WEEK)).toBeNull();
    expect(purgeBound([markedUntil(168)], 168 * HOUR, WEEK)).toBe(0);
  });

  test('is that of the slowest of several readers', () => {
    expect(purgeBound([markedUntil(400, 10), markedUntil(400, 3)], 400 * HOUR, WEEK)).toBe(
      purgeBound([markedUntil(400, 3)], 400 * HOUR, WEEK),
    );
  });

  test('is not known when one of the readers never committed, or was not seen since', () => {
    expect(purgeBound([markedUntil(400), null], 400 * HOUR, WEEK)).toBeNull();
    expect(purgeBound([markedUntil(400), markedUntil(230)], 400 * HOUR, WEEK)).toBeNull();
    expect(purgeBound([markedUntil(400), markedUntil(240)], 400 * HOUR, WEEK)).not.toBeNull();
  });

  test('of no reader at all is not known', () => {
    expect(purgeBound([], 400 * HOUR, WEEK)).toBeNull();
  });
});

describe('marks', () => {
  test('begin anew with another source: its offsets are those of another log', () => {
    const other = withMark(markedUntil(400), SOURCE.replace('@1', '@2'), { at: 400 * HOUR, next: 5 }, 0, WEEK);
    expect(other.marks).toEqual([{ at: 400 * HOUR, next: 5 }]);
    expect(purgeBound([other], 400 * HOUR, WEEK)).toBeNull();
  });

  test('of a former owner, who is behind, change nothing', () => {
    const marked = markedUntil(400);
    expect(withMark(marked, SOURCE, { at: 410 * HOUR, next: 17 }, 0, WEEK)).toBe(marked);
  });

  test('made by a clock that was ahead do not keep others out', () => {
    const ahead = withMark(markedUntil(10), SOURCE, { at: 9_000 * HOUR, next: 100 }, 0, WEEK);
    const after = withMark(ahead, SOURCE, { at: 20 * HOUR, next: 200 }, 0, WEEK);
    expect(after.marks.at(-1)).toEqual({ at: 20 * HOUR, next: 200 });
    expect(after.marks.some(({ at }) => at > 20 * HOUR)).toBe(false);
  });

  test('stay few, purged or not', () => {
    expect(markedUntil(2_000).marks.length).toBeLessThan(30);
    expect(markedUntil(2_000, 10, (hour) => Math.max(0, hour - 175) * 10).marks.length).toBeLessThan(30);
  });

  test('tell how long what is left could have been purged', () => {
    const marked = markedUntil(400);
    expect(purgeLateMs(marked, 100_000, 400 * HOUR, WEEK)).toBe(0);
    // Nothing was ever purged: the first mark beyond the beginning is of hour 7.
    expect(purgeLateMs(marked, 0, 400 * HOUR, WEEK)).toBe((400 - 168 - 7) * HOUR);
    // Purged up to what was folded 170 hours ago.
    expect(purgeLateMs(marked, (400 - 170) * 10, 400 * HOUR, WEEK)).toBeLessThan(2 * HOUR);
  });
});

test('whatever readers do, the bound is never beyond where any of them stood that long ago', () => {
  const step = fc.record({
    minutes: fc.integer({ min: 1, max: 3_000 }),
    folded: fc.tuple(fc.nat(50), fc.nat(50)),
    isSeen: fc.tuple(fc.boolean(), fc.boolean()),
    isPurged: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 10, max: 4_000 }), (steps, afterMinutes) => {
      const afterMs = afterMinutes * 60_000;
      const marked: (MarkedPartition | null)[] = [null, null];
      const history: { at: number; next: number }[][] = [[], []];
      const stands = [0, 0];
      let [now, start] = [0, 0];
      for (const { minutes, folded, isSeen, isPurged } of steps) {
        now += minutes * 60_000;
        for (const reader of [0, 1] as const) {
          stands[reader] = (stands[reader] ?? 0) + folded[reader];
          history[reader]?.push({ at: now, next: stands[reader] });
          if (!isSeen[reader]) continue;
          marked[reader] = withMark(marked[reader] ?? null, SOURCE, { at: now, next: stands[reader] }, start, afterMs);
        }
        const bound = purgeBound(marked, now, afterMs);
        if (bound === null) continue;
        for (const positions of history) {
          const then = positions.findLast(({ at }) => at <= now - afterMs)?.next ?? 0;
          if (bound > then) return false;
        }
        if (isPurged) start = Math.max(start, bound);
      }
      return true;
    }),
    { numRuns: 500 },
  );
});
