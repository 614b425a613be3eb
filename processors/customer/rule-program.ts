import type { FeatureValue } from './features.ts';
import { testOf } from './rule-comparisons.ts';
import type { Test } from './rule-comparisons.ts';
import type { RulePath } from './rule-paths.ts';
import type { RuleNode } from './rule-syntax.ts';

/** `values` by slot; `members` 1 for each earlier segment that is in. Allocates nothing. */
export type Matcher = (values: readonly FeatureValue[], members: Uint8Array) => boolean;

/** Where a rule finds what it reads. */
export interface Places {
  slotOf(path: RulePath): number;
  memberOf(segmentId: string): number;
}

const ACCEPT = 0;
const TEST = 1;
const MEMBER = 2;
const EQUAL = 3;
const GREATER = 4;
const GREATER_OR_EQUAL = 5;
const LESS = 6;
const LESS_OR_EQUAL = 7;
const NUMERIC = { $eq: EQUAL, $gt: GREATER, $gte: GREATER_OR_EQUAL, $lt: LESS, $lte: LESS_OR_EQUAL } as const;

/** One leaf, and where to go on when it is true or false; null = the rule is false. */
interface Step {
  readonly operation: number;
  readonly slot: number;
  /** For MEMBER: the place among the members. */
  readonly member: number;
  /** The constant of a number compared with a number, which nearly every leaf is. */
  readonly operand: number;
  /** The leaf on a value of any type. */
  readonly test: Test;
  readonly onTrue: Step | null;
  readonly onFalse: Step | null;
}

/** Every step is made here, so that all have one hidden class: the loop is three times slower over two. */
function newStep(operation: number, slot: number, member: number, operand: number, test: Test, arrows: Arrows): Step {
  return { operation, slot, member, operand, test, onTrue: arrows.onTrue, onFalse: arrows.onFalse };
}

type Arrows = Pick<Step, 'onTrue' | 'onFalse'>;

const ACCEPTED: Step = newStep(ACCEPT, 0, 0, 0, () => true, { onTrue: null, onFalse: null });

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
      return newStep(MEMBER, 0, places.memberOf(rule.segmentId), 0, ACCEPTED.test, arrowsOf(rule, onTrue, onFalse));
    case 'compare': {
      const { comparison, path } = rule;
      const numeric = comparison.operator in NUMERIC && typeof comparison.operand === 'number';
      const operation = numeric ? NUMERIC[comparison.operator] : TEST;
      const operand = numeric ? Number(comparison.operand) : 0;
      const arrows = arrowsOf(rule, onTrue, onFalse);
      return newStep(operation, places.slotOf(path), 0, operand, testOf(comparison), arrows);
    }
  }
}

function arrowsOf({ negated }: { readonly negated: boolean }, onTrue: Step | null, onFalse: Step | null): Arrows {
  return negated ? { onTrue: onFalse, onFalse: onTrue } : { onTrue, onFalse };
}
