import type { FeatureValue } from './features.ts';
import { describeComparison, testOf } from './rule-comparisons.ts';
import type { Comparison } from './rule-comparisons.ts';
import type { RulePath } from './rule-paths.ts';
import type { RuleNode } from './rule-syntax.ts';

/** Values by slot; 1 for each earlier segment that is in. Allocates nothing. */
export type Matcher = (values: readonly FeatureValue[], members: Uint8Array) => boolean;

/** A leaf that decided: its path, the value found there, and the comparison as a person reads it. */
export interface Evidence {
  path: string;
  value: string;
  comparison: string;
}

/** Where a rule finds what it reads. */
export interface Places {
  slotOf(path: RulePath): number;
  memberOf(segmentId: string): number;
}

/** A rule bound to its slots, with the structure that evidence needs. */
export interface MatchedNode {
  readonly matches: Matcher;
  readonly children: readonly MatchedNode[];
  /** For a leaf: what to say of it. */
  readonly describe: ((values: readonly FeatureValue[], members: Uint8Array) => Evidence) | null;
}

/** Longer attribute values are cut in evidence, so that one record can always carry every segment's. */
const MAX_VALUE_LENGTH = 256;

export function bindRule(node: RuleNode, places: Places): MatchedNode {
  switch (node.kind) {
    case 'and': {
      const children = node.children.map((child) => bindRule(child, places));
      return { matches: every(children.map((child) => child.matches)), children, describe: null };
    }
    case 'or': {
      const children = node.children.map((child) => bindRule(child, places));
      return { matches: some(children.map((child) => child.matches)), children, describe: null };
    }
    case 'compare': {
      const slot = places.slotOf(node.path);
      const evidence = { path: node.path.path, comparison: describeComparison(node.comparison, node.negated) };
      return {
        matches: compare(slot, node.comparison, node.negated),
        children: [],
        describe: (values) => ({ ...evidence, value: describeValue(values[slot]) }),
      };
    }
    case 'member': {
      const index = places.memberOf(node.segmentId);
      const expected = node.negated ? 0 : 1;
      const comparison = `${node.negated ? 'does not contain' : 'contains'} ${JSON.stringify(node.segmentId)}`;
      return {
        matches: (_values, members) => members[index] === expected,
        children: [],
        describe: (_values, members) => ({
          path: 'segments',
          value: members[index] === 1 ? 'member' : 'not a member',
          comparison,
        }),
      };
    }
  }
}

/** The leaves that made the rule what it now is: the true ones of a rule that matches, else the false ones. */
export function evidenceOf(node: MatchedNode, values: readonly FeatureValue[], members: Uint8Array): Evidence[] {
  const outcome = node.matches(values, members);
  const evidence: Evidence[] = [];
  const visit = (part: MatchedNode): void => {
    if (part.matches(values, members) !== outcome) return;
    if (part.describe !== null) evidence.push(part.describe(values, members));
    for (const child of part.children) visit(child);
  };
  visit(node);
  return evidence;
}

function describeValue(value: FeatureValue): string {
  if (value === undefined) return 'missing';
  const text = typeof value === 'object' ? value.join(', ') : String(value);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH).toWellFormed()}…` : text;
}

/** Two and three parts, nearly all rules, are spelt out: a loop over closures costs twice the time. */
function every(parts: readonly Matcher[]): Matcher {
  const [first, second, third] = parts;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (third === undefined) return (values, members) => first(values, members) && second(values, members);
  if (parts.length === 3) {
    return (values, members) => first(values, members) && second(values, members) && third(values, members);
  }
  const rest = every(parts.slice(3));
  return (values, members) =>
    first(values, members) && second(values, members) && third(values, members) && rest(values, members);
}

function some(parts: readonly Matcher[]): Matcher {
  const [first, second, third] = parts;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  if (third === undefined) return (values, members) => first(values, members) || second(values, members);
  if (parts.length === 3) {
    return (values, members) => first(values, members) || second(values, members) || third(values, members);
  }
  const rest = some(parts.slice(3));
  return (values, members) =>
    first(values, members) || second(values, members) || third(values, members) || rest(values, members);
}

function compare(slot: number, comparison: Comparison, negated: boolean): Matcher {
  const test = testOf(comparison);
  return negated ? (values) => !test(values[slot]) : (values) => test(values[slot]);
}
