import type { InteractionType } from '../../schemas/types.ts';
import type { Fault } from '../core/errors.ts';
import { eventPath, FOLDED_TYPES } from './event-fields.ts';
import type { FeatureValue } from './features.ts';
import { contradictionOf } from './rule-contradictions.ts';
import { testOf } from './rule-comparisons.ts';
import { compileRule } from './rule-program.ts';
import type { RuleNode } from './rule-nodes.ts';
import { parseRule } from './rule-syntax.ts';

/** A filter of events: the rules' query syntax over an event's own fields, which are the same for every brand. */
export interface EventFilter {
  readonly rule: RuleNode;
  /** Paths that it names. */
  readonly paths: ReadonlySet<string>;
  /** The only types of events that it can let through. */
  readonly types: readonly InteractionType[];
}

/** Parses a filter; one that lets no event through is a fault. */
export function parseEventFilter(where: unknown, at: string, faults: Fault[]): EventFilter {
  const before = faults.length;
  const rule = parseRule(where, at, faults, { example: '{"type": "ORDER_PLACED"}', pathOf: eventPath, sequence: null });
  const isSound = faults.length === before;
  const contradiction = isSound ? contradictionOf(rule) : null;
  if (contradiction !== null) faults.push({ where: at, message: contradiction });
  const types = isSound ? FOLDED_TYPES.filter((type) => canBe(rule, type)) : [];
  return { rule, paths: pathsOf(rule), types };
}

/** Whether an event of which `values` are the fields passes. Allocates nothing. */
export type Passes = (values: readonly FeatureValue[]) => boolean;

/** What a filter is for events of one type; null: it lets none of them through. `slotOf` is asked for the fields that are left. */
export function compileFilter(
  { rule }: EventFilter,
  type: InteractionType,
  slotOf: (path: string) => number,
): Passes | null {
  const rest = ofType(rule, type);
  if (typeof rest === 'boolean') return rest ? always : null;
  const matches = compileRule(rest, {
    slotOf: ({ path }) => slotOf(path),
    memberOf: () => -1,
    counted: new Map<string, number>(),
  });
  return (values) => matches(values, NO_MEMBERS);
}

const always: Passes = () => true;

/** What is left to be asked of an event whose type is known. */
function ofType(rule: RuleNode, type: InteractionType): RuleNode | boolean {
  if (rule.kind === 'compare') {
    return rule.path.path === 'type' ? testOf(rule.comparison)(type) !== rule.negated : rule;
  }
  if (rule.kind !== 'and' && rule.kind !== 'or') return rule;
  const isAnd = rule.kind === 'and';
  const rests = rule.children.map((child) => ofType(child, type));
  if (rests.includes(!isAnd)) return !isAnd;
  const children = rests.filter((rest) => typeof rest !== 'boolean');
  return children.length === 0 ? isAnd : { kind: rule.kind, children };
}

const NO_MEMBERS = new Uint8Array(0);

/** Whether the rule can be true of an event of this type: whatever it asks of other fields, these are taken to be possible. */
function canBe(rule: RuleNode, type: InteractionType): boolean {
  const path = eventPath('type');
  if (typeof path === 'string') return true;
  const isType: RuleNode = { kind: 'compare', path, comparison: { operator: '$eq', operand: type }, negated: false };
  return contradictionOf({ kind: 'and', children: [isType, rule] }) === null;
}

function pathsOf(rule: RuleNode): ReadonlySet<string> {
  if (rule.kind === 'and' || rule.kind === 'or') return new Set(rule.children.flatMap((child) => [...pathsOf(child)]));
  return new Set(rule.kind === 'compare' ? [rule.path.path] : []);
}
