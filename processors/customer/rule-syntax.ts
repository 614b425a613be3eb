import type { Fault } from '../core/errors.ts';
import type { Scalar } from './rule-comparisons.ts';
import { all, ALWAYS, anyMember, conditionOf, memberNode, negate, SEGMENT_ID, type RuleNode } from './rule-nodes.ts';
import { LOGICAL, misplaced, nested } from './rule-operators.ts';
import { NOTHING_OWN, parseRulePath } from './rule-paths.ts';
import type { OwnPaths, RulePath } from './rule-paths.ts';

export const MAX_RULE_DEPTH = 8;
/** Comparisons of one rule, each element of a list counted. */
export const MAX_RULE_SIZE = 1_000;

/**
 * Parses a rule, the allow-listed subset of MongoDB query syntax. Never throws: what is wrong is pushed to `faults`, each
 * with its place inside the rule, and the node returned then only serves to find further faults.
 */
export function parseRule(
  where: unknown,
  at: string,
  faults: Fault[],
  vocabulary: Vocabulary = profileVocabulary(NOTHING_OWN, null),
): RuleNode {
  return new RuleParser(at, faults, vocabulary).filter(where, at, 1);
}

/** What a rule may speak of. */
export interface Vocabulary {
  /** A filter, for messages. */
  readonly example: string;
  /** The path, or what is wrong with it. */
  pathOf(path: string): RulePath | string;
  /** Whether a `$sequence` happened, as a path of its own; what is wrong with it is pushed to `faults`. Null: not served. */
  readonly sequence: ((operand: unknown, at: string, faults: Fault[]) => RulePath | null) | null;
}

/** The product's own paths, and sequences when they are served. */
export function profileVocabulary(own: OwnPaths, sequence: Vocabulary['sequence']): Vocabulary {
  return { example: '{"traits.orders.30d": {"$gte": 2}}', pathOf: (path) => parseRulePath(path, own), sequence };
}

class RuleParser {
  readonly #root: string;
  readonly #faults: Fault[];
  readonly #vocabulary: Vocabulary;
  #size = 0;

  constructor(root: string, faults: Fault[], vocabulary: Vocabulary) {
    this.#root = root;
    this.#faults = faults;
    this.#vocabulary = vocabulary;
  }

  /** `{path: condition, …}` and `{$and: […]}`: everything in it must be true. */
  filter(filter: unknown, at: string, depth: number): RuleNode {
    if (!isObject(filter)) return this.#fault(at, `must be an object such as ${this.#vocabulary.example}`);
    if (depth > MAX_RULE_DEPTH)
      return this.#fault(at, `nested deeper than ${MAX_RULE_DEPTH} levels; give a part its own segment and name it`);
    const children = Object.entries(filter).map(([key, value]) => {
      const place = `${at}${key.startsWith('$') ? `.${key}` : `[${JSON.stringify(key)}]`}`;
      if (LOGICAL.includes(key)) return this.#logical(key, value, place, depth);
      if (key === '$sequence') return this.#sequence(value, place);
      if (key.startsWith('$')) return this.#fault(place, misplaced(key));
      const path = this.#vocabulary.pathOf(key);
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

  #sequence(operand: unknown, at: string): RuleNode {
    this.#count();
    if (this.#vocabulary.sequence === null) return this.#fault(at, '$sequence is of customers, not of one event');
    const path = this.#vocabulary.sequence(operand, at, this.#faults);
    if (path === null) return ALWAYS;
    return { kind: 'compare', path, comparison: { operator: '$eq', operand: true }, negated: false };
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
        return this.#every(path, operand, at, depth);
      case '$exists':
        if (typeof operand !== 'boolean') return this.#fault(at, '$exists takes true or false');
        return this.#exists(path, operand);
      case '$not':
        if (!isObject(operand))
          return this.#fault(at, '$not takes conditions such as {"$gte": 2}; for one value use $ne');
        return negate(this.#conditions(path, operand, at, depth + 1));
      case '$elemMatch':
        return this.#element(path, operand, at, depth);
      case '$size':
        return this.#sized(path, operand, at);
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
    if (operator === '$eq') return memberNode([scalar], at);
    return anyMember({ kind: 'compare', comparison: { operator, operand: scalar }, negated: false }, at);
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

  /** `$all: [a, b]` is `$and` of equalities, or of `$elemMatch`; of nothing it matches nothing. */
  #every(path: RulePath, operands: unknown, at: string, depth: number): RuleNode {
    if (!Array.isArray(operands)) return this.#fault(at, '$all takes a list of values');
    if (operands.length === 0) return negate(ALWAYS);
    const conditions = operands.filter(isElemMatch);
    if (conditions.length > 0 && conditions.length < operands.length)
      return this.#fault(at, '$all takes values or {"$elemMatch": …}, not both');
    return all(
      operands.map((each: unknown, index) =>
        isElemMatch(each)
          ? this.#element(path, each.$elemMatch, `${at}[${index}].$elemMatch`, depth)
          : this.#compare(path, '$eq', each, `${at}[${index}]`),
      ),
    );
  }

  #exists(path: RulePath, expected: boolean): RuleNode {
    this.#count();
    if (path.domain.type === 'segments') return expected ? ALWAYS : negate(ALWAYS);
    return { kind: 'compare', path, comparison: { operator: '$exists', operand: true }, negated: !expected };
  }

  /** `$elemMatch` with conditions on one element. One on a path that never holds a list is found to be never true. */
  #element(path: RulePath, operand: unknown, at: string, depth: number): RuleNode {
    const names = isObject(operand) ? Object.keys(operand) : [];
    if (!isObject(operand) || names.length === 0 || names.some((name) => !name.startsWith('$')))
      return this.#fault(at, '$elemMatch takes conditions on one element, such as {"$gt": "a", "$ne": "b"}');
    if (path.domain.type !== 'segments') {
      const condition = conditionOf(this.#conditions(path, operand, at, depth + 1));
      return { kind: 'compare', path, comparison: { operator: '$elemMatch', operand: condition }, negated: false };
    }
    // By name, when it asks for names only: no other segment has to be known.
    const [only = '', ...others] = names;
    if (others.length === 0 && (only === '$eq' || only === '$in'))
      return this.#operator(path, only, operand[only], `${at}.${only}`, depth);
    return anyMember(conditionOf(this.#conditions(SEGMENT_ID, operand, at, depth + 1)), at);
  }

  #sized(path: RulePath, operand: unknown, at: string): RuleNode {
    this.#count();
    if (typeof operand !== 'number' || !Number.isSafeInteger(operand) || operand < 0)
      return this.#fault(at, '$size takes a whole number, 0 or more');
    const comparison = { operator: '$size', operand } as const;
    if (path.domain.type === 'segments') return { kind: 'members', comparison, at, negated: false };
    return { kind: 'compare', path, comparison, negated: false };
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isElemMatch(value: unknown): value is { readonly $elemMatch: unknown } {
  return isObject(value) && Object.keys(value).join() === '$elemMatch';
}
