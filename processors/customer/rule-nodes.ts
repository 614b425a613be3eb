import type { Comparison, Condition, Scalar } from './rule-comparisons.ts';
import type { RulePath } from './rule-paths.ts';

/**
 * A rule with every negation pushed down to the leaves. What asks about segments is a leaf of its own, because `segments` is
 * not stored while segments are being decided: it is what was decided before. `member` names one; `members` counts them or
 * looks for one by a condition, so it needs every segment that does not do so itself (rule-order.ts).
 */
export type RuleNode =
  | { readonly kind: 'and'; readonly children: readonly RuleNode[] }
  | { readonly kind: 'or'; readonly children: readonly RuleNode[] }
  | { readonly kind: 'compare'; readonly path: RulePath; readonly comparison: Comparison; readonly negated: boolean }
  | { readonly kind: 'member'; readonly segmentId: string; readonly at: string; readonly negated: boolean }
  | {
      readonly kind: 'members';
      readonly comparison: MembersComparison;
      readonly at: string;
      readonly negated: boolean;
    };

/** A condition on any one of the segments, or how many there are. */
export type MembersComparison = Extract<Comparison, { readonly operator: '$size' | '$elemMatch' }>;

export function negate(node: RuleNode): RuleNode {
  switch (node.kind) {
    case 'and':
      return { kind: 'or', children: node.children.map(negate) };
    case 'or':
      return { kind: 'and', children: node.children.map(negate) };
    case 'compare':
    case 'member':
    case 'members':
      return { ...node, negated: !node.negated };
  }
}

/** The rule of everybody. */
export const ALWAYS: RuleNode = { kind: 'and', children: [] };

/** One of the segments, as a path of its own: what stands inside `$elemMatch`. */
export const SEGMENT_ID: RulePath = {
  path: 'segments',
  feature: { kind: 'segments' },
  domain: { type: 'text', min: -Infinity, max: Infinity, texts: null, optional: false },
};

export function anyMember(condition: Condition, at: string): RuleNode {
  return { kind: 'members', comparison: { operator: '$elemMatch', operand: condition }, at, negated: false };
}

/** A rule about one path as a condition on its value. */
export function conditionOf(node: RuleNode): Condition {
  switch (node.kind) {
    case 'and':
    case 'or':
      return { kind: node.kind, children: node.children.map(conditionOf) };
    case 'compare':
      return { kind: 'compare', comparison: node.comparison, negated: node.negated };
    case 'member':
    case 'members':
      throw new Error('a condition on one value names no segment');
  }
}

export function all(children: readonly RuleNode[]): RuleNode {
  const [only] = children;
  return children.length === 1 && only !== undefined ? only : { kind: 'and', children };
}

/** `segments` contains any of the values; only texts can be among them, and of nothing it contains none. */
export function memberNode(values: readonly Scalar[], at: string): RuleNode {
  const children = values
    .filter((value) => typeof value === 'string')
    .map((segmentId): RuleNode => ({ kind: 'member', segmentId, at, negated: false }));
  const [only] = children;
  return children.length === 1 && only !== undefined ? only : { kind: 'or', children };
}
