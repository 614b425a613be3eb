import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileDefinitions, region } from '../../processors/customer/brand-rules.ts';
import type { BrandRules, CompiledSegment } from '../../processors/customer/brand-rules.ts';
import type { FeatureValue } from '../../processors/customer/features.ts';
import { definitionsWith, refusalOf, slotValues } from '../harness/definition-sets.ts';
import { evidenceOf } from '../harness/published-values.ts';

function segmentAt({ segments }: BrandRules, place: number): CompiledSegment {
  const segment = segments[place];
  if (segment === undefined) throw new RangeError(`no segment ${place}`);
  return segment;
}

/** All segments decided in order, as the customer processor does. */
function membersOf(rules: BrandRules, byPath: Readonly<Record<string, FeatureValue>>): string[] {
  const values = slotValues(rules, byPath);
  const members = new Uint8Array(rules.segments.length);
  for (const [index, segment] of rules.segments.entries()) members[index] = segment.matches(values, members) ? 1 : 0;
  return rules.segments.filter((_, index) => members[index] === 1).map((segment) => segment.id);
}

const CHURN = {
  brandId: 'acme',
  model: 'mbg-nbd' as const,
  horizonDays: 90,
  parameters: { r: 1, alpha: 1, a: 1, b: 1 },
  // Alive ½, buys if alive 1 − 1/(1 + H) with H = 90/7.
  baseline: { probability: 1 - (1 - 1 / (1 + 90 / 7)) / 2, x: 0, tx: 0, T: 0 },
  fittedAt: '2026-01-01T00:00:00Z',
  quality: {},
  version: 'v1',
  file: 'churn/acme.json',
};

describe('the rules of a brand', () => {
  test('every path has one slot and its sorted constants', () => {
    const rules = compileDefinitions(
      definitionsWith({
        b: { 'ages.orders': { $gte: 30, $lt: 90 }, 'attributes.plan': 'gold' },
        a: { $nor: [{ 'ages.orders': { $in: [60, 30, null] } }, { identified: false }] },
      }),
    )('acme');
    expect(rules.segments.map(({ id, slots }) => [id, slots])).toEqual([
      ['a', [0, 1]],
      ['b', [0, 2]],
    ]);
    expect(rules.features).toEqual([
      { kind: 'age', measure: 'orders' },
      { kind: 'identified' },
      { kind: 'attribute', name: 'plan' },
    ]);
    expect(rules.thresholds).toEqual([[30, 60, 90], [], []]);
  });

  test('carry the brand, or the default brand under the name asked for', () => {
    const rulesOf = compileDefinitions(definitionsWith({}, [CHURN]));
    expect(rulesOf('acme')).toMatchObject({
      brandId: 'acme',
      currency: 'JPY',
      hash: 'hash-of-the-set',
      churn: { horizonDays: 90, version: 'v1' },
    });
    expect(rulesOf('other')).toMatchObject({ brandId: 'other', currency: 'USD', timeZone: 'UTC', churn: null });
    expect(rulesOf('acme')).toBe(rulesOf('acme'));
    expect(rulesOf('other')).toBe(rulesOf('other'));
  });

  test('hold the segments of the brand and of every brand', () => {
    const rulesOf = compileDefinitions(
      definitionsWith({
        everybody: {},
        own: { brands: ['acme'], where: {} },
        theirs: { brands: ['beta', 'gamma'], where: {} },
      }),
    );
    const ids = (brand: string) => rulesOf(brand).segments.map((segment) => segment.id);
    expect(ids('acme')).toEqual(['everybody', 'own']);
    expect(ids('gamma')).toEqual(['everybody', 'theirs']);
    expect(ids('unheard-of')).toEqual(['everybody']);
  });

  test('refuse a model whose baseline is not its own', () => {
    const wrong = { ...CHURN, baseline: { ...CHURN.baseline, probability: 0.5 } };
    expect(refusalOf(definitionsWith({}, [wrong]))).toEqual([
      expect.stringContaining('churn/acme.json: baseline.probability: is 0.5'),
    ]);
  });
});

describe('segments of segments', () => {
  test('come after those they name, whatever their ids', () => {
    const rules = compileDefinitions(
      definitionsWith({
        a: { segments: 'c' },
        b: { 'traits.orders.30d': { $gte: 1 } },
        c: { segments: { $nin: ['b'] }, identified: true },
      }),
    )('acme');
    expect(rules.segments.map(({ id, names }) => [id, names])).toEqual([
      ['b', []],
      ['c', [0]],
      ['a', [1]],
    ]);
    expect(membersOf(rules, { 'traits.orders.30d': 0, identified: true })).toEqual(['c', 'a']);
    expect(membersOf(rules, { 'traits.orders.30d': 2, identified: true })).toEqual(['b']);
  });

  test('in a circle are refused, the circle named', () => {
    const circle = {
      a: { segments: 'b' },
      b: { segments: { $ne: 'c' } },
      c: { $or: [{ segments: 'a' }, { identified: true }] },
    };
    expect(refusalOf(definitionsWith(circle))).toEqual([
      'segments/a.json: where: segments name each other in a circle: a → b → c → a',
    ]);
    expect(refusalOf(definitionsWith({ a: { segments: 'a' } }))).toEqual([
      'segments/a.json: where: segments name each other in a circle: a → a',
    ]);
  });

  test('must exist, for every brand that needs them', () => {
    expect(refusalOf(definitionsWith({ vip: {}, other: { segments: 'vipp' } }))).toEqual([
      'segments/other.json: where["segments"]: unknown segment "vipp"; did you mean "vip"?',
    ]);
    const faults = refusalOf(
      definitionsWith({
        vip: { brands: ['acme'], where: {} },
        wide: { segments: { $in: ['vip'] } },
        other: { brands: ['beta', 'acme'], where: { segments: 'vip' } },
        same: { brands: ['acme'], where: { segments: 'vip' } },
      }),
    );
    expect(faults).toEqual([
      'segments/wide.json: where["segments"].$in: segment "vip" is for acme only, but this one is for every brand; give both the same brands',
      'segments/other.json: where["segments"]: segment "vip" is for acme only, but this one is for beta; give both the same brands',
    ]);
  });

  test('that count come after all that do not, and count only those', () => {
    const rules = compileDefinitions(
      definitionsWith({
        alone: { segments: { $size: 0 } },
        aside: { segments: 'alone' },
        other: { segments: { $elemMatch: { $gt: 'm', $ne: 'vip' } } },
        shop: { 'traits.orders.30d': { $gte: 1 } },
        vip: { 'traits.orders.30d': { $gte: 5 } },
      }),
    )('acme');
    expect(rules.segments.map(({ id, names }) => [id, names])).toEqual([
      ['shop', []],
      ['vip', []],
      ['alone', [0, 1]],
      ['aside', [2]],
      ['other', [0, 1]],
    ]);
    expect(membersOf(rules, { 'traits.orders.30d': 0 })).toEqual(['alone', 'aside']);
    expect(membersOf(rules, { 'traits.orders.30d': 2 })).toEqual(['shop', 'other']);
    expect(evidenceOf(segmentAt(rules, 2), [], Uint8Array.from([1, 1]))).toEqual([
      { path: 'segments', value: 2, comparison: 'of size 0' },
    ]);
    expect(evidenceOf(segmentAt(rules, 4), [], Uint8Array.from([1, 1]))).toEqual([
      { path: 'segments', value: true, comparison: 'with an element > "m" and != "vip"' },
    ]);
  });

  test('that count cannot name one that counts too', () => {
    const faults = refusalOf(
      definitionsWith({
        alone: { segments: { $size: 0 } },
        aside: { segments: 'alone' },
        third: { segments: { $eq: 'aside', $not: { $size: 2 } } },
      }),
    );
    expect(faults).toEqual([
      'segments/third.json: where["segments"].$eq: segment "aside" counts segments itself, or names one that does, so a rule that counts them cannot name it',
    ]);
  });

  test('all faults of all segments are told at once', () => {
    const faults = refusalOf(
      definitionsWith({ a: { nope: 1 }, b: { 'ages.orders': { $lt: 0 } }, c: { segments: 'd' } }),
    );
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'segments/a.json',
      'segments/b.json',
      'segments/c.json',
    ]);
  });
});

describe('evidence', () => {
  const rules = compileDefinitions(
    definitionsWith({
      a: {
        'traits.orders.30d': { $gte: 2 },
        $or: [{ 'churn.band': 'HIGH' }, { 'ages.orders': { $not: { $lt: 30 } } }],
      },
      b: { segments: { $ne: 'a' }, 'attributes.plan': { $in: ['gold', 'silver'] } },
    }),
  )('acme');
  const reasonsOf = (index: number, byPath: Readonly<Record<string, FeatureValue>>, members: number[]) =>
    evidenceOf(segmentAt(rules, index), slotValues(rules, byPath), Uint8Array.from(members));

  test('of a rule that is true is every leaf that is true', () => {
    expect(reasonsOf(0, { 'traits.orders.30d': 3, 'churn.band': 'LOW' }, [])).toEqual([
      { path: 'traits.orders.30d', value: 3, comparison: '>= 2' },
      { path: 'ages.orders', value: null, comparison: 'not < 30' },
    ]);
    expect(reasonsOf(1, { 'attributes.plan': 'gold' }, [0])).toEqual([
      { path: 'segments', value: false, comparison: 'does not contain "a"' },
      { path: 'attributes.plan', value: 'gold', comparison: 'in ["gold", "silver"]' },
    ]);
  });

  test('of a rule that is false is every leaf that is false', () => {
    expect(reasonsOf(0, { 'traits.orders.30d': 1, 'churn.band': 'HIGH', 'ages.orders': 2 }, [])).toEqual([
      { path: 'traits.orders.30d', value: 1, comparison: '>= 2' },
    ]);
    expect(reasonsOf(0, { 'traits.orders.30d': 2, 'churn.band': 'LOW', 'ages.orders': 2 }, [])).toEqual([
      { path: 'churn.band', value: 'LOW', comparison: '= "HIGH"' },
      { path: 'ages.orders', value: 2, comparison: 'not < 30' },
    ]);
    expect(reasonsOf(1, { 'attributes.plan': 'gold' }, [1])).toEqual([
      { path: 'segments', value: true, comparison: 'does not contain "a"' },
    ]);
  });

  test('has a value of any type', () => {
    const every = compileDefinitions(
      definitionsWith({
        a: {
          identified: true,
          'ratios.ctr.30d': { $gte: 0.5 },
          'attributes.plan': { $ne: 'gold' },
          'attributes.city': null,
        },
      }),
    )('acme');
    const values = slotValues(every, { identified: true, 'ratios.ctr.30d': 0.75, 'attributes.plan': 'silber-Ü' });
    expect(evidenceOf(segmentAt(every, 0), values).map(({ path, value }) => [path, value])).toEqual([
      ['identified', true],
      ['ratios.ctr.30d', 0.75],
      ['attributes.plan', 'silber-Ü'],
      ['attributes.city', null],
    ]);
  });

  test('cuts long values', () => {
    const [, plan] = reasonsOf(1, { 'attributes.plan': 'x'.repeat(1_000) }, [1]);
    expect(plan?.value).toBe(`${'x'.repeat(256)}…`);
  });
});

describe('the region of a value', () => {
  test('tells below, on and above each threshold apart', () => {
    expect([1, 2, 3, 5, 6].map((value) => region([2, 5], value))).toEqual([0, 1, 2, 3, 4]);
    expect([region([2], undefined), region([], undefined), region([], 7), region([], 'x'), region([], true)]).toEqual([
      -1, -1, 0, 0, 0,
    ]);
  });

  test('while it stays the same, no numeric comparison flips', () => {
    const constant = fc.integer({ min: -3, max: 3 });
    const value = fc.option(
      fc.integer({ min: -8, max: 8 }).map((halves) => halves / 2),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.array(constant, { minLength: 1, maxLength: 4 }), value, value, (constants, before, after) => {
        const operators = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'];
        const segments = Object.fromEntries(
          constants.flatMap((each, index) =>
            operators.map((operator) => [
              `s${index}${operator.slice(1)}`,
              { 'traits.revenue.30d': { [operator]: each } },
            ]),
          ),
        );
        const rules = compileDefinitions(definitionsWith(segments))('acme');
        const [thresholds = []] = rules.thresholds;
        fc.pre(region(thresholds, before) === region(thresholds, after));
        const members = (at: number | undefined) => membersOf(rules, { 'traits.revenue.30d': at });
        expect(members(after)).toEqual(members(before));
      }),
    );
  });
});
