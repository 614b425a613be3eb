import type { Fault } from '../core/errors.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { DAY_MS, MINUTE_MS } from '../core/event-time.ts';
import type { ReadFields } from '../core/processor.ts';
import { parseTimeSpan } from '../core/time-span.ts';
import { eventField } from './event-fields.ts';
import { parseEventFilter, type EventFilter } from './event-filter.ts';
import type { RulePath } from './rule-paths.ts';

/** One event and then another, or then not another, within a time. */
export interface Sequence {
  /** Of what it says, in 52 bits. */
  readonly key: number;
  readonly first: EventFilter;
  /** What must follow, or must not. */
  readonly next: EventFilter;
  readonly isNegative: boolean;
  readonly withinMs: number;
  /** How long it stays true; null: without end. */
  readonly forMs: number | null;
  /** As a person reads it. */
  readonly description: string;
}

/** So many different ones the segments of a brand name at most. */
export const SEQUENCES_MAX = 64;

const FIELDS: readonly string[] = ['first', 'then', 'thenNot', 'within', 'for'];
const WITHIN_MIN_MS = MINUTE_MS;
const WITHIN_MAX_MS = 365 * DAY_MS;
/** A shorter stay could be missed between the firsts that are remembered (sequence-state.ts). */
const STAY_MIN_SHARE = 1 / 8;

/** Parses what stands behind `$sequence`; what is wrong with it is pushed to `faults`. */
export function parseSequence(operand: unknown, at: string, faults: Fault[]): RulePath | null {
  const before = faults.length;
  const fault = (where: string, message: string): void => void faults.push({ where, message });
  if (typeof operand !== 'object' || operand === null || Array.isArray(operand)) {
    fault(at, 'takes an object such as {"first": {…}, "then": {…}, "within": "3d"}');
    return null;
  }
  const given = operand as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!FIELDS.includes(name)) fault(`${at}.${name}`, `is unknown; a sequence has ${FIELDS.join(', ')}`);
  }
  const isNegative = 'thenNot' in given;
  if (isNegative === 'then' in given) fault(at, 'needs either "then" or "thenNot"');
  const first = parseEventFilter(given['first'], `${at}.first`, faults);
  const nextName = isNegative ? 'thenNot' : 'then';
  const next = parseEventFilter(given[nextName], `${at}.${nextName}`, faults);
  const withinMs = spanOf(given['within']);
  if (withinMs === null) fault(`${at}.within`, 'must be a time such as "30m", "12h" or "3d"');
  else if (withinMs < WITHIN_MIN_MS || withinMs > WITHIN_MAX_MS) fault(`${at}.within`, 'must be 1m to 365d');
  const forMs = given['for'] === undefined ? null : spanOf(given['for']);
  if (given['for'] !== undefined && forMs === null) fault(`${at}.for`, 'must be a time such as "12h" or "30d"');
  if (forMs !== null && withinMs !== null && isNegative && forMs < withinMs * STAY_MIN_SHARE)
    fault(`${at}.for`, 'must be at least an eighth of "within"');
  if (faults.length > before || withinMs === null) return null;
  const said = JSON.stringify([given['first'], nextName, given[nextName], withinMs, forMs]);
  const description = `${JSON.stringify(given['first'])} ${isNegative ? 'then not' : 'then'} ${JSON.stringify(given[nextName])} within ${String(given['within'])}`;
  const sequence = { key: fingerprint(said), first, next, isNegative, withinMs, forMs, description };
  return {
    path: `$sequence ${said}`,
    feature: { kind: 'sequence', sequence },
    domain: { type: 'boolean', min: -Infinity, max: Infinity, texts: null, optional: false },
  };
}

/** What has to be decoded of an interaction for it. */
export function fieldsOfSequence({ first, next }: Sequence): ReadFields[] {
  const fields = [...first.paths, ...next.paths].map(eventField).filter((each) => typeof each !== 'string');
  return fields.map(({ reads }) => reads);
}

function spanOf(text: unknown): number | null {
  return typeof text === 'string' ? parseTimeSpan(text) : null;
}
