import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { flipOf, sortFlips } from '../../processors/customer/flips.ts';
import { listAfter, readMembers } from '../../processors/customer/member-lists.ts';
import { planOf } from '../../processors/customer/plan.ts';
import { NO_SEGMENTS, segmentList, type SegmentList } from '../../processors/customer/segment-list.ts';
import { definitionsWith } from '../harness/definition-sets.ts';

const SEGMENTS = 12;
const places = fc.uniqueArray(fc.integer({ min: 0, max: SEGMENTS - 1 }), { minLength: 1, maxLength: 6 });

test('whatever is entered and left, the list is that of who is in, by id, and the same for everybody in the same segments', () => {
  const plan = planOf(compileDefinitions(definitionsWith(rules()))('acme'));
  const { members } = plan.scratch;
  const seen = new Map<string, SegmentList>();
  fc.assert(
    fc.property(fc.array(places, { minLength: 1, maxLength: 10 }), fc.boolean(), (turns, isStored) => {
      let list = NO_SEGMENTS;
      for (const turned of turns) {
        expect(readMembers(list, plan)).toEqual([]);
        const flips = turned.map((place) => {
          members[place] = 1 - (members[place] ?? 0);
          return flipOf(plan, place, members[place] === 1);
        });
        sortFlips(flips);
        // As it is after a restart: known by its ids alone.
        const after = listAfter(plan, isStored ? segmentList(list.ids) : list, flips);
        const ids = plan.rules.segments.filter((_, place) => members[place] === 1).map(({ id }) => id);
        expect(after.ids).toEqual(ids.sort());
        expect(after.places.map((place) => plan.rules.segments[place]?.id)).toEqual(after.ids);
        const name = ids.join();
        expect(after).toBe(seen.get(name) ?? after);
        seen.set(name, after);
        list = after;
      }
    }),
  );
});

function rules(): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Array.from({ length: SEGMENTS }, (_, index) => [`segment-${index}`, { 'traits.orders.30d': { $gte: index } }]),
  );
}
