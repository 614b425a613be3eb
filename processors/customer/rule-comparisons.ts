/**
 * One comparison of one value, exactly as MongoDB's find() decides it: null also means missing, comparisons never cross
 * types, an array matches when any of its elements does, texts are ordered by code point.
 * Source: MongoDB manual, "Query for Null or Missing Fields" and "Comparison/Sort Order"; held to a real server by a test.
 */
export type Scalar = number | string | boolean | null;

export type Comparison =
  | { readonly operator: '$eq' | '$gt' | '$gte' | '$lt' | '$lte'; readonly operand: Scalar }
  | { readonly operator: '$in'; readonly operand: readonly Scalar[] }
  | { readonly operator: '$exists'; readonly operand: true }
  /** The value is a list of exactly so many elements. */
  | { readonly operator: '$size'; readonly operand: number }
  /** The value is a list, and at least one of its elements alone meets the condition. */
  | { readonly operator: '$elemMatch'; readonly operand: Condition };

/** Comparisons of one value, joined; what stands below `$elemMatch`. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly children: readonly Condition[] }
  | { readonly kind: 'compare'; readonly comparison: Comparison; readonly negated: boolean };

type Ordering = '$gt' | '$gte' | '$lt' | '$lte';
export type Test = (value: unknown) => boolean;

/** Whether a value (`undefined` = missing) satisfies the comparison. Total; allocates nothing. */
export function testOf(comparison: Comparison): Test {
  switch (comparison.operator) {
    case '$exists':
      return (value) => value !== undefined;
    case '$eq':
      return equals(comparison.operand);
    case '$in':
      return isIn(comparison.operand);
    case '$size': {
      const size = comparison.operand;
      return (value) => Array.isArray(value) && value.length === size;
    }
    case '$elemMatch': {
      const test = elementTest(comparison.operand);
      return (value) => Array.isArray(value) && value.some(test);
    }
    default:
      return comparison.operand === null
        ? orderedNull(comparison.operator)
        : elementwise(ordered(comparison.operator, comparison.operand));
  }
}

/** Every constant that the value, or an element of it, is compared with. */
export function constantsOf(comparison: Comparison): readonly Scalar[] {
  switch (comparison.operator) {
    case '$exists':
    case '$size':
      return [];
    case '$in':
      return comparison.operand;
    case '$elemMatch':
      return constantsWithin(comparison.operand);
    default:
      return [comparison.operand];
  }
}

function constantsWithin(condition: Condition): readonly Scalar[] {
  return condition.kind === 'compare' ? constantsOf(condition.comparison) : condition.children.flatMap(constantsWithin);
}

/** Whether one element of a list meets a condition: a list inside the list is an element like any other, not looked into. */
export function elementTest(condition: Condition): Test {
  if (condition.kind === 'compare') {
    const { comparison, negated } = condition;
    const test = testOf(comparison);
    const isOfLists = comparison.operator === '$size' || comparison.operator === '$elemMatch';
    const isOfAny = isOfLists || comparison.operator === '$exists';
    return (element) => (isOfAny || !Array.isArray(element) ? test(element) : false) !== negated;
  }
  const tests = condition.children.map(elementTest);
  return condition.kind === 'and'
    ? (element) => tests.every((test) => test(element))
    : (element) => tests.some((test) => test(element));
}

function equals(operand: Scalar): Test {
  if (operand === null) return isNull;
  return (value) => value === operand || (Array.isArray(value) && value.includes(operand));
}

function isNull(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.includes(null));
}

function isIn(operands: readonly Scalar[]): Test {
  const nullable = operands.includes(null);
  // A short list is faster looked through than hashed.
  const among: (value: Scalar) => boolean =
    operands.length <= 8 ? (value) => operands.includes(value) : Set.prototype.has.bind(new Set<unknown>(operands));
  return (value) => {
    if (value === undefined) return nullable;
    if (Array.isArray(value)) return value.some(among);
    return among(value as Scalar);
  };
}

/** `>= null` and `<= null` match what equals null; `> null` and `< null` match nothing. */
function orderedNull(operator: Ordering): Test {
  return operator === '$gte' || operator === '$lte' ? isNull : () => false;
}

function elementwise(test: Test): Test {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

function ordered(operator: Ordering, operand: number | string | boolean): Test {
  if (typeof operand === 'string') {
    const accepts = acceptsOrder(operator);
    return (value) => typeof value === 'string' && accepts(compareTexts(value, operand));
  }
  const type = typeof operand;
  switch (operator) {
    case '$gt':
      return (value) => typeof value === type && (value as number | boolean) > operand;
    case '$gte':
      return (value) => typeof value === type && (value as number | boolean) >= operand;
    case '$lt':
      return (value) => typeof value === type && (value as number | boolean) < operand;
    case '$lte':
      return (value) => typeof value === type && (value as number | boolean) <= operand;
  }
}

function acceptsOrder(operator: Ordering): (order: number) => boolean {
  switch (operator) {
    case '$gt':
      return (order) => order > 0;
    case '$gte':
      return (order) => order >= 0;
    case '$lt':
      return (order) => order < 0;
    case '$lte':
      return (order) => order <= 0;
  }
}

/**
 * Negative, zero or positive as `left` sorts before, with or after `right` by code point, which is how the server compares
 * UTF-8 bytes. JavaScript's own `<` compares UTF-16 units and puts an emoji before U+FF01.
 */
export function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const leftUnit = left.charCodeAt(index);
    const rightUnit = right.charCodeAt(index);
    if (leftUnit !== rightUnit) return codePointRank(leftUnit) - codePointRank(rightUnit);
  }
  return left.length - right.length;
}

/** Moves the surrogates (D800–DFFF), halves of the highest code points, behind E000–FFFF. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** `>= 2`, `not >= 2`, `!= "gold"`, `in [1, 2]`, `missing`: the comparison as a person reads it. */
export function describeComparison(comparison: Comparison, negated: boolean): string {
  switch (comparison.operator) {
    case '$exists':
      return negated ? 'missing' : 'exists';
    case '$eq':
      return `${negated ? '!=' : '='} ${JSON.stringify(comparison.operand)}`;
    case '$in':
      return `${negated ? 'not in' : 'in'} [${comparison.operand.map((each) => JSON.stringify(each)).join(', ')}]`;
    case '$size':
      return `${negated ? 'not ' : ''}of size ${comparison.operand}`;
    case '$elemMatch':
      return `${negated ? 'without' : 'with'} an element ${describeCondition(comparison.operand)}`;
    default:
      return `${negated ? 'not ' : ''}${SIGNS[comparison.operator]} ${JSON.stringify(comparison.operand)}`;
  }
}

const SIGNS: Readonly<Record<Ordering, string>> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' };

function describeCondition(condition: Condition): string {
  if (condition.kind === 'compare') return describeComparison(condition.comparison, condition.negated);
  const parts = condition.children.map((child) =>
    child.kind === 'compare' ? describeCondition(child) : `(${describeCondition(child)})`,
  );
  return parts.join(` ${condition.kind} `);
}
