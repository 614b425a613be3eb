import fc from 'fast-check';
import type { Document } from './rule-interpreter.ts';

/** Segment ids that generated documents and rules speak of. */
export const SEGMENT_IDS = ['vip', 'new', 'lost'] as const;

/** Paths of the profile view, few enough for rules and documents to meet often. */
export const PATHS = [
  'traits.orders.30d',
  'traits.revenue.7d',
  'ratios.ctr.30d',
  'ratios.basket.90d',
  'ages.orders',
  'churn.probability',
  'churn.band',
  'affinity.category',
  'affinity.hour',
  'scores.nps',
  'scores.sentiment',
  'attributes.plan',
  'attributes.city',
  'identified',
] as const;

// Neighbours in JavaScript's order of texts and in that of code points differ: U+FF01 and an emoji.
const TEXTS = ['', 'LOW', 'HIGH', 'gold', 'golden', 'Gold', 'é', '\uff01', '\u{1f600}', '5', 'null'];
const NUMBERS = [-3, -1, 0, 0.25, 0.5, 1, 2, 2.5, 30, 1e15];

const text = fc.constantFrom(...TEXTS);
const number = fc.oneof(fc.constantFrom(...NUMBERS), fc.integer({ min: -2, max: 4 }));
const scalar = fc.oneof(number, text, fc.boolean(), fc.constant(null));
/** What find() must cope with, although the profile view holds one type a path. */
const anything = fc.oneof(
  scalar,
  fc.constantFrom(NaN, Infinity, -Infinity, -0),
  fc.constantFrom(new Date(0), new Date(1), new Date(Date.UTC(2026, 4, 1))),
  fc.array(fc.oneof({ weight: 4, arbitrary: scalar }, fc.constantFrom(NaN, new Date(1), [], [1], ['gold', null], {})), {
    maxLength: 3,
  }),
  fc.constantFrom({}, { a: 1 }),
  fc.constant(undefined),
);

const segmentId = fc.constantFrom(...SEGMENT_IDS);
const comparison = fc.oneof(
  ...['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'].map((operator) => scalar.map((operand) => ({ [operator]: operand }))),
  ...['$in', '$nin', '$all'].map((operator) =>
    fc.array(scalar, { maxLength: 3 }).map((list) => ({ [operator]: list })),
  ),
  fc.array(scalar, { minLength: 9, maxLength: 12 }).map((list) => ({ $in: list })),
  fc.boolean().map(($exists) => ({ $exists })),
  fc.nat({ max: 3 }).map(($size) => ({ $size })),
);
const conditions: fc.Arbitrary<object> = fc.letrec<{ all: object }>((tie) => ({
  all: fc.oneof(
    { maxDepth: 2 },
    comparison,
    fc.tuple(comparison, comparison).map(([left, right]) => ({ ...left, ...right })),
    tie('all').map(($not) => ({ $not })),
    tie('all').map(($elemMatch) => ({ $elemMatch })),
    fc
      .array(tie('all'), { minLength: 1, maxLength: 2 })
      .map((all) => ({ $all: all.map(($elemMatch) => ({ $elemMatch })) })),
  ),
})).all;
const memberConditions: fc.Arbitrary<unknown> = fc.oneof(
  segmentId,
  segmentId.map(($ne) => ({ $ne })),
  ...['$in', '$nin', '$all'].map((operator) =>
    fc.array(segmentId, { maxLength: 2 }).map((list) => ({ [operator]: list })),
  ),
  segmentId.map(($eq) => ({ $elemMatch: { $eq } })),
  segmentId.map(($eq) => ({ $not: { $eq } })),
  ...['$gt', '$gte', '$lt', '$lte'].map((operator) =>
    fc.oneof(segmentId, scalar).map((operand) => ({ [operator]: operand })),
  ),
  fc.nat({ max: 3 }).map(($size) => ({ $size })),
  fc.tuple(fc.nat({ max: 3 }), segmentId).map(([$size, $ne]) => ({ $not: { $size }, $ne })),
  segmentId.map(($ne) => ({ $elemMatch: { $ne } })),
  fc.tuple(segmentId, segmentId).map(([$gt, $nin]) => ({ $elemMatch: { $gt, $nin: [$nin] } })),
  fc.tuple(segmentId, segmentId).map(([$ne, $lt]) => ({ $not: { $elemMatch: { $ne, $not: { $lt } } } })),
  conditions.map(($elemMatch) => ({ $elemMatch })),
  fc.tuple(segmentId, conditions).map(([$eq, $elemMatch]) => ({ $all: [{ $elemMatch: { $eq } }, { $elemMatch }] })),
  fc.boolean().map(($exists) => ({ $exists })),
  fc.constant(null),
);

const leaf: fc.Arbitrary<Document> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom(...PATHS), fc.oneof(conditions, scalar))
      .map(([path, wanted]) => ({ [path]: wanted })),
  },
  { weight: 1, arbitrary: memberConditions.map((segments) => ({ segments })) },
);

/** Rules of every allowed form over `PATHS` and `segments`, operands of any type. */
export const rules: fc.Arbitrary<Document> = fc.letrec<{ rule: Document }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.tuple(leaf, leaf).map(([left, right]) => ({ ...left, ...right })),
    ...['$and', '$or', '$nor'].map((operator) =>
      fc.array(tie('rule'), { minLength: 1, maxLength: 3 }).map((parts) => ({ [operator]: parts })),
    ),
    fc.tuple(leaf, fc.array(tie('rule'), { minLength: 1, maxLength: 2 })).map(([field, $or]) => ({ ...field, $or })),
  ),
})).rule;

/** Documents with anything at any of `PATHS`, missing included. */
export const documents: fc.Arbitrary<Document> = documentsOf(() => anything);

/** Documents as the profile view really has them. */
export const profiles: fc.Arbitrary<Document> = documentsOf((path) => {
  const optional = (value: fc.Arbitrary<unknown>) => fc.option(value, { nil: undefined });
  if (path === 'traits.orders.30d') return fc.nat({ max: 4 });
  if (path === 'traits.revenue.7d') return fc.integer({ min: -3, max: 30 });
  if (path === 'identified') return fc.boolean();
  if (path === 'ratios.ctr.30d') return optional(fc.constantFrom(0, 0.25, 0.5, 1, 2));
  if (path === 'ratios.basket.90d') return optional(fc.constantFrom(-2.5, -1, 0, 0.25, 2, 30));
  if (path === 'ages.orders') return optional(fc.nat({ max: 31 }));
  if (path === 'churn.probability') return optional(fc.constantFrom(0, 0.25, 0.5, 1));
  if (path === 'affinity.hour') return optional(fc.constantFrom(0, 1, 2, 23));
  if (path === 'scores.nps') return optional(fc.nat({ max: 10 }));
  if (path === 'scores.sentiment') return optional(fc.constantFrom(-1, -0.25, 0, 0.5, 1));
  if (path === 'churn.band') return optional(fc.constantFrom('LOW', 'MEDIUM', 'HIGH'));
  return optional(text);
});

function documentsOf(valueAt: (path: string) => fc.Arbitrary<unknown>): fc.Arbitrary<Document> {
  const leaves = fc.tuple(fc.uniqueArray(segmentId), ...PATHS.map((path) => valueAt(path)));
  return leaves.map(([segments, ...values]) => {
    const document: Record<string, unknown> = { segments };
    for (const [index, value] of values.entries()) {
      if (value !== undefined) put(document, (PATHS[index] ?? '').split('.'), value);
    }
    return document;
  });
}

function put(target: Record<string, unknown>, [head = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) target[head] = value;
  else put((target[head] ??= {}) as Record<string, unknown>, rest, value);
}
