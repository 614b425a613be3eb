/**
 * MongoDB's find() on one nested document, written a second time, without any of the product's rule code and without a
 * thought for speed: what compiled rules are held against. Follows the manual's words for each operator.
 */
export type Document = Readonly<Record<string, unknown>>;

export function finds(document: Document, filter: Document): boolean {
  return Object.entries(filter).every(([key, condition]) => {
    if (!key.startsWith('$')) return meets(fieldOf(document, key), condition);
    const outcomes = (condition as Document[]).map((part) => finds(document, part));
    if (key === '$and') return outcomes.every(Boolean);
    return outcomes.some(Boolean) === (key === '$or');
  });
}

function fieldOf(document: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => (isPlain(at) ? at[name] : undefined), document);
}

/**
 * "If the field holds an array, the condition is met when at least one element meets it." `inList`: the value is an element of a list, so a list inside it is
 * not looked into again.
 */
function meets(value: unknown, condition: unknown, inList = false): boolean {
  const elementsOf = (of: unknown): readonly unknown[] => (Array.isArray(of) && !inList ? of : [of]);
  const equalTo = (of: unknown, operand: unknown): boolean => elementsOf(of).some((each) => isEqual(each, operand));
  if (!isPlain(condition)) return equalTo(value, condition);
  return Object.entries(condition).every(([operator, operand]) => {
    const operands = operand as unknown[];
    switch (operator) {
      case '$eq':
        return equalTo(value, operand);
      case '$ne':
        return !equalTo(value, operand);
      case '$in':
        return operands.some((each) => equalTo(value, each));
      case '$nin':
        return !operands.some((each) => equalTo(value, each));
      case '$all':
        return (
          operands.length > 0 &&
          operands.every((each) => (isPlain(each) ? meets(value, each, inList) : equalTo(value, each)))
        );
      case '$exists':
        return (value !== undefined) === operand;
      case '$not':
        return !meets(value, operand, inList);
      case '$size':
        return Array.isArray(value) && value.length === operand;
      case '$elemMatch':
        return Array.isArray(value) && value.some((each) => meets(each, operand, true));
      default:
        return elementsOf(value).some((each) => ordered(each, operator, operand));
    }
  });
}

/** "{item: null} matches documents that either contain the field with value null or do not contain the field." */
function isEqual(value: unknown, operand: unknown): boolean {
  return operand === null ? value === null || value === undefined : value === operand;
}

/** "Comparison operators only compare fields whose type matches the query value's type." */
function ordered(value: unknown, operator: string, operand: unknown): boolean {
  const order = compare(value, operand);
  if (order === null) return false;
  return { $gt: order > 0, $gte: order >= 0, $lt: order < 0, $lte: order <= 0 }[operator] ?? false;
}

function compare(value: unknown, operand: unknown): number | null {
  if (operand === null) return value === null || value === undefined ? 0 : null;
  if (typeof value === 'number' && typeof operand === 'number') {
    return Number.isNaN(value) ? null : Math.sign(value - operand);
  }
  if (typeof value === 'boolean' && typeof operand === 'boolean') return Number(value) - Number(operand);
  if (typeof value === 'string' && typeof operand === 'string')
    return Buffer.compare(Buffer.from(value), Buffer.from(operand));
  return null;
}

function isPlain(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
