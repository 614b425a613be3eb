import type { FeatureValue } from './features.ts';
import { elementTest, testOf } from './rule-comparisons.ts';
import type { Test } from './rule-comparisons.ts';
import type { RulePath } from './rule-paths.ts';
import type { MembersComparison, RuleNode } from './rule-nodes.ts';

/** `values` by slot; `members` 1 for each earlier segment that is in. Allocates nothing. */
export type Matcher = (values: readonly FeatureValue[], members: Uint8Array) => boolean;

/** Where a rule finds what it reads. */
export interface Places {
  slotOf(path: RulePath): number;
  memberOf(segmentId: string): number;
  /** The segments that are counted, with their places. */
  readonly counted: ReadonlyMap<string, number>;
}

const ACCEPT = 0;
const TEST = 1;
const MEMBER = 2;
const EQUAL = 3;
const GREATER = 4;
const GREATER_OR_EQUAL = 5;
const LESS = 6;
const LESS_OR_EQUAL = 7;
const MEMBERS = 8;
/** What a comparison with a number is done by. */
const NUMERIC: Readonly<Record<string, number>> = {
  $eq: EQUAL,
  $gt: GREATER,
  $gte: GREATER_OR_EQUAL,
  $lt: LESS,
  $lte: LESS_OR_EQUAL,
};

/** One leaf, and where to go on when it is true or false; null = the rule is false. */
interface Step {
  readonly operation: number;
  readonly slot: number;
  /** For MEMBER: the place among the members. */
  readonly member: number;
  /** For MEMBERS: the places among which so many members are looked for. */
  readonly among: readonly number[];
  /** The constant of a number compared with a number, which nearly every leaf is. */
  readonly operand: number;
  /** The leaf on a value of any type. */
  readonly test: Test;
  readonly onTrue: Step | null;
  readonly onFalse: Step | null;
}

/** Every step is made here, so that all have one hidden class: the loop is three times slower over two. */
function newStep(operation: number, step: Partial<Step>, arrows: Arrows): Step {
  const { slot = 0, member = 0, among = NOBODY, operand = 0, test = always } = step;
  return { operation, slot, member, among, operand, test, onTrue: arrows.onTrue, onFalse: arrows.onFalse };
}

type Arrows = Pick<Step, 'onTrue' | 'onFalse'>;

const NOBODY: readonly number[] = [];
const always: Test = () => true;
const ACCEPTED: Step = newStep(ACCEPT, {}, { onTrue: null, onFalse: null });

/**
 * Compiles a rule to linked steps and one loop over them: `and`, `or` and negation are only where the arrows lead. A tree
 * of closures takes half as long again, because a call through a closure is never predicted.
 */
export function compileRule(rule: RuleNode, places: Places): Matcher {
  const start = stepsOf(rule, ACCEPTED, null, places);
  return (values, members) => {
    let step = start;
    while (step !== null) {
      const value = values[step.slot];
      let holds: boolean;
      switch (step.operation) {
        case GREATER_OR_EQUAL:
          holds = typeof value === 'number' ? value >= step.operand : step.test(value);
          break;
        case EQUAL:
          holds = typeof value === 'number' ? value === step.operand : step.test(value);
          break;
        case LESS:
          holds = typeof value === 'number' ? value < step.operand : step.test(value);
          break;
        case GREATER:
          holds = typeof value === 'number' ? value > step.operand : step.test(value);
          break;
        case LESS_OR_EQUAL:
          holds = typeof value === 'number' ? value <= step.operand : step.test(value);
          break;
        case MEMBER:
          holds = members[step.member] === 1;
          break;
        case MEMBERS:
          holds = holdsAmong(step.among, step.operand, members);
          break;
        case ACCEPT:
          return true;
        default:
          holds = step.test(value);
      }
      step = holds ? step.onTrue : step.onFalse;
    }
    return false;
  };
}

/** The first step of a rule that goes on at `onTrue` or `onFalse`; built from its end. */
function stepsOf(rule: RuleNode, onTrue: Step | null, onFalse: Step | null, places: Places): Step | null {
  switch (rule.kind) {
    case 'and':
      return rule.children.reduceRight((next, child) => stepsOf(child, next, onFalse, places), onTrue);
    case 'or':
      return rule.children.reduceRight((next, child) => stepsOf(child, onTrue, next, places), onFalse);
    case 'member':
      return newStep(MEMBER, { member: places.memberOf(rule.segmentId) }, arrowsOf(rule, onTrue, onFalse));
    case 'members':
      return newStep(MEMBERS, membersSought(rule.comparison, places), arrowsOf(rule, onTrue, onFalse));
    case 'compare': {
      const { comparison, path } = rule;
      const { operator, operand: constant } = comparison;
      const numeric = typeof constant === 'number' ? NUMERIC[operator] : undefined;
      const operation = numeric ?? TEST;
      const operand = numeric === undefined ? 0 : Number(constant);
      const step = { slot: places.slotOf(path), operand, test: testOf(comparison) };
      return newStep(operation, step, arrowsOf(rule, onTrue, onFalse));
    }
  }
}

/** At least one: no number of members is it. */
const SOME = -1;

/** Which segments are meant, and how many of them the customer must be in. */
export function membersSought(
  { operator, operand }: MembersComparison,
  { counted }: Places,
): { readonly among: readonly number[]; readonly operand: number } {
  if (operator === '$size') return { among: [...counted.values()], operand };
  const test = elementTest(operand);
  return { among: [...counted].filter(([id]) => test(id)).map(([, place]) => place), operand: SOME };
}

export function holdsAmong(among: readonly number[], sought: number, members: Uint8Array): boolean {
  let found = 0;
  for (const place of among) if (members[place] === 1) found += 1;
  return sought === SOME ? found > 0 : found === sought;
}

function arrowsOf({ negated }: { readonly negated: boolean }, onTrue: Step | null, onFalse: Step | null): Arrows {
  return negated ? { onTrue: onFalse, onFalse: onTrue } : { onTrue, onFalse };
}
