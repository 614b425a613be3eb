import type { Fault } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';
import type { Comparison, Scalar } from './rule-comparisons.ts';
import { parseRulePath } from './rule-paths.ts';
import type { RulePath } from './rule-paths.ts';

/**
 * A rule with every negation pushed down to the leaves. A segment's name is a leaf of its own, because `segments` is not
 * stored while segments are being decided: it is what was decided before.
 */
export type RuleNode =
  | { readonly kind: 'and'; readonly children: readonly RuleNode[] }
  | { readonly kind: 'or'; readonly children: readonly RuleNode[] }
  | { readonly kind: 'compare'; readonly path: RulePath; readonly comparison: Comparison; readonly negated: boolean }
  | { readonly kind: 'member'; readonly segmentId: string; readonly at: string; readonly negated: boolean };

export const MAX_RULE_DEPTH = 8;
/** Comparisons of one rule, each element of a list counted. */
export const MAX_RULE_SIZE = 1_000;

const LOGICAL = ['$and', '$or', '$nor'];
const FIELD = [
  '$eq',
  '$ne',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$in',
  '$nin',
  '$exists',
  '$not',
  '$all',
  '$elemMatch',
  '$size',
];
const NEVER_ALLOWED: Readonly<Record<string, string>> = {
  $where: 'runs code',
  $expr: 'compares fields with expressions',
  $regex: 'can take unbounded time',
  $function: 'runs code',
  $jsonSchema: 'describes documents',
  $text: 'needs a text index',
};

/**
 * Parses a rule, the allow-listed subset of MongoDB query syntax. Never throws: what is wrong is pushed to `faults`, each
 * with its place inside the rule, and the node returned then only serves to find further faults.
 */
export function parseRule(where: unknown, at: string, faults: Fault[]): RuleNode {
  return new RuleParser(at, faults).filter(where, at, 1);
}

export function negate(node: RuleNode): RuleNode {
  switch (node.kind) {
    case 'and':
      return { kind: 'or', children: node.children.map(negate) };
    case 'or':
      return { kind: 'and', children: node.children.map(negate) };
    case 'compare':
    case 'member':
      return { ...node, negated: !node.negated };
  }
}

const ALWAYS: RuleNode = { kind: 'and', children: [] };

class RuleParser {
  readonly #root: string;
  readonly #faults: Fault[];
  #size = 0;

  constructor(root: string, faults: Fault[]) {
    this.#root = root;
    this.#faults = faults;
  }

  /** `{path: condition, …}` and `{$and: […]}`: everything in it must be true. */
  filter(filter: unknown, at: string, depth: number): RuleNode {
    if (!isObject(filter)) return this.#fault(at, 'must be an object such as {"traits.orders.30d": {"$gte": 2}}');
    if (depth > MAX_RULE_DEPTH)
      return this.#fault(at, `nested deeper than ${MAX_RULE_DEPTH} levels; give a part its own segment and name it`);
    const children = Object.entries(filter).map(([key, value]) => {
      const place = `${at}${key.startsWith('$') ? `.${key}` : `[${JSON.stringify(key)}]`}`;
      if (LOGICAL.includes(key)) return this.#logical(key, value, place, depth);
      if (key.startsWith('$')) return this.#fault(place, misplaced(key));
      const path = parseRulePath(key);
      return typeof path === 'string' ? this.#fault(place, path) : this.#field(path, value, place, depth);
    });
    return all(children);
  }

  #logical(operator: string, value: unknown, at: string, depth: number): RuleNode {
    if (!Array.isArray(value) || value.length === 0)
      return this.#fault(at, `${operator} takes a list of at least one rule`);
    const children = value.map((each: unknown, index) => this.filter(each, `${at}[${index}]`, depth + 1));
    if (operator === '$and') return all(children);
    const any: RuleNode = { kind: 'or', children };
    return operator === '$nor' ? negate(any) : any;
  }

  #field(path: RulePath, condition: unknown, at: string, depth: number): RuleNode {
    if (Array.isArray(condition))
      return this.#fault(at, 'cannot equal a list; use {"$in": […]} for any of several values');
    if (!isObject(condition)) return this.#operator(path, '$eq', condition, at, depth);
    return this.#conditions(path, condition, at, depth);
  }

  /** `{$gte: 1, $lt: 5}`. */
  #conditions(path: RulePath, conditions: Record<string, unknown>, at: string, depth: number): RuleNode {
    const entries = Object.entries(conditions);
    if (entries.length === 0) return this.#fault(at, 'is empty; compare with a value, for example {"$gte": 1}');
    if (depth > MAX_RULE_DEPTH) return this.#fault(at, `nested deeper than ${MAX_RULE_DEPTH} levels`);
    return all(entries.map(([key, operand]) => this.#operator(path, key, operand, `${at}.${key}`, depth)));
  }

  #operator(path: RulePath, operator: string, operand: unknown, at: string, depth: number): RuleNode {
    switch (operator) {
      case '$eq':
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        return this.#compare(path, operator, operand, at);
      case '$ne':
        return negate(this.#compare(path, '$eq', operand, at));
      case '$in':
        return this.#list(path, operand, at, '$in');
      case '$nin':
        return negate(this.#list(path, operand, at, '$nin'));
      case '$all':
        return this.#every(path, operand, at);
      case '$exists':
        if (typeof operand !== 'boolean') return this.#fault(at, '$exists takes true or false');
        return this.#exists(path, operand);
      case '$not':
        if (!isObject(operand))
          return this.#fault(at, '$not takes conditions such as {"$gte": 2}; for one value use $ne');
        return negate(this.#conditions(path, operand, at, depth + 1));
      case '$elemMatch':
        return this.#element(path, operand, at);
      case '$size':
        return this.#fault(at, '$size is not served yet: no path of the view is a list that can be counted');
      default:
        return this.#fault(at, operator.startsWith('$') ? misplaced(operator) : nested(path, operator));
    }
  }

  #compare(path: RulePath, operator: '$eq' | '$gt' | '$gte' | '$lt' | '$lte', operand: unknown, at: string): RuleNode {
    const problem = this.#scalarProblem(operand);
    if (problem !== null) return this.#fault(at, problem);
    const scalar = operand as Scalar;
    if (path.domain.type !== 'segments')
      return { kind: 'compare', path, comparison: { operator, operand: scalar }, negated: false };
    if (operator !== '$eq')
      return this.#fault(at, `${operator} has no meaning for "segments"; name one: {"segments": "<id>"}`);
    return memberNode([scalar], at);
  }

  #list(path: RulePath, operands: unknown, at: string, operator: string): RuleNode {
    if (!Array.isArray(operands)) return this.#fault(at, `${operator} takes a list of values`);
    for (const [index, operand] of operands.entries()) {
      const problem = this.#scalarProblem(operand);
      if (problem !== null) return this.#fault(`${at}[${index}]`, problem);
    }
    const scalars = operands as Scalar[];
    if (path.domain.type === 'segments') return memberNode(scalars, at);
    return { kind: 'compare', path, comparison: { operator: '$in', operand: scalars }, negated: false };
  }

  /** `$all: [a, b]` is `$and` of equalities; of nothing it matches nothing. */
  #every(path: RulePath, operands: unknown, at: string): RuleNode {
    if (!Array.isArray(operands)) return this.#fault(at, '$all takes a list of values');
    if (operands.length === 0) return negate(ALWAYS);
    return all(operands.map((each: unknown, index) => this.#compare(path, '$eq', each, `${at}[${index}]`)));
  }

  #exists(path: RulePath, expected: boolean): RuleNode {
    this.#count();
    if (path.domain.type === 'segments') return expected ? ALWAYS : negate(ALWAYS);
    return { kind: 'compare', path, comparison: { operator: '$exists', operand: true }, negated: !expected };
  }

  #element(path: RulePath, operand: unknown, at: string): RuleNode {
    const entries = isObject(operand) ? Object.entries(operand) : [];
    const [entry] = entries;
    // Any other condition on an element (`$ne`, `$gt`) would ask about segments that the rule does not name.
    const named = entries.length === 1 && (entry?.[0] === '$eq' || entry?.[0] === '$in');
    if (path.domain.type !== 'segments')
      return this.#fault(at, `$elemMatch is for lists and "${path.path}" holds one value; leave $elemMatch away`);
    if (!named || entry === undefined)
      return this.#fault(
        at,
        '$elemMatch is served with one $eq or $in only; name the segments: {"segments": {"$in": […]}}',
      );
    return this.#operator(path, entry[0], entry[1], `${at}.${entry[0]}`, 1);
  }

  /** What is wrong with a constant, or null. */
  #scalarProblem(operand: unknown): string | null {
    this.#count();
    if (operand === null || typeof operand === 'boolean') return null;
    if (typeof operand === 'number') return Number.isFinite(operand) ? null : 'is a number too large to be compared';
    if (typeof operand === 'string') return operand.isWellFormed() ? null : 'is not a valid text';
    return Array.isArray(operand)
      ? 'cannot compare with a list; use {"$in": […]}'
      : 'compares with a text, a number, true, false or null only';
  }

  #count(): void {
    this.#size += 1;
    if (this.#size === MAX_RULE_SIZE + 1)
      this.#fault(this.#root, `has more than ${MAX_RULE_SIZE} comparisons; give a part its own segment and name it`);
  }

  #fault(where: string, message: string): RuleNode {
    this.#faults.push({ where, message });
    return ALWAYS;
  }
}

function all(children: readonly RuleNode[]): RuleNode {
  const [only] = children;
  return children.length === 1 && only !== undefined ? only : { kind: 'and', children };
}

/** `segments` contains any of the values; only texts can be among them, and of nothing it contains none. */
function memberNode(values: readonly Scalar[], at: string): RuleNode {
  const children = values
    .filter((value) => typeof value === 'string')
    .map((segmentId): RuleNode => ({ kind: 'member', segmentId, at, negated: false }));
  const [only] = children;
  return children.length === 1 && only !== undefined ? only : { kind: 'or', children };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function misplaced(operator: string): string {
  const reason = NEVER_ALLOWED[operator];
  if (reason !== undefined) return `${operator} is not allowed in a rule: it ${reason}`;
  if (operator === '$not') return '$not stands inside a path, {"<path>": {"$not": {…}}}; around whole rules use $nor';
  if (FIELD.includes(operator)) return `${operator} stands inside a path: {"<path>": {"${operator}": …}}`;
  if (LOGICAL.includes(operator)) return `${operator} stands around whole rules, not inside a path`;
  return `unknown operator ${operator}${suggestion(operator, [...LOGICAL, ...FIELD])}`;
}

function nested(path: RulePath, key: string): string {
  return `"${path.path}" holds one value: compare it with operators such as {"$eq": …}, not with "${key}"`;
}
