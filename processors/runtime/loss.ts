import { PipelineError } from '../core/errors.ts';
import type { GroupCommit } from './group-commit.ts';
import type { RecordMark, StoredMark } from './input-marks.ts';
import type { OffsetRange, TopicPartition } from './ports.ts';
import { FIRST_EPOCH } from './position.ts';

/** Why a partition cannot be gone on with: never skip, never guess. */
export interface Loss {
  readonly code: 'store_behind' | 'input_lost';
  readonly message: string;
  /** How many blocks the journal lacks, or how many offsets are gone; at least, for neither may be there to be counted. */
  readonly missing: number;
}

/** What a take-over found out, and where it goes on: with a loss, only once an operator has accepted it. */
export interface Standing extends StoredMark {
  readonly losses: readonly Loss[];
}

/** How it looks by offsets alone. */
export interface Judgement {
  readonly standing: Standing;
  /**
   * Not null when the group's commits are gone though this record was folded: whether this is still the same log, or only the
   * broker forgot an idle group, that record tells.
   */
  readonly doubted: RecordMark | null;
}

/** The head of the journal as far as it matters here; null: there is no block. */
export interface KnownHead extends StoredMark {
  readonly seq: number;
}

/** How the partition of a processor that keeps a journal stands: `range` is undefined for one that the log does not have. */
export function judgeJournal(
  at: TopicPartition,
  head: KnownHead | null,
  commit: GroupCommit,
  range: OffsetRange | undefined,
): Judgement {
  const epoch = head?.epoch ?? FIRST_EPOCH;
  const behind = storeBehind(at, head, commit);
  const lost = head === null || range === undefined ? null : rangeLost(at, head.next, range);
  const start = range?.start ?? 0;
  const losses = [behind, lost].filter((each) => each !== null);
  const last = lost === null ? (head?.last ?? null) : null;
  const standing = {
    losses,
    epoch: losses.length === 0 ? epoch : Math.max(epoch, commit.epoch) + 1,
    // The journal's own next, when the database is older: its input is folded again from there.
    next: lost === null ? (head?.next ?? start) : start,
    last,
  };
  return { standing, doubted: doubtOf(last, commit.offset, range) };
}

/** A commit of an older epoch is outdone: that loss was accepted. */
function storeBehind(at: TopicPartition, head: KnownHead | null, commit: GroupCommit): Loss | null {
  const [epoch, seq] = [head?.epoch ?? FIRST_EPOCH, head?.seq ?? -1];
  if (commit.epoch < epoch || (commit.epoch === epoch && commit.seq <= seq)) return null;
  const committed = commit.epoch === epoch ? `block ${commit.seq}` : `block ${commit.seq} of epoch ${commit.epoch}`;
  const message = `${nameOf(at)}: ${committed} was committed, but the journal ends at ${head?.seq ?? 'nothing'}: the database was restored to an older state`;
  return { code: 'store_behind', message, missing: Math.max(1, commit.seq - seq) };
}

/** How an input partition without a journal stands. */
export function judgeInput(
  at: TopicPartition,
  mark: StoredMark | null,
  commit: GroupCommit,
  range: OffsetRange | undefined,
): Judgement {
  // Each may be the newer one: the mark lags by a second, a commit outlives a database that was restored.
  const epoch = Math.max(mark?.epoch ?? FIRST_EPOCH, commit.epoch);
  const committed = commit.epoch === epoch ? commit.offset : null;
  const marked = mark?.epoch === epoch ? mark : null;
  const start = range?.start ?? 0;
  if (committed === null && marked === null) {
    return { standing: { losses: [], epoch, next: start, last: null }, doubted: null };
  }
  const next = Math.max(committed ?? 0, marked?.next ?? 0);
  const lost = range === undefined ? null : rangeLost(at, next, range);
  if (lost !== null) {
    return { standing: { losses: [lost], epoch: epoch + 1, next: start, last: null }, doubted: null };
  }
  const last = marked?.last ?? null;
  return { standing: { losses: [], epoch, next, last }, doubted: doubtOf(last, committed, range) };
}

/**
 * What only the last folded record can tell: while there is a commit this is the log that it was made of, for a group's commits
 * go with the topic. A log that begins behind that record, and where the next one is to come at the latest, is still the same:
 * a new one begins at 0. Retention, or the purge, removed what was folded, and nothing else.
 */
function doubtOf(last: RecordMark | null, committed: number | null, range: OffsetRange | undefined): RecordMark | null {
  if (last === null || committed !== null) return null;
  return range !== undefined && range.start > last.offset ? null : last;
}

/** As when the log is another one, which holds as many records again. */
export function anotherLog(at: TopicPartition, { epoch, next }: Standing, range: OffsetRange | undefined): Standing {
  const message = `${nameOf(at)}: offset ${next} is next, but the group's commits are gone and the log holds other records below: the topic was created anew`;
  const losses = [{ code: 'input_lost', message, missing: next }] as const;
  return { losses, epoch: epoch + 1, next: range?.start ?? 0, last: null };
}

/** Whether the log no longer holds, or does not yet hold again, what is next. */
function rangeLost(at: TopicPartition, next: number, { start, end }: OffsetRange): Loss | null {
  if (end < next) {
    const message = `${nameOf(at)}: offset ${next} is next, but the log ends at ${end}: the topic was created anew`;
    return { code: 'input_lost', message, missing: next - end };
  }
  if (start > next) {
    const message = `${nameOf(at)}: offset ${next} is next, but the log begins at ${start}: retention removed records that were not folded`;
    return { code: 'input_lost', message, missing: start - next };
  }
  return null;
}

/** What becomes of a loss that nobody accepted: the process stops. */
export function refuseLoss({ losses: [loss] }: Standing): void {
  if (loss !== undefined) throw new PipelineError(loss.code, loss.message, { retriable: false });
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
