import type { RulePath } from './rule-paths.ts';
import { suggestion } from '../core/nearest-name.ts';

/** The operators of the allow-listed subset, and what is said of the others. */

export const LOGICAL: readonly string[] = ['$and', '$or', '$nor'];
const FIELD: readonly string[] = [
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

/** Why an operator cannot stand where it stands. */
export function misplaced(operator: string): string {
  const reason = NEVER_ALLOWED[operator];
  if (reason !== undefined) return `${operator} is not allowed in a rule: it ${reason}`;
  if (operator === '$sequence') return '$sequence stands beside paths, not inside one';
  if (operator === '$not') return '$not stands inside a path, {"<path>": {"$not": {…}}}; around whole rules use $nor';
  if (FIELD.includes(operator)) return `${operator} stands inside a path: {"<path>": {"${operator}": …}}`;
  if (LOGICAL.includes(operator)) return `${operator} stands around whole rules, not inside a path`;
  return `unknown operator ${operator}${suggestion(operator, [...LOGICAL, ...FIELD, '$sequence'])}`;
}

/** Why a path cannot be looked into. */
export function nested({ path }: RulePath, key: string): string {
  return `"${path}" holds one value: compare it with operators such as {"$eq": …}, not with "${key}"`;
}
