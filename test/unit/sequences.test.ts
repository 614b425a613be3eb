import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { NEVER } from '../../processors/core/processor.ts';
import { mergeSequences, SEQUENCES } from '../../processors/customer/sequence-part.ts';
import {
  isHolding,
  newSequenceState,
  noteFirst,
  noteNext,
  REMEMBERED_FIRSTS_MAX,
  REMEMBERED_MAX,
  settleSequence,
  type SequenceState,
} from '../../processors/customer/sequence-state.ts';
import { parseSequence, type Sequence } from '../../processors/customer/sequences.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 4, 1);

function sequence(isNegative: boolean, within: string, stay?: string): Sequence {
  const other = { [isNegative ? 'thenNot' : 'then']: { type: 'ORDER_PLACED' } };
  const written = { first: { type: 'CART_ADD' }, ...other, within, ...(stay === undefined ? {} : { for: stay }) };
  const feature = parseSequence(written, 'where', [])?.feature;
  if (feature?.kind !== 'sequence') throw new Error('no sequence');
  return feature.sequence;
}

const SEQUENCE_LIST = [
  sequence(false, '20m'),
  sequence(false, '20m', '45m'),
  sequence(false, '45m', '1m'),
  sequence(true, '20m'),
  sequence(true, '20m', '45m'),
  sequence(true, '40m', '5m'),
];

interface Noted {
  readonly now: number;
  readonly at: number;
  readonly kind: 'first' | 'next' | 'both';
}

function expected({ isNegative, withinMs, forMs }: Sequence, noted: readonly Noted[], now: number): boolean {
  const stay = forMs ?? Infinity;
  const firsts = noted.filter(({ kind }) => kind !== 'next').map(({ at }) => at);
  const nexts = noted.filter(({ kind }) => kind !== 'first').map(({ at }) => at);
  if (isNegative) {
    return firsts.some((a) => a + withinMs <= now && now < a + withinMs + stay && !nexts.some((b) => b > a));
  }
  return nexts.some((b) => now < b + stay && firsts.some((a) => a < b && b <= a + withinMs));
}

function note(state: SequenceState, of: Sequence, { at, kind, now }: Noted): void {
  if (kind !== 'next') noteFirst(state, of, at);
  if (kind !== 'first') noteNext(state, of, at);
  settleSequence(state, of, now);
}

function stateOf(of: Sequence, noted: readonly Noted[]): SequenceState {
  const state = newSequenceState();
  for (const each of noted) note(state, of, each);
  return state;
}

const kind = fc.oneof(
  { weight: 6, arbitrary: fc.constant('first' as const) },
  { weight: 2, arbitrary: fc.constant('next' as const) },
  { weight: 1, arbitrary: fc.constant('both' as const) },
);
const streamOf = (maxLength: number, lateMax: number) =>
  fc
    .array(fc.record({ gap: fc.integer({ min: 0, max: 12 }), late: fc.integer({ min: 0, max: lateMax }), kind }), {
      minLength: 1,
      maxLength,
    })
    .map((steps) => {
      let now = START;
      return steps.map(({ gap, late, kind: of }): Noted => {
        now += gap * MINUTE;
        return { now, at: now - late * MINUTE, kind: of };
      });
    });
const ofAll = fc.constantFrom(...SEQUENCE_LIST);

/** Walks through silence from deadline to deadline, and holds each flip against all events. */
function expectSilenceOf(of: Sequence, state: SequenceState, noted: readonly Noted[]): void {
  let now = noted.at(-1)?.now ?? 0;
  for (let left = 100; left > 0; left--) {
    expect(isHolding(state, of, now)).toBe(expected(of, noted, now));
    if (state.due === NEVER) break;
    expect(state.due).toBeGreaterThan(now);
    expect(isHolding(state, of, state.due)).not.toBe(isHolding(state, of, now));
    expect(expected(of, noted, state.due - 1)).toBe(expected(of, noted, now));
    now = state.due;
    settleSequence(state, of, now);
  }
  for (let ahead = 0; ahead < 5; ahead++)
    expect(expected(of, noted, now + ahead * 37 * MINUTE)).toBe(isHolding(state, of, now));
}

describe('a sequence is what all events say', () => {
  test('in order, however many', () => {
    fc.assert(
      fc.property(ofAll, streamOf(120, 0), (of, noted) => {
        const state = newSequenceState();
        for (const [index, each] of noted.entries()) {
          note(state, of, each);
          expect(isHolding(state, of, each.now)).toBe(expected(of, noted.slice(0, index + 1), each.now));
        }
        expectSilenceOf(of, state, noted);
      }),
      { numRuns: 300 },
    );
  });

  test('in any order, as far as they are remembered', () => {
    fc.assert(
      fc.property(ofAll, streamOf(REMEMBERED_MAX, 120), (of, noted) => {
        const state = newSequenceState();
        for (const [index, each] of noted.entries()) {
          note(state, of, each);
          expect(isHolding(state, of, each.now)).toBe(expected(of, noted.slice(0, index + 1), each.now));
        }
        expectSilenceOf(of, state, noted);
      }),
      { numRuns: 500 },
    );
  });

  test('of two customers that become one', () => {
    fc.assert(
      fc.property(ofAll, streamOf(8, 60), streamOf(8, 60), (of, left, right) => {
        const now = Math.max(left.at(-1)?.now ?? 0, right.at(-1)?.now ?? 0);
        const both = [...left, ...right].map((each) => ({ ...each, now }));
        const merged = stateOf(of, left);
        mergeSequences(merged, stateOf(of, right), of, now);
        expectSilenceOf(of, merged, both);
      }),
      { numRuns: 500 },
    );
  });
});

test('its state is bounded and survives packing', () => {
  fc.assert(
    fc.property(ofAll, streamOf(200, 500), (of, noted) => {
      const state = stateOf(of, noted);
      expect(state.firsts.length).toBeLessThanOrEqual(of.isNegative ? REMEMBERED_FIRSTS_MAX : REMEMBERED_MAX);
      expect(state.nexts.length).toBeLessThanOrEqual(REMEMBERED_MAX);
      const writer = new ByteWriter();
      const values = new Map([[of.key, state]]);
      SEQUENCES.write(values, writer);
      expect(writer.length).toBeLessThan(200);
      const isEmpty = state.last < 0 && state.firsts.length === 0 && state.nexts.length === 0;
      expect(SEQUENCES.read(new ByteReader(writer.copy()), SEQUENCES.nextDue(values))).toEqual(
        new Map(isEmpty ? [] : [[of.key, state]]),
      );
    }),
    { numRuns: 200 },
  );
});
