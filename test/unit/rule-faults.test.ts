import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contradictionOf } from '../../processors/customer/rule-contradictions.ts';
import { MAX_RULE_DEPTH, MAX_RULE_SIZE } from '../../processors/customer/rule-syntax.ts';
import { definitionsWith, refusalOf } from '../harness/definition-sets.ts';
import { parsedOn } from '../harness/compiled-rule.ts';
import { profiles, rules } from '../harness/rule-generators.ts';
import { finds } from '../harness/rule-interpreter.ts';

const refused = (where: Readonly<Record<string, unknown>>) => refusalOf(definitionsWith({ probe: where }));
const WHERE = 'segments/probe.json: where';

describe('a rule that cannot be served is refused with its place and the fix', () => {
  test.each([
    [
      { 'traits.order.30d': 1 },
      `${WHERE}["traits.order.30d"]: unknown path "traits.order.30d"; did you mean "traits.orders.30d"?`,
    ],
    [
      { 'traits.orders.31d': 1 },
      `${WHERE}["traits.orders.31d"]: unknown path "traits.orders.31d"; did you mean "traits.orders.30d"? (windows: 1h 24h 7d 30d 90d 365d lifetime)`,
    ],
    [{ zzz: 1 }, `${WHERE}["zzz"]: unknown path "zzz"`],
    [{ 'churn.score': 1 }, `${WHERE}["churn.score"]: unknown path "churn.score"; "churn" has probability, band`],
    [
      { 'segments.0': 'vip' },
      `${WHERE}["segments.0"]: unknown path "segments.0"; did you mean "segments"? (write {"segments": "<id>"})`,
    ],
    [
      { 'traits.orders': 1 },
      `${WHERE}["traits.orders"]: "traits.orders" is a group of values; name one of them, for example "traits.orders.1h"`,
    ],
    [
      { 'scores.rating': 4 },
      `${WHERE}["scores.rating"]: unknown path "scores.rating"; "scores" has nps, csat, ces, sentiment`,
    ],
    [
      { 'attributes.a.b': 'x' },
      `${WHERE}["attributes.a.b"]: "attributes.a.b" reaches inside an attribute, but attributes are plain texts: "attributes.<name>" without further dots`,
    ],
    [
      { attributes: 'x' },
      `${WHERE}["attributes"]: "attributes" is a group of values; name one of them: "attributes.<name>"`,
    ],
    [{ $where: 'true' }, `${WHERE}.$where: $where is not allowed in a rule: it runs code`],
    [{ $expr: {} }, `${WHERE}.$expr: $expr is not allowed in a rule: it compares fields with expressions`],
    [
      { 'attributes.a': { $regex: 'x' } },
      `${WHERE}["attributes.a"].$regex: $regex is not allowed in a rule: it can take unbounded time`,
    ],
    [{ 'attributes.a': { $gtt: 'x' } }, `${WHERE}["attributes.a"].$gtt: unknown operator $gtt; did you mean "$gt"?`],
    [
      { $not: { identified: true } },
      `${WHERE}.$not: $not stands inside a path, {"<path>": {"$not": {…}}}; around whole rules use $nor`,
    ],
    [{ $gt: 1 }, `${WHERE}.$gt: $gt stands inside a path: {"<path>": {"$gt": …}}`],
    [{ identified: { $or: [] } }, `${WHERE}["identified"].$or: $or stands around whole rules, not inside a path`],
    [
      { identified: { $not: true } },
      `${WHERE}["identified"].$not: $not takes conditions such as {"$gte": 2}; for one value use $ne`,
    ],
    [{ identified: {} }, `${WHERE}["identified"]: is empty; compare with a value, for example {"$gte": 1}`],
    [
      { identified: { yes: true } },
      `${WHERE}["identified"].yes: "identified" holds one value: compare it with operators such as {"$eq": …}, not with "yes"`,
    ],
    [{ identified: [true] }, `${WHERE}["identified"]: cannot equal a list; use {"$in": […]} for any of several values`],
    [{ identified: { $in: true } }, `${WHERE}["identified"].$in: $in takes a list of values`],
    [
      { identified: { $in: [true, [1]] } },
      `${WHERE}["identified"].$in[1]: cannot compare with a list; use {"$in": […]}`,
    ],
    [
      { identified: { $eq: { a: 1 } } },
      `${WHERE}["identified"].$eq: compares with a text, a number, true, false or null only`,
    ],
    [{ identified: { $exists: 1 } }, `${WHERE}["identified"].$exists: $exists takes true or false`],
    [{ $or: [] }, `${WHERE}.$or: $or takes a list of at least one rule`],
    [
      { $and: [{ identified: true }, 5] },
      `${WHERE}.$and[1]: must be an object such as {"traits.orders.30d": {"$gte": 2}}`,
    ],
    [{ segments: { $size: -1 } }, `${WHERE}["segments"].$size: $size takes a whole number, 0 or more`],
    [{ segments: { $size: '2' } }, `${WHERE}["segments"].$size: $size takes a whole number, 0 or more`],
    ...[{}, 'vip', { id: 'vip' }].map((operand): [Readonly<Record<string, unknown>>, string] => [
      { segments: { $elemMatch: operand } },
      `${WHERE}["segments"].$elemMatch: $elemMatch takes conditions on one element, such as {"$gt": "a", "$ne": "b"}`,
    ]),
    [
      { segments: { $elemMatch: { $or: [] } } },
      `${WHERE}["segments"].$elemMatch.$or: $or stands around whole rules, not inside a path`,
    ],
    [
      { segments: { $all: ['probe', { $elemMatch: { $gt: 'a' } }] } },
      `${WHERE}["segments"].$all: $all takes values or {"$elemMatch": …}, not both`,
    ],
    // What JSON has no word for is no constant: a date is an object, and NaN cannot be written.
    [
      { 'ages.orders': { $gt: { $date: '2026-01-01' } } },
      `${WHERE}["ages.orders"].$gt: compares with a text, a number, true, false or null only`,
    ],
    [{ 'ages.orders': { $in: [NaN] } }, `${WHERE}["ages.orders"].$in[0]: is a number too large to be compared`],
    [
      { 'traits.orders.30d': { $gt: Infinity } },
      `${WHERE}["traits.orders.30d"].$gt: is a number too large to be compared`,
    ],
    [{ 'attributes.a': 'half \ud83d' }, `${WHERE}["attributes.a"]: is not a valid text`],
  ])('%j', (where, fault) => {
    expect(refused(where)).toEqual([fault]);
  });

  test('every fault of a rule is told at once', () => {
    expect(refused({ $or: [{ nope: 1 }, { $where: '' }], identified: { $in: 3 } })).toHaveLength(3);
  });

  test('depth and size are limited', () => {
    const nested = (levels: number): Readonly<Record<string, unknown>> =>
      levels === 0 ? { identified: true } : { $and: [nested(levels - 1)] };
    expect(refused(nested(MAX_RULE_DEPTH - 1))).toEqual([]);
    expect(refused(nested(MAX_RULE_DEPTH))[0]).toContain('nested deeper than');
    expect(refused(nested(5_000))[0]).toContain('nested deeper than');
    const not = (levels: number): object => (levels === 0 ? { $eq: true } : { $not: not(levels - 1) });
    expect(refused({ identified: not(5_000) })[0]).toContain('nested deeper than');
    const list = (length: number) => ({ 'traits.orders.30d': { $in: Array.from({ length }, (_, index) => index) } });
    expect(refused(list(MAX_RULE_SIZE))).toEqual([]);
    expect(refused(list(MAX_RULE_SIZE + 1))).toEqual([
      `${WHERE}: has more than ${MAX_RULE_SIZE} comparisons; give a part its own segment and name it`,
    ]);
  });
});

describe('a rule that can never be true is refused', () => {
  test.each([
    [
      { 'traits.orders.30d': { $gt: 5, $lt: 3 } },
      '"traits.orders.30d" is a whole number, 0 or more, so nothing is > 5 and < 3',
    ],
    [{ 'traits.orders.30d': { $lt: 0 } }, '"traits.orders.30d" is a whole number, 0 or more, so nothing is < 0'],
    [
      { 'traits.orders.30d': { $gt: 1, $lt: 2 } },
      '"traits.orders.30d" is a whole number, 0 or more, so nothing is > 1 and < 2',
    ],
    [{ 'traits.orders.30d': '2' }, '"traits.orders.30d" is a whole number, 0 or more, so nothing is = "2"'],
    [{ 'traits.orders.30d': null }, '"traits.orders.30d" is a whole number, 0 or more, so nothing is = null'],
    [
      { 'traits.orders.30d': { $exists: false } },
      '"traits.orders.30d" is a whole number, 0 or more, so nothing is missing',
    ],
    [{ 'ages.orders': { $in: [] } }, '"ages.orders" is a whole number, 0 or more or missing, so nothing is in []'],
    [
      { 'ages.orders': { $gte: 0, $exists: false } },
      '"ages.orders" is a whole number, 0 or more or missing, so nothing is >= 0 and missing',
    ],
    [{ 'ratios.ctr.30d': { $lt: 0 } }, '"ratios.ctr.30d" is a number, 0 or more or missing, so nothing is < 0'],
    [{ 'churn.probability': { $gt: 1 } }, '"churn.probability" is a number, 0 to 1 or missing, so nothing is > 1'],
    [
      { 'churn.probability': { $gt: null } },
      '"churn.probability" is a number, 0 to 1 or missing, so nothing is > null',
    ],
    [{ 'churn.band': 'high' }, '"churn.band" is one of LOW, MEDIUM, HIGH or missing, so nothing is = "high"'],
    [{ 'attributes.age': { $gt: 5 } }, '"attributes.age" is a text or missing, so nothing is > 5'],
    [
      { 'attributes.plan': { $all: ['a', 'b'] } },
      '"attributes.plan" is a text or missing, so nothing is = "a" and = "b"',
    ],
    [{ 'attributes.plan': { $lt: '' } }, '"attributes.plan" is a text or missing, so nothing is < ""'],
    [
      { 'attributes.plan': { $gt: 'a', $lt: 'a\u0000' } },
      '"attributes.plan" is a text or missing, so nothing is > "a" and < "a\\u0000"',
    ],
    [{ identified: { $gt: true } }, '"identified" is true or false, so nothing is > true'],
    [{ segments: null }, 'an empty list matches nothing'],
    [{ segments: { $in: [] } }, 'an empty list matches nothing'],
    [
      { identified: { $elemMatch: { $eq: true } } },
      '"identified" is true or false, so nothing is with an element = true',
    ],
    [{ 'ages.orders': { $size: 1 } }, '"ages.orders" is a whole number, 0 or more or missing, so nothing is of size 1'],
    [{ segments: { $size: 1, $not: { $size: 1 } } }, 'the number of segments cannot be of size 1 and not of size 1'],
    [
      { $and: [{ segments: { $size: 1 } }, { segments: { $size: 2 } }] },
      'the number of segments cannot be of size 1 and of size 2',
    ],
    [
      { segments: { $size: 0, $elemMatch: { $gt: 'a' } } },
      'the number of segments cannot be of size 0, with at least 1 by what else is asked',
    ],
    [{ segments: { $gt: 5 } }, 'no segment can be the one asked for: with an element > 5'],
    [
      { segments: { $elemMatch: { $gt: 'b', $lt: 'a' } } },
      'no segment can be the one asked for: with an element > "b" and < "a"',
    ],
    [
      { $and: [{ identified: true }, { $nor: [{ identified: true }] }] },
      '"identified" is true or false, so nothing is = true and != true',
    ],
  ])('%j', (where, reason) => {
    expect(refused(where)).toEqual([`${WHERE}: can never be true: ${reason}`]);
  });

  test('of segments named and segments counted', () => {
    const known = { vip: {}, new: { identified: true } };
    expect(refusalOf(definitionsWith({ ...known, probe: { segments: { $size: 1, $all: ['vip', 'new'] } } }))).toEqual([
      `${WHERE}: can never be true: the number of segments cannot be of size 1, with at least 2 by what else is asked`,
    ]);
    const without = { segments: { $eq: 'vip', $not: { $elemMatch: { $gt: 'a' } } } };
    expect(refusalOf(definitionsWith({ ...known, probe: without }))).toEqual([
      `${WHERE}: can never be true: it asks for segment "vip" and for segments without an element > "a"`,
    ]);
    const fine = { segments: { $size: 3, $ne: 'new', $elemMatch: { $gt: 'vip', $ne: 'x' } } };
    expect(refusalOf(definitionsWith({ ...known, probe: fine }))).toEqual([]);
  });

  test('over alternatives and segments', () => {
    const contradictory = {
      'traits.orders.30d': 0,
      $or: [{ 'traits.orders.30d': 1 }, { 'traits.orders.30d': { $gt: 2 } }],
    };
    expect(refused(contradictory)).toEqual([
      `${WHERE}: can never be true: every alternative contradicts itself, for example: "traits.orders.30d" is a whole number, 0 or more, so nothing is = 0 and = 1`,
    ]);
    const vip = { identified: true };
    expect(
      refusalOf(definitionsWith({ vip, probe: { $and: [{ segments: 'vip' }, { segments: { $ne: 'vip' } }] } })),
    ).toEqual([`${WHERE}: can never be true: it asks for being in segment "vip" and for not being in it`]);
  });

  test.each([
    [{}],
    [{ 'traits.revenue.30d': { $lt: 0 } }],
    [{ 'ratios.ctr.30d': { $gt: 0.1, $lt: 0.2 } }],
    [{ 'ages.orders': null }],
    [{ 'traits.orders.30d': { $ne: 'text' } }],
    [{ 'attributes.plan': { $gt: 'a', $lt: 'b' } }],
    [{ 'attributes.plan': { $nin: ['a', 'b', null], $not: { $gte: 'c' } } }],
    [{ $or: [{ 'traits.orders.30d': { $lt: 0 } }, { identified: true }] }],
    [{ 'traits.orders.30d': { $nin: [0, 1, 2, 3, 4, 5] } }],
  ])('%j can be true', (where) => {
    expect(refused(where)).toEqual([]);
  });

  test('a refused rule matches no profile', () => {
    fc.assert(
      fc.property(rules, fc.array(profiles, { minLength: 20, maxLength: 20 }), (rule, drawn) => {
        const contradiction = contradictionOf(parsedOn(rule));
        if (contradiction === null) return;
        expect(drawn.filter((profile) => finds(profile, rule))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
