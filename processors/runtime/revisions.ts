import type { AnyStateful, Revisions } from '../core/processor.ts';
import type { RevisionCursor } from './ports.ts';

/** Where a partition stands in evaluating anew what is stored under other definitions. All of it may be forgotten. */
export interface Backfill {
  /** How far this pass through the index came. */
  after: RevisionCursor | null;
  /** How many were left when the pass began, less those that it took; null: not counted yet. */
  left: number | null;
  /** This pass found something. Then another one follows, as what it found is stored later, and the index knows no sooner. */
  hasFound: boolean;
  /** A whole pass found nothing: everything is of the current revision, and new states are born so. */
  isDone: boolean;
}

export function newBackfill(): Backfill {
  return { after: null, left: null, hasFound: false, isDone: false };
}

type Revised = AnyStateful & { readonly revisions: Revisions<unknown, unknown> };

/** Whether a state was evaluated under other definitions than those of now. */
export function isOutdated(processor: AnyStateful, state: unknown): processor is Revised {
  const { revisions } = processor;
  if (revisions === undefined) return false;
  const revision = revisions.of(state);
  return revision !== 0 && revision !== revisions.current;
}
