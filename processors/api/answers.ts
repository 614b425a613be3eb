import type { Instant } from '../core/processor.ts';
import type { CustomerHistory } from '../customer/history-view.ts';
import type { InspectedSegment, Inspection } from '../customer/inspect.ts';

/** What commands print with --json and the API answers: times as ISO 8601, absent as null. */
export interface Looked {
  readonly key: string;
  readonly at: Instant;
}

export function profileAnswer({ key, at }: Looked, { asOf, isRedefined, profile, triggers }: Inspection): object {
  const pending = triggers.pending.map((each) => ({ ...each, causeAt: iso(each.causeAt), dueAt: iso(each.dueAt) }));
  const standing = triggers.standing.map((each) => ({ ...each, causeAt: iso(each.causeAt) }));
  return { key, asOf: iso(asOf), at: iso(at), isRedefined, profile, triggers: { pending, standing } };
}

export function explanationAnswer(
  { key, at }: Looked,
  { asOf, isRedefined }: Inspection,
  segments: readonly InspectedSegment[],
): object {
  return { key, asOf: iso(asOf), at: iso(at), isRedefined, segments: segments.map(segmentAnswer) };
}

/** `at`: an instant that the history reaches; null: what was then is not asked for. The newest `limit` changes, the newest first. */
export function historyAnswer(key: string, history: CustomerHistory, at: Instant | null, limit: number): object {
  const { asOf, since, until, changes } = history;
  const then =
    at === null
      ? null
      : {
          at: iso(at),
          segments: history.membershipsAt(at),
          churn: history.churnAt(at),
          stage: history.labelAt('stage', at),
          lifecycle: history.labelAt('lifecycle', at),
          tier: history.labelAt('tier', at),
        };
  const newest = changes.toReversed().slice(0, limit);
  return {
    ...{ key, asOf: iso(asOf), since: iso(since), until: iso(until), then, changesKept: changes.length },
    changes: newest.map((change) => ({ ...change, at: iso(change.at) })),
  };
}

function segmentAnswer({ segmentId, isMember, nextFlipAt, leaves }: InspectedSegment): object {
  return {
    segmentId,
    isMember,
    nextFlipAt: isoOrNull(nextFlipAt),
    leaves: leaves.map((leaf) => ({ ...leaf, nextFlipAt: isoOrNull(leaf.nextFlipAt) })),
  };
}

/** A time as ISO 8601, or as the number that no date can hold. */
function iso(time: Instant): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}

function isoOrNull(time: Instant | null): string | null {
  return time === null ? null : iso(time);
}
