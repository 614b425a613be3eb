import { PipelineError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import { AFFINITY, mergeAffinity } from './affinity.ts';
import { BRAND_PART } from './brand-part.ts';
import { EXPOSURES, mergeExposures } from './exposures.ts';
import { HISTORY_PART } from './history.ts';
import { IDENTITY } from './identity.ts';
import { JOURNEY, mergeJourneys } from './journey.ts';
import { LOYALTY } from './loyalty.ts';
import { MEASURED, mergeMeasured } from './measured.ts';
import { MESSAGES_PART } from './messages-part.ts';
import type { Part, PartId, PartMerge } from './parts.ts';
import type { Plan } from './plan.ts';
import type { Postings } from './postings.ts';
import { LAST_SCORES } from './scores.ts';
import { mergeSequences, openSequence, SEQUENCES } from './sequence-part.ts';
import { SUBSCRIPTIONS_PART } from './subscriptions.ts';
import { TRIGGERS_PART } from './triggers.ts';
import { VISITS } from './visits.ts';

/** What the merge of a part may need. */
export interface Merging {
  readonly plan: Plan;
  /** After everything in either customer. */
  readonly now: Instant;
  /** What must be taken from, or added to, the sum of the measures of both. */
  readonly postings: Postings;
}

/**
 * What becomes of each part when two customers turn out to be one: in any order the same, and the same as if all had come
 * under one identifier. A part without a line here does not compile.
 */
export const MERGES: Readonly<Record<PartId, PartMerge>> = {
  // Links are of a subject, not of what is known of it: none is handed on.
  0: rule(IDENTITY, () => undefined),
  1: rule(VISITS, (into, from, { postings }) => VISITS.merge(into, from, postings)),
  2: rule(JOURNEY, (into, from, { plan }) => mergeJourneys(into, from, plan.rules.journey)),
  3: rule(LOYALTY, (into, from, { postings }) => LOYALTY.merge(into, from, postings)),
  // What was published under an identifier was published under that one.
  30: rule(HISTORY_PART, () => undefined),
  40: rule(BRAND_PART, (into, from, { postings }) => BRAND_PART.merge(into, from, postings)),
  41: rule(MESSAGES_PART, (into, from, { postings }) => MESSAGES_PART.merge(into, from, postings)),
  42: rule(SUBSCRIPTIONS_PART, (into, from, { postings }) => SUBSCRIPTIONS_PART.merge(into, from, postings)),
  50: rule(EXPOSURES, (into, from) => void mergeExposures(into, from)),
  60: rule(MEASURED, (into, from, { plan, now }) => mergeMeasured(into, from, plan.rules.measures, now)),
  61: rule(SEQUENCES, (into, from, { plan, now }) => {
    for (const { sequence } of plan.gathering?.sequencesByKey.values() ?? []) {
      const other = from.get(sequence.key);
      if (other !== undefined) mergeSequences(openSequence(into, sequence), other, sequence, now);
    }
  }),
  70: rule(TRIGGERS_PART, (into, from, { postings }) => TRIGGERS_PART.merge(into, from, postings)),
  71: rule(AFFINITY, (into, from, { plan }) => {
    mergeAffinity(into, from, plan.affinity);
  }),
  72: rule(LAST_SCORES, (into, from) => LAST_SCORES.merge(into, from)),
};

/** @throws PipelineError `store_unreadable` for a part that this program does not know */
export function mergeOf(id: number): PartMerge {
  const known = (MERGES as Partial<Record<number, PartMerge>>)[id];
  if (known !== undefined) return known;
  const message = `a customer's state has the part ${id}, which this program does not know`;
  throw new PipelineError('store_unreadable', message, { retriable: false });
}

function rule<Value>(part: Part<Value>, merge: (into: Value, from: Value, merging: Merging) => void): PartMerge {
  // An entry holds values of the part whose id it has.
  return { part, merge: merge as PartMerge['merge'] };
}
