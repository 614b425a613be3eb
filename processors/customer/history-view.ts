import type { Instant } from '../core/processor.ts';
import { churnBand } from './churn-risk.ts';
import type { ChurnBand } from './features.ts';
import { Foresight } from './foresight.ts';
import { HISTORY_PART, type History } from './history.ts';
import { unpackChanges, type HistoryChange, type JourneyChange, type TierChange } from './history-packing.ts';
import { journeyOf } from './journey.ts';
import { LOYALTY } from './loyalty.ts';
import type { OpenState } from './open-state.ts';
import type { Plan } from './plan.ts';
import type { CustomerState } from './state.ts';

/** A customer's memberships and churn risk at every instant from `since` on. */
export interface CustomerHistory {
  /** From this instant on every change is remembered. */
  readonly since: Instant;
  /** The customer's clock: later changes are those that silence alone makes. */
  readonly asOf: Instant;
  /** Up to when silence is applied. */
  readonly until: Instant;
  /** The oldest first. */
  readonly changes: readonly HistoryChange[];
  /** The segments the customer was in at `at`, changes of that instant included, by id; null before `since`, after `until`. */
  membershipsAt(at: Instant): readonly string[] | null;
  /** The stage of the journey, the lifecycle or the loyalty tier last published at or before `at`; null as `churnAt`. */
  labelAt(kind: LabelChange['kind'], at: Instant): string | null;
  /** The churn risk last published at or before `at`; null before `since` and after `until`, and when none was known. */
  churnAt(at: Instant): { readonly probability: number; readonly band: ChurnBand } | null;
}

type LabelChange = JourneyChange | TierChange;

/**
 * What was published of a customer up to its clock, and what silence publishes from there to `until`, which may not be
 * before it. The state stays as it was.
 */
export function historyUntil(state: CustomerState, open: OpenState, plan: Plan, until: Instant): CustomerHistory {
  const foresight = new Foresight(state, open, plan);
  while (foresight.step(until));
  open.open(foresight.state);
  const { stage, lifecycle } = journeyOf(open.parts) ?? { stage: null, lifecycle: null };
  const { ids } = foresight.state.segments;
  const { tier } = open.parts.get(LOYALTY);
  return historyView(open.parts.get(HISTORY_PART), ids, { stage, lifecycle, tier }, { asOf: state.at, until });
}

/** `members` and `labels`: segments, stage, lifecycle and tier at the end, from which the past is found by taking changes back. */
function historyView(
  history: History,
  members: readonly string[],
  labels: Readonly<Record<LabelChange['kind'], string | null>>,
  { asOf, until }: { readonly asOf: Instant; readonly until: Instant },
): CustomerHistory {
  const since = history.since < 0 ? asOf : history.since;
  const changes = history.since < 0 ? [] : unpackChanges(history, since);
  const isKnown = (at: Instant): boolean => at >= since && at <= until;
  return {
    ...{ since, asOf, until, changes },
    membershipsAt(at) {
      if (!isKnown(at)) return null;
      const was = new Set(members);
      for (const change of changes.toReversed()) {
        if (change.at <= at) break;
        if (change.kind !== 'memberships') continue;
        for (const { segmentId, change: turned } of change.changes) {
          if (turned === 'ENTERED') was.delete(segmentId);
          else was.add(segmentId);
        }
      }
      return [...was].sort();
    },
    labelAt(kind, at) {
      if (!isKnown(at)) return null;
      const own = changes.filter((change): change is LabelChange => change.kind === kind);
      const last = own.findLast((change) => change.at <= at);
      const [first] = own;
      if (last !== undefined) return last.to;
      return first === undefined ? labels[kind] : first.from;
    },
    churnAt(at) {
      if (!isKnown(at)) return null;
      const last = changes.findLast((change) => change.kind === 'churn' && change.at <= at);
      const probability = last?.kind === 'churn' ? last.probability : history.churnBefore;
      return probability < 0 ? null : { probability, band: churnBand(probability) };
    },
  };
}
