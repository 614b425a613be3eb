import type { Instant } from '../core/processor.ts';
import type { FoldMarks, MarkedPartition } from './fold-marks.ts';
import type { CommittedOffset, TopicPartition } from './ports.ts';

/** Some reader folded beyond where the log ends: this is another log than the one the marks are of. */
function isOtherLog(marked: readonly (MarkedPartition | null)[], end: number): boolean {
  return marked.some((each) => (each?.marks.at(-1)?.next ?? 0) > end);
}

/**
 * The offset below which every reader had durably folded everything `afterMs` ago: what a database restored to any state
 * since then still needs is not below it. null when that is not known of each of them: a group that never committed, that
 * began to be marked later, or that was not seen since.
 */
export function purgeBound(readers: readonly (MarkedPartition | null)[], now: Instant, afterMs: number): number | null {
  const until = now - afterMs;
  let bound: number | null = null;
  for (const reader of readers) {
    const old = reader?.marks.findLast(({ at }) => at <= until);
    const isThere = (reader?.marks.at(-1)?.at ?? Number.NEGATIVE_INFINITY) > until;
    if (old === undefined || !isThere) return null;
    bound = Math.min(bound ?? old.next, old.next);
  }
  return bound;
}

/** What is known of one reader of a partition that may be purged. */
export interface PurgeReader {
  readonly marked: MarkedPartition | null;
  /** What its group committed; null: nothing, or the commits went with the topic that was there before. */
  readonly committed: number | null;
}

/**
 * Where a partition that ends at `end` may begin; null while that is not known. A topic that was created anew and filled again
 * may look like the one that the marks are of, but nothing was committed of it.
 */
export function mayBeginAt(readers: readonly PurgeReader[], end: number, now: Instant, afterMs: number): number | null {
  const marked = readers.map((each) => each.marked);
  const bound = isOtherLog(marked, end) ? null : purgeBound(marked, now, afterMs);
  if (bound === null) return null;
  return readers.reduce<number | null>(
    (least, { committed }) => (least === null || committed === null ? null : Math.min(least, committed)),
    Math.min(bound, end),
  );
}

/** Reads it of one partition, the commits given. */
export function readReaders(
  marks: FoldMarks,
  at: TopicPartition,
  commits: ReadonlyMap<string, readonly CommittedOffset[]>,
): Promise<PurgeReader[]> {
  return Promise.all(
    Array.from(commits, async ([group, committed]) => {
      const found = committed.find(({ partition }) => partition === at.partition);
      return { marked: await marks.load(group, at), committed: found?.offset ?? null };
    }),
  );
}
