/**
 * One comparison of one value, exactly as MongoDB's find() decides it: null also means missing, comparisons never cross
 * types, an array matches when any of its elements does, texts are ordered by code point.
 * Source: MongoDB manual, "Query for Null or Missing Fields" and "Comparison/Sort Order"; held to a real server by a test.
 */
export type Scalar = number | string | boolean | null;

export type Comparison =
  | { readonly operator: '$eq' | '$gt' | '$gte' | '$lt' | '$lte'; readonly operand: Scalar }
  | { readonly operator: '$in'; readonly operand: readonly Scalar[] }
  | { readonly operator: '$exists'; readonly operand: true };

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
    default:
      return comparison.operand === null
        ? orderedNull(comparison.operator)
        : elementwise(ordered(comparison.operator, comparison.operand));
  }
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
    default:
      return `${negated ? 'not ' : ''}${SIGNS[comparison.operator]} ${JSON.stringify(comparison.operand)}`;
  }
}

const SIGNS: Readonly<Record<Ordering, string>> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' };
