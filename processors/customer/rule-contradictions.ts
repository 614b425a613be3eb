import { constantsOf, describeComparison, elementTest, testOf } from './rule-comparisons.ts';
import type { Comparison, Scalar } from './rule-comparisons.ts';
import type { Domain, RulePath } from './rule-paths.ts';
import type { RuleNode } from './rule-nodes.ts';

type Leaf = Exclude<RuleNode, { readonly kind: 'and' | 'or' }>;

/** Alternatives looked at before a rule is given the benefit of the doubt. */
const MAX_ALTERNATIVES = 500;

/**
 * Why no profile can ever satisfy the rule, or null when one can. For each path the values that matter are few: each
 * constant, what lies between and beyond the constants, and missing; so a conjunction is decided by trying them all.
 * Paths are taken as independent of each other.
 */
export function contradictionOf(rule: RuleNode): string | null {
  const search: Search = { alternatives: 0, conflict: null };
  if (possible([rule], [], search)) return null;
  const conflict = search.conflict ?? 'an empty list matches nothing';
  return search.alternatives > 1
    ? `can never be true: every alternative contradicts itself, for example: ${conflict}`
    : `can never be true: ${conflict}`;
}

interface Search {
  alternatives: number;
  conflict: string | null;
}

function possible(agenda: readonly RuleNode[], facts: readonly Leaf[], search: Search): boolean {
  const known = [...facts];
  const choices: (readonly RuleNode[])[] = [];
  const pending = [...agenda];
  // The list grows while it is walked.
  for (const node of pending) {
    if (node.kind === 'and') pending.push(...node.children);
    else if (node.kind === 'or') choices.push(node.children);
    else known.push(node);
  }
  const conflict = conflictAmong(known);
  if (conflict !== null) {
    search.conflict ??= conflict;
    return false;
  }
  const [choice, ...others] = choices;
  if (choice === undefined) return true;
  const rest = others.map((children): RuleNode => ({ kind: 'or', children }));
  for (const branch of choice) {
    search.alternatives += 1;
    if (search.alternatives > MAX_ALTERNATIVES || possible([branch, ...rest], known, search)) return true;
  }
  return false;
}

function conflictAmong(leaves: readonly Leaf[]): string | null {
  const byPath = Map.groupBy(leaves, (leaf) => {
    if (leaf.kind === 'members') return 'segments';
    return leaf.kind === 'member' ? `segments ${leaf.segmentId}` : leaf.path.path;
  });
  for (const group of byPath.values()) {
    const [first] = group;
    if (first?.kind === 'members') continue;
    if (first?.kind === 'member') {
      const both = group.some((leaf) => leaf.negated) && group.some((leaf) => !leaf.negated);
      if (both) return `it asks for being in segment "${first.segmentId}" and for not being in it`;
    } else if (first !== undefined) {
      const conflict = conflictOnPath(
        first.path,
        group.filter((leaf) => leaf.kind === 'compare'),
      );
      if (conflict !== null) return conflict;
    }
  }
  return conflictAmongSegments(leaves);
}

/** Among what is asked of segments without naming them, held against those that are named. */
function conflictAmongSegments(leaves: readonly Leaf[]): string | null {
  const asked = leaves.filter((leaf) => leaf.kind === 'members');
  if (asked.length === 0) return null;
  const named = leaves.filter((leaf) => leaf.kind === 'member');
  const wanted = named.filter(({ negated }) => !negated).map(({ segmentId }) => segmentId);
  const unwanted = new Set(named.filter(({ negated }) => negated).map(({ segmentId }) => segmentId));
  const asText = (leaf: (typeof asked)[number]): string => describeComparison(leaf.comparison, leaf.negated);
  const conditions = asked.flatMap((leaf) =>
    leaf.comparison.operator === '$elemMatch' ? [{ leaf, test: elementTest(leaf.comparison.operand) }] : [],
  );
  const constants = asked
    .flatMap(({ comparison }) => constantsOf(comparison))
    .filter((each) => typeof each === 'string');
  const isAllowed = (id: string): boolean =>
    !unwanted.has(id) && conditions.every(({ leaf, test }) => !leaf.negated || !test(id));
  for (const id of wanted) {
    const against = conditions.find(({ leaf, test }) => leaf.negated && test(id));
    if (against !== undefined) return `it asks for segment "${id}" and for segments ${asText(against.leaf)}`;
  }
  const possible = [...wanted, ...textsAround(constants)].filter(isAllowed);
  const impossible = conditions.find(({ leaf, test }) => !leaf.negated && !possible.some((id) => test(id)));
  if (impossible !== undefined) return `no segment can be the one asked for: ${asked.map(asText).join(' and ')}`;
  const needed = conditions.some(({ leaf, test }) => !leaf.negated && !wanted.some((id) => test(id))) ? 1 : 0;
  const least = new Set(wanted).size + needed;
  const sizes = asked.filter(({ comparison }) => comparison.operator === '$size');
  const exact = new Set(sizes.filter(({ negated }) => !negated).map(({ comparison }) => comparison.operand));
  const excluded = sizes.some(({ comparison, negated }) => negated && exact.has(comparison.operand));
  if (exact.size <= 1 && !excluded && [...exact].every((size) => Number(size) >= least)) return null;
  const others = least === 0 ? '' : `, with at least ${least} by what else is asked`;
  return `the number of segments cannot be ${sizes.map(asText).join(' and ')}${others}`;
}

/** One text from each region into which the constants divide all texts: the texts just above one begin with it and U+0000. */
function textsAround(constants: readonly Scalar[]): string[] {
  const texts = constants.filter((each) => typeof each === 'string');
  // The empty text is below all others.
  return ['', ...texts.flatMap((text) => [text, `${text}\u0000`])];
}

function conflictOnPath(
  path: RulePath,
  leaves: readonly { comparison: Comparison; negated: boolean }[],
): string | null {
  const tests = leaves.map((leaf) => ({ test: testOf(leaf.comparison), expected: !leaf.negated }));
  const constants = leaves.flatMap((leaf) => constantsOf(leaf.comparison));
  for (const candidate of candidatesOf(path.domain, constants)) {
    if (tests.every(({ test, expected }) => test(candidate) === expected)) return null;
  }
  const wanted = leaves.map((leaf) => describeComparison(leaf.comparison, leaf.negated)).join(' and ');
  return `"${path.path}" is ${describeDomain(path.domain)}, so nothing is ${wanted}`;
}

/** One value from each region into which the constants divide the domain. */
function candidatesOf(domain: Domain, constants: readonly Scalar[]): unknown[] {
  const missing = domain.optional ? [undefined] : [];
  switch (domain.type) {
    case 'boolean':
      return [true, false, ...missing];
    case 'text':
      return [...(domain.texts ?? textsAround(constants)), ...missing];
    default:
      return [
        ...numbersOf(
          domain,
          constants.filter((each) => typeof each === 'number'),
        ),
        ...missing,
      ];
  }
}

function numbersOf(domain: Domain, constants: readonly number[]): number[] {
  const edges = [...constants, domain.min, domain.max, 0].filter(Number.isFinite).sort((left, right) => left - right);
  const beyond = (edge: number) => Math.max(1, Math.abs(edge));
  const near = edges.flatMap((edge, index) => {
    const between = (edge + (edges[index + 1] ?? edge)) / 2;
    const beside = [edge - beyond(edge), edge, between, edge + beyond(edge)];
    return domain.type === 'integer'
      ? [...beside, Math.floor(edge), Math.ceil(edge), Math.floor(edge) - 1, Math.ceil(edge) + 1]
      : beside;
  });
  return near.filter(
    (value) => value >= domain.min && value <= domain.max && (domain.type !== 'integer' || Number.isInteger(value)),
  );
}

function describeDomain(domain: Domain): string {
  const missing = domain.optional ? ' or missing' : '';
  const least = Number.isFinite(domain.min)
    ? `, ${domain.min} ${Number.isFinite(domain.max) ? `to ${domain.max}` : 'or more'}`
    : '';
  switch (domain.type) {
    case 'integer':
      return `a whole number${least}${missing}`;
    case 'number':
      return `a number${least}${missing}`;
    case 'boolean':
      return 'true or false';
    default:
      return domain.texts === null ? `a text${missing}` : `one of ${domain.texts.join(', ')}${missing}`;
  }
}
