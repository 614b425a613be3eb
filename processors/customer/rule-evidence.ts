import type { Evidence } from '../../schemas/types.ts';
import type { ByteWriter } from '../core/packing.ts';
import type { FeatureValue } from './features.ts';
import { describeComparison, testOf } from './rule-comparisons.ts';
import { holdsAmong, membersSought } from './rule-program.ts';
import type { Places } from './rule-program.ts';
import type { RuleNode } from './rule-nodes.ts';

/** Longer values are cut, so that one record can always carry every segment's evidence. */
const MAX_VALUE_LENGTH = 256;

/** One comparison of a rule, whether it decided or not. */
export interface Leaf extends Evidence {
  readonly holds: boolean;
}

/** A leaf that decided. */
export interface Reason {
  readonly path: string;
  readonly comparison: string;
  valueOf(values: readonly FeatureValue[], members: Uint8Array): Evidence['value'];
}

/** A rule, or a part of one, made ready to say why it holds or not: texts and tests are made once, not for each record. */
export interface Explanation {
  holds(values: readonly FeatureValue[], members: Uint8Array): boolean;
  /** Adds the leaves that stand behind `outcome`, which is what `holds` says: the true ones of a rule that is true, else the false ones. */
  explain(values: readonly FeatureValue[], members: Uint8Array, outcome: boolean, into: Reason[]): void;
  /** Adds every leaf, in the order in which it is written. */
  list(values: readonly FeatureValue[], members: Uint8Array, into: Leaf[]): void;
}

export function compileExplanation(rule: RuleNode, places: Places): Explanation {
  if (rule.kind === 'and' || rule.kind === 'or') {
    const children = rule.children.map((child) => compileExplanation(child, places));
    return joined(children, rule.kind === 'and');
  }
  if (rule.kind === 'members') return membersLeaf(rule, places);
  return rule.kind === 'member' ? memberLeaf(rule, places) : valueLeaf(rule, places);
}

/** `all`: holds while every child does; else as soon as one does. */
function joined(children: readonly Explanation[], all: boolean): Explanation {
  const holds: Explanation['holds'] = (values, members) => {
    for (const child of children) if (child.holds(values, members) !== all) return !all;
    return all;
  };
  return {
    holds,
    explain(values, members, outcome, into) {
      for (const child of children) {
        if (child.holds(values, members) === outcome) child.explain(values, members, outcome, into);
      }
    },
    list(values, members, into) {
      for (const child of children) child.list(values, members, into);
    },
  };
}

function leaf(holds: Explanation['holds'], reason: Reason): Explanation {
  const { path, comparison } = reason;
  return {
    holds,
    explain(_values, _members, _outcome, into) {
      into.push(reason);
    },
    list(values, members, into) {
      into.push({ path, value: reason.valueOf(values, members), comparison, holds: holds(values, members) });
    },
  };
}

// Where a value's type stands in the schema's union, and the end of an array.
const BRANCHES = { null: 0, boolean: 1, double: 2, string: 3, array: 4 } as const;
const END = 0;

/** Reused. */
const reasons: Reason[] = [];

/** Writes what stands behind `outcome` as an Avro array of Evidence. */
export function packReasons(
  explanation: Explanation,
  values: readonly FeatureValue[],
  members: Uint8Array,
  outcome: boolean,
  writer: ByteWriter,
): void {
  reasons.length = 0;
  explanation.explain(values, members, outcome, reasons);
  if (reasons.length > 0) writer.int(reasons.length);
  for (const reason of reasons) {
    writer.avroString(reason.path);
    packValue(reason.valueOf(values, members), writer);
    writer.avroString(reason.comparison);
  }
  writer.byte(END);
}

function packValue(value: Evidence['value'], writer: ByteWriter): void {
  if (typeof value === 'number') {
    writer.int(BRANCHES.double);
    writer.double(value);
  } else if (typeof value === 'boolean') {
    writer.int(BRANCHES.boolean);
    writer.byte(value ? 1 : 0);
  } else if (typeof value === 'string') {
    writer.int(BRANCHES.string);
    writer.avroString(value);
  } else if (value === null) {
    writer.int(BRANCHES.null);
  } else {
    writer.int(BRANCHES.array);
    if (value.length > 0) writer.int(value.length);
    for (const text of value) writer.avroString(text);
    writer.byte(END);
  }
}

type Compare = Extract<RuleNode, { readonly kind: 'compare' }>;
type Member = Extract<RuleNode, { readonly kind: 'member' }>;
type Members = Extract<RuleNode, { readonly kind: 'members' }>;

function valueLeaf(rule: Compare, places: Places): Explanation {
  const { negated } = rule;
  const { feature } = rule.path;
  const isSequence = feature?.kind === 'sequence';
  const path = isSequence ? '$sequence' : rule.path.path;
  const slot = places.slotOf(rule.path);
  const test = testOf(rule.comparison);
  const comparison = isSequence
    ? shortened(`${negated ? 'not ' : ''}${feature.sequence.description}`)
    : describeComparison(rule.comparison, negated);
  return leaf((values) => test(values[slot]) !== negated, {
    path,
    comparison,
    valueOf: (values) => presentable(values[slot]),
  });
}

function memberLeaf({ segmentId, negated }: Member, places: Places): Explanation {
  const place = places.memberOf(segmentId);
  const comparison = `${negated ? 'does not contain' : 'contains'} ${JSON.stringify(segmentId)}`;
  return leaf((_values, members) => (members[place] === 1) !== negated, {
    path: 'segments',
    comparison,
    valueOf: (_values, members) => members[place] === 1,
  });
}

/** Of a condition whether any segment meets it, of a size how many there are. */
function membersLeaf({ comparison, negated }: Members, places: Places): Explanation {
  const { among, operand } = membersSought(comparison, places);
  const described = describeComparison(comparison, negated);
  const isCounted = comparison.operator === '$size';
  const count = (members: Uint8Array): number => among.filter((place) => members[place] === 1).length;
  return leaf((_values, members) => holdsAmong(among, operand, members) !== negated, {
    path: 'segments',
    comparison: described,
    valueOf: (_values, members) => (isCounted ? count(members) : count(members) > 0),
  });
}

function presentable(value: FeatureValue): Evidence['value'] {
  if (value === undefined) return null;
  if (typeof value === 'object') return [...value];
  return typeof value === 'string' ? shortened(value) : value;
}

function shortened(text: string): string {
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH).toWellFormed()}…`;
}
