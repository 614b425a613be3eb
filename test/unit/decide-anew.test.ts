import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { suspectDifferences } from '../../processors/customer/decide-anew.ts';
import { planOf } from '../../processors/customer/plan.ts';
import { definitionsWith, slotValues } from '../harness/definition-sets.ts';

const RULES = {
  'has-visited': { 'traits.page_views.30d': { $gte: 1 } },
  'never-ordered': { 'traits.orders.lifetime': 0, 'ages.orders': null },
  'often-visited': { 'traits.page_views.30d': { $gte: 3 } },
  'not-often': { segments: { $ne: 'often-visited' }, identified: true },
  'in-none': { segments: { $size: 0 } },
  'gone-cold': { $or: [{ 'ages.orders': { $gte: 30 } }, { 'churn.band': 'HIGH' }] },
  'no-ratio': { 'ratios.ctr.30d': { $exists: false } },
  'half-clicked': { 'ratios.ctr.30d': { $gte: 0.5 } },
  golden: { 'attributes.plan': { $in: ['gold', null] } },
};

const profile = fc.record({
  'traits.page_views.30d': fc.nat(4),
  'traits.orders.lifetime': fc.nat(1),
  'ages.orders': fc.option(fc.constantFrom(0, 29, 30, 31), { nil: undefined }),
  'churn.band': fc.option(fc.constantFrom('LOW', 'HIGH'), { nil: undefined }),
  'ratios.ctr.30d': fc.option(fc.constantFrom(0, 0.25, 0.5, 1), { nil: undefined }),
  'attributes.plan': fc.option(fc.constantFrom('gold', 'silver'), { nil: undefined }),
  identified: fc.boolean(),
});

test('whoever is decided anew is in the segments that evaluating every one of them finds', () => {
  const plan = planOf(compileDefinitions(definitionsWith(RULES))('acme'));
  const { rules, scratch, namedBy } = plan;
  fc.assert(
    fc.property(profile, (byPath) => {
      const values = slotValues(rules, byPath);
      scratch.values.splice(0, values.length, ...values);
      // What the customer was in before makes no difference.
      scratch.members.fill(1);
      suspectDifferences(plan);
      const expected = new Uint8Array(rules.segments.length);
      for (const [place, { matches }] of rules.segments.entries()) {
        expected[place] = matches(values, expected) ? 1 : 0;
        if (scratch.suspects[place] === 1) {
          const isMember = matches(values, scratch.members) ? 1 : 0;
          if (isMember !== scratch.members[place])
            for (const naming of namedBy[place] ?? []) scratch.suspects[naming] = 1;
          scratch.members[place] = isMember;
        }
      }
      expect(scratch.members).toEqual(expected);
    }),
  );
});

test('of somebody who did nothing no segment is looked at', () => {
  const plan = planOf(compileDefinitions(definitionsWith(RULES))('acme'));
  suspectDifferences(plan);
  const { values = [], members } = plan.scratch.nobody ?? {};
  plan.scratch.values.splice(0, values.length, ...values);
  suspectDifferences(plan);
  expect([...plan.scratch.suspects]).not.toContain(1);
  const ids = plan.rules.segments.filter((_, place) => members?.[place] === 1).map(({ id }) => id);
  expect(ids.sort()).toEqual(['golden', 'never-ordered', 'no-ratio']);
});
