import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../processors/core/packing.ts';
import { NEVER } from '../../processors/core/processor.ts';
import { firstSlot, RINGS, slotAt, type Span } from '../../processors/core/window.ts';
import { WINDOWS, type FeatureValue } from '../../processors/customer/features.ts';
import { DISTINCT_MAX, distincts, type Distinct } from '../../processors/customer/gather-distinct.ts';
import { maxima, minima, type Extremes } from '../../processors/customer/gather-extreme.ts';
import { lasts } from '../../processors/customer/gather-last.ts';
import { signedSums, sums } from '../../processors/customer/gather-sum.ts';
import type { Gathered, Gathering } from '../../processors/customer/gathering.ts';
import { SPANS } from '../../processors/customer/windows.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const START = Date.UTC(2026, 4, 1);

interface Happened {
  /** Of the record, in order. */
  readonly now: number;
  readonly at: number;
  readonly value: number;
}

type Kind = 'count' | 'sum' | 'min' | 'max' | 'distinct' | 'last';
const GATHERINGS: Readonly<Record<Kind, Gathering<unknown>>> = {
  count: sums,
  sum: signedSums,
  min: minima,
  max: maxima,
  distinct: distincts,
  last: lasts,
};
const KINDS = Object.keys(GATHERINGS) as Kind[];

/** From all events again, by the words of the definitions' reference. */
function expected(kind: Kind, happened: readonly Happened[], span: Span | null, now: number): Gathered | undefined {
  const inside = happened
    .filter(({ at }) => span === null || slotAt(RINGS[span.ring], at) >= firstSlot(span, now))
    .map(({ at, value }) => ({ at, value }));
  const values = inside.map(({ value }) => value);
  if (kind === 'sum' || kind === 'count') return values.reduce((total, value) => total + value, 0);
  if (kind === 'distinct') return new Set(values).size;
  if (values.length === 0) return undefined;
  if (kind === 'min') return Math.min(...values);
  if (kind === 'max') return Math.max(...values);
  // The latest event of all, when the window holds it.
  const latest = Math.max(...happened.map(({ at }) => at));
  const ofLatest = inside.filter(({ at }) => at === latest).map(({ value }) => value);
  return ofLatest.length === 0 ? undefined : Math.max(...ofLatest);
}

const gap = fc.oneof(
  fc.integer({ min: 0, max: 6 * MINUTE }),
  fc.integer({ min: 0, max: 100 }).map((minutes) => minutes * MINUTE),
  fc.integer({ min: 0, max: 3 * DAY }),
  fc.integer({ min: 0, max: 40 }).map((days) => days * DAY),
);
const anyStream = fc
  .array(
    fc.record({
      gap,
      late: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, gap),
      value: fc.integer({ min: -3, max: 6 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    let now = START;
    return steps.map(({ gap: passed, late, value }): Happened => {
      now += passed;
      return { now, at: now - late, value };
    });
  });

function gather(gathering: Gathering<unknown>, happened: readonly Happened[], isRepacking = false): unknown {
  let summary = gathering.initial();
  for (const { at, value, now } of happened) {
    gathering.add(summary, at, value, now);
    if (isRepacking) summary = repacked(gathering, summary);
  }
  return summary;
}

function repacked(gathering: Gathering<unknown>, summary: unknown): unknown {
  const writer = new ByteWriter();
  gathering.write(summary, writer);
  return gathering.read(writer.copy(), 0, writer.length);
}

/** What a glance at the packed summary says of every window, and of another one before it. */
function glanced(gathering: Gathering<unknown>, summary: unknown, now: number): FeatureValue[] {
  const writer = new ByteWriter();
  gathering.write(summary, writer);
  gathering.write(summary, writer);
  const [bytes, half] = [writer.copy(), writer.length / 2];
  const values: FeatureValue[] = [];
  for (const start of [0, half]) gathering.valuesIn(gathering.glance(bytes, start, start + half), now, values);
  return values;
}

describe.each(KINDS)('%s', (kind) => {
  const gathering = GATHERINGS[kind];
  // What is counted is never less than nothing.
  const stream =
    kind === 'count'
      ? anyStream.map((happened) => happened.map((each) => ({ ...each, value: Math.abs(each.value) })))
      : anyStream;

  test('over every window is what all events say, late ones and long silence included', () => {
    fc.assert(
      fc.property(stream, gap, fc.boolean(), (happened, silence, isRepacking) => {
        const now = (happened.at(-1)?.now ?? 0) + silence;
        const summary = gather(gathering, happened, isRepacking);
        for (const window of WINDOWS) {
          const span = SPANS[window];
          expect(gathering.valueIn(summary, span, now), window).toBe(expected(kind, happened, span, now));
        }
        const all = WINDOWS.map((window) => gathering.valueIn(summary, SPANS[window], now));
        const values: FeatureValue[] = [];
        gathering.valuesIn(summary, now, values);
        expect(values).toEqual(all);
        if (happened.length > 0) expect(glanced(gathering, summary, now)).toEqual(all);
      }),
      { numRuns: 300 },
    );
  });

  test('tells the very instant at which silence changes it', () => {
    fc.assert(
      fc.property(
        stream,
        fc.integer({ min: -3, max: 6 }),
        fc.constantFrom(...WINDOWS),
        (happened, threshold, window) => {
          const span = SPANS[window];
          if (span === null) return;
          const now = happened.at(-1)?.now ?? 0;
          const summary = gather(gathering, happened);
          const isLow = (at: number) => Number(gathering.valueIn(summary, span, at) ?? -100) < threshold;
          const here = isLow(now);
          const due = gathering.nextChange(summary, span, now, (value) => Number(value ?? -100) < threshold !== here);
          const ends = happened.map(
            ({ at }) => (slotAt(RINGS[span.ring], at) + span.hops + 1) * RINGS[span.ring].hopMs,
          );
          const flips = ends.filter((end) => end > now && isLow(end) !== here);
          expect(due).toBe(flips.length === 0 ? NEVER : Math.min(...flips));
          if (due !== NEVER) expect(isLow(due - 1)).toBe(here);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('of two customers is that of both, whoever is merged into whom', () => {
    fc.assert(
      fc.property(stream, stream, (left, right) => {
        const now = Math.max(left.at(-1)?.now ?? 0, right.at(-1)?.now ?? 0);
        for (const [into, other] of [
          [left, right],
          [right, left],
        ] as const) {
          const merged = gather(gathering, into);
          gathering.merge(merged, gather(gathering, other), now);
          for (const window of WINDOWS) {
            const span = SPANS[window];
            expect(gathering.valueIn(repacked(gathering, merged), span, now), window).toBe(
              expected(kind, [...left, ...right], span, now),
            );
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('what is kept stays bounded', () => {
  test('of extremes at most one value a tile', () => {
    const summary: Extremes = maxima.initial();
    // Ever less, so that none outdoes another.
    for (let index = 0; index < 60_000; index++) {
      const now = START + index * 10 * MINUTE;
      maxima.add(summary, now, 1_000_000 - index, now);
    }
    expect(summary.ats.length).toBeLessThanOrEqual(13 + 169 + 366);
    expect(summary.ats.length).toBeGreaterThan(500);
  });

  test('of distinct values the newest, and windows that hold fewer are exact', () => {
    const summary: Distinct = distincts.initial();
    for (let index = 0; index < 1_000; index++) {
      const now = START + index * 20 * MINUTE;
      distincts.add(summary, now, `product-${index}`, now);
    }
    const now = START + 1_000 * 20 * MINUTE;
    expect(summary.ats.length).toBe(DISTINCT_MAX);
    expect(distincts.valueIn(summary, SPANS['1h'], now)).toBe(3);
    expect(distincts.valueIn(summary, SPANS['7d'], now)).toBe(DISTINCT_MAX);
    const writer = new ByteWriter();
    distincts.write(summary, writer);
    expect(writer.length).toBeLessThan(DISTINCT_MAX * 12);
  });
});

test('the last of texts at the same millisecond is the greater one, by code point', () => {
  for (const values of [
    ['\uff01', '\u{1f600}'],
    ['\u{1f600}', '\uff01'],
  ]) {
    const summary = lasts.initial();
    for (const value of values) lasts.add(summary, START, value, START);
    expect(lasts.valueIn(summary, null, START)).toBe('\u{1f600}');
  }
});
