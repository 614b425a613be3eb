import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileDefinitions, region } from '../../processors/customer/brand-rules.ts';
import { planOf } from '../../processors/customer/plan.ts';
import { findReaders, noteMove } from '../../processors/customer/readers.ts';
import { definitionsWith, slotValues } from '../harness/definition-sets.ts';

const PATH = 'ages.orders';

const number = fc.integer({ min: 0, max: 6 });
const condition = fc.oneof(
  fc.record({ $gte: number }),
  fc.record({ $gt: number }),
  fc.record({ $lte: number }),
  fc.record({ $lt: number, $gte: number }).filter(({ $lt, $gte }) => $gte < $lt),
  fc.record({ $eq: fc.oneof(number, fc.constant(null)) }),
  fc.record({ $ne: number }),
  fc.record({ $in: fc.uniqueArray(fc.oneof(number, fc.constant(null)), { minLength: 1, maxLength: 3 }) }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $not: fc.record({ $gt: number }) }),
);
const value = fc.option(fc.integer({ min: 0, max: 7 }), { nil: undefined });

test('whatever a value goes from and to, who flips is among those found', () => {
  fc.assert(
    fc.property(fc.array(condition, { minLength: 1, maxLength: 8 }), value, value, (conditions, before, after) => {
      const { rules, readers, scratch } = planWith(conditions);
      const slot = 0;
      const thresholds = rules.thresholds[slot] ?? [];
      noteMove(scratch, slot, region(thresholds, before), region(thresholds, after));
      const found = findReaders(readers, scratch);
      expect(found).toBe(scratch.suspects.includes(1));
      for (const [place, { matches }] of rules.segments.entries()) {
        const isIn = (days: number | undefined) => matches(slotValues(rules, { [PATH]: days }), scratch.members);
        if (isIn(before) !== isIn(after)) expect(scratch.suspects[place]).toBe(1);
      }
    }),
  );
});

test('of rules that ask for different numbers only those are found whose number was passed', () => {
  const plan = planWith([{ $gte: 1 }, { $gte: 2 }, { $gt: 2 }, { $lt: 3 }, { $lte: 3 }, { $eq: 2 }, { $exists: true }]);
  const found = (from: number | undefined, to: number | undefined): number[] => {
    const thresholds = plan.rules.thresholds[0] ?? [];
    plan.scratch.moved.fill(0);
    noteMove(plan.scratch, 0, region(thresholds, from), region(thresholds, to));
    findReaders(plan.readers, plan.scratch);
    return placesIn(plan.scratch.suspects);
  };
  expect(found(1, 2)).toEqual([1, 5]);
  expect(found(2, 3)).toEqual([2, 3, 5]);
  expect(found(3, 4)).toEqual([4]);
  expect(found(4, 5)).toEqual([]);
  expect(found(3, 1)).toEqual([1, 2, 3, 5]);
  expect(found(undefined, 4)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('of two moves at one instant everybody is found', () => {
  const { readers, scratch } = planWith([{ $gte: 1 }, { $gte: 5 }]);
  noteMove(scratch, 0, 0, 1);
  noteMove(scratch, 0, 1, 2);
  expect(findReaders(readers, scratch)).toBe(true);
  expect(placesIn(scratch.suspects)).toEqual([0, 1]);
});

function planWith(conditions: readonly object[]): ReturnType<typeof planOf> {
  const segments = Object.fromEntries(conditions.map((asked, index) => [`s${index}`, { [PATH]: asked }]));
  return planOf(compileDefinitions(definitionsWith(segments))('acme'));
}

function placesIn(suspects: Uint8Array): number[] {
  return [...suspects.entries()].filter(([, is]) => is === 1).map(([place]) => place);
}
