import type { Instant } from '../core/processor.ts';
import type { TopicPartition } from './ports.ts';

/** Where a group stood at some moment of the real clock: everything below `next` was durably folded then. */
export interface FoldMark {
  readonly at: Instant;
  readonly next: number;
}

/** The marks of one group on one partition. */
export interface MarkedPartition {
  /** The source of the reader (position.ts): another epoch counts its offsets on another log. */
  readonly source: string;
  /** Oldest first; neither `at` nor `next` ever falls. */
  readonly marks: readonly FoldMark[];
}

/** Remembers marks across processes. Rejects with a PipelineError when the store does not answer. */
export interface FoldMarks {
  /** `group` without prefix. */
  load(group: string, at: TopicPartition): Promise<MarkedPartition | null>;
  /** Majority. Of two writers the last one stays: whatever was marked is true, so that only costs time. */
  store(group: string, at: TopicPartition, marked: MarkedPartition): Promise<void>;
}

/** How many marks the time that is kept is divided into: what is purged is older than asked for by at most such a part. */
const MARKS_PER_SPAN = 24;

/** How far apart marks are when what was folded within `afterMs` is kept. */
export const markEveryMs = (afterMs: number): number => afterMs / MARKS_PER_SPAN;

/**
 * The marks with a new one, and without those that nobody needs any more; the same object when nothing is to be written.
 * `start`: where the log begins now.
 */
export function withMark(
  before: MarkedPartition | null,
  source: string,
  mark: FoldMark,
  start: number,
  afterMs: number,
): MarkedPartition {
  if (before?.source !== source) return { source, marks: [mark] };
  // Made by a clock that was ahead of this one: it would keep others out until its time has come.
  const past = before.marks.filter(({ at }) => at <= mark.at);
  const last = past.at(-1);
  // Somebody else has folded further: this process does not own the partition any more.
  if (last !== undefined && mark.next < last.next) return before;
  if (last !== undefined && mark.at - last.at < markEveryMs(afterMs)) return before;
  const until = mark.at - afterMs;
  const young = past.filter(({ at }) => at > until);
  // Of those old enough the last says how far to purge, and the first beyond the beginning how long that has been due.
  const old = past.slice(0, past.length - young.length);
  const kept = new Set([old.find(({ next }) => next > start), old.at(-1)].filter((each) => each !== undefined));
  return { source, marks: [...kept, ...young, mark] };
}

/** For how long the oldest record that is left could have been purged, by one reader's marks; 0 when none could. */
export function purgeLateMs(marked: MarkedPartition, start: number, now: Instant, afterMs: number): number {
  const due = marked.marks.find(({ next }) => next > start);
  return due === undefined ? 0 : Math.max(0, now - afterMs - due.at);
}
