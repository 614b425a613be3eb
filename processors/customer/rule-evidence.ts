import type { Evidence } from '../../schemas/types.ts';
import type { FeatureValue } from './features.ts';
import { describeComparison, testOf } from './rule-comparisons.ts';
import type { Places } from './rule-program.ts';
import type { RuleNode } from './rule-syntax.ts';

/** Longer values are cut, so that one record can always carry every segment's evidence. */
const MAX_VALUE_LENGTH = 256;

/** What stands behind a rule's outcome: the leaves that are true of a rule that is true, the false ones of a false one. */
export function evidenceOf(
  rule: RuleNode,
  places: Places,
  values: readonly FeatureValue[],
  members: Uint8Array,
): Evidence[] {
  const evidence: Evidence[] = [];
  const outcome = holds(rule, places, values, members);
  const visit = (node: RuleNode): void => {
    if (holds(node, places, values, members) !== outcome) return;
    if (node.kind === 'and' || node.kind === 'or') node.children.forEach(visit);
    else
      evidence.push(
        node.kind === 'member' ? memberEvidence(node, places, members) : valueEvidence(node, places, values),
      );
  };
  visit(rule);
  return evidence;
}

/** One comparison of a rule, whether it decided or not. */
export interface Leaf extends Evidence {
  readonly holds: boolean;
}

/** Every leaf of a rule, in the order in which it is written. */
export function leavesOf(
  rule: RuleNode,
  places: Places,
  values: readonly FeatureValue[],
  members: Uint8Array,
): readonly Leaf[] {
  if (rule.kind === 'and' || rule.kind === 'or') {
    return rule.children.flatMap((child) => leavesOf(child, places, values, members));
  }
  const evidence = rule.kind === 'member' ? memberEvidence(rule, places, members) : valueEvidence(rule, places, values);
  return [{ ...evidence, holds: holds(rule, places, values, members) }];
}

function holds(node: RuleNode, places: Places, values: readonly FeatureValue[], members: Uint8Array): boolean {
  switch (node.kind) {
    case 'and':
      return node.children.every((child) => holds(child, places, values, members));
    case 'or':
      return node.children.some((child) => holds(child, places, values, members));
    case 'member':
      return (members[places.memberOf(node.segmentId)] === 1) !== node.negated;
    case 'compare':
      return testOf(node.comparison)(values[places.slotOf(node.path)]) !== node.negated;
  }
}

type Compare = Extract<RuleNode, { readonly kind: 'compare' }>;
type Member = Extract<RuleNode, { readonly kind: 'member' }>;

function valueEvidence(
  { path, comparison, negated }: Compare,
  places: Places,
  values: readonly FeatureValue[],
): Evidence {
  const value = values[places.slotOf(path)];
  return { path: path.path, value: presentable(value), comparison: describeComparison(comparison, negated) };
}

function memberEvidence({ segmentId, negated }: Member, places: Places, members: Uint8Array): Evidence {
  return {
    path: 'segments',
    value: members[places.memberOf(segmentId)] === 1,
    comparison: `${negated ? 'does not contain' : 'contains'} ${JSON.stringify(segmentId)}`,
  };
}

function presentable(value: FeatureValue): Evidence['value'] {
  if (value === undefined) return null;
  if (typeof value === 'object') return [...value];
  if (typeof value !== 'string' || value.length <= MAX_VALUE_LENGTH) return value;
  return `${value.slice(0, MAX_VALUE_LENGTH).toWellFormed()}…`;
}
