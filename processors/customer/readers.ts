import type { BrandRules, CompiledSegment } from './brand-rules.ts';
import type { PlanScratch } from './plan.ts';
import { constantsOf, type Comparison } from './rule-comparisons.ts';

/** A slot's value may be another one in any way: everybody who reads it is looked at. */
const MOVED = 1;
/** It went from one region to another one (brand-rules.ts), which are noted. */
const ACROSS = 2;
const MISSING = -1;

/** The segments that read a slot, by their places. */
export interface Readers {
  readonly all: readonly number[];
  /** By region: those that may flip when the value goes from this region to the next one, or back. */
  readonly atStep: readonly (readonly number[])[];
}

/** By slot. A hundred rules ask of the same sum whether it has reached a hundred numbers; an event moves it past one. */
export function readersOf({ features, thresholds, segments }: BrandRules): Readers[] {
  return features.map((_, slot) => {
    const own = thresholds[slot] ?? [];
    const placed = [...segments.entries()].filter(([, { slots }]) => slots.includes(slot));
    const steps = placed.map(([place, segment]) => ({ place, at: stepsOf(segment, slot, own) }));
    return {
      all: placed.map(([place]) => place),
      atStep: Array.from({ length: 2 * own.length }, (_step, step) =>
        steps.filter(({ at }) => at.has(step)).map(({ place }) => place),
      ),
    };
  });
}

/** Notes that the slot's value went from region `from` to region `to`. */
export function noteMove({ moved, movedFrom, movedTo }: PlanScratch, slot: number, from: number, to: number): void {
  if (from === to) return;
  // Of two moves at one instant the first may have ended anywhere.
  moved[slot] = moved[slot] === 0 ? ACROSS : MOVED;
  movedFrom[slot] = from;
  movedTo[slot] = to;
}

/** Marks in `suspects` whoever may flip, given what moved; answers whether there is anybody. */
export function findReaders(readers: readonly Readers[], scratch: PlanScratch): boolean {
  const { moved, movedFrom, movedTo, suspects } = scratch;
  let found = false;
  suspects.fill(0);
  for (let slot = 0; slot < moved.length; slot++) {
    const how = moved[slot];
    if (how === 0) continue;
    const { all, atStep } = readers[slot] ?? NOBODY;
    const from = movedFrom[slot] ?? MISSING;
    const to = movedTo[slot] ?? MISSING;
    if (how === MOVED || from === MISSING || to === MISSING) {
      if (markAll(all, suspects)) found = true;
      continue;
    }
    for (let step = Math.min(from, to), end = Math.max(from, to); step < end; step++) {
      if (markAll(atStep[step] ?? NO_PLACES, suspects)) found = true;
    }
  }
  return found;
}

/** The first place from `from` on that is marked; beyond the last one when there is none. Few are: eight are looked at at once. */
export function nextSuspect({ suspects, suspectsByEight }: PlanScratch, from: number): number {
  let place = from;
  while (place < suspects.length) {
    if (place % 8 === 0 && suspectsByEight[place / 8] === 0) place += 8;
    else if (suspects[place] === 1) return place;
    else place += 1;
  }
  return place;
}

/** The numbers that a value is compared with. */
export function numbersOf(comparison: Comparison): number[] {
  return constantsOf(comparison).filter((each) => typeof each === 'number');
}

const NO_PLACES: readonly number[] = [];
const NOBODY: Readers = { all: NO_PLACES, atStep: [] };

function markAll(places: readonly number[], suspects: Uint8Array): boolean {
  for (let index = 0; index < places.length; index++) suspects[places[index] ?? 0] = 1;
  return places.length > 0;
}

/** Between which regions of the slot a comparison of the segment flips: at 2·i from below threshold i onto it, at 2·i + 1 from it to above. */
function stepsOf({ comparisons }: CompiledSegment, slot: number, thresholds: readonly number[]): ReadonlySet<number> {
  const steps = new Set<number>();
  for (const comparison of comparisons.get(slot) ?? []) {
    for (const number of numbersOf(comparison)) {
      const onto = 2 * thresholds.indexOf(number);
      if (comparison.operator !== '$gt' && comparison.operator !== '$lte') steps.add(onto);
      if (comparison.operator !== '$gte' && comparison.operator !== '$lt') steps.add(onto + 1);
    }
  }
  return steps;
}
