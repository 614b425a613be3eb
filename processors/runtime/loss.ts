import { PipelineError } from '../core/errors.ts';
import type { GroupCommit } from './group-commit.ts';
import type { EventLog, InputMark, OffsetRange, TopicPartition } from './ports.ts';
import { FIRST_EPOCH } from './position.ts';

/** Why a partition cannot be gone on with: never skip, never guess. */
export interface Loss {
  readonly code: 'store_behind' | 'input_lost';
  readonly message: string;
  /** How many blocks the journal lacks, or how many offsets are gone; at least, for neither may be there to be counted. */
  readonly missing: number;
}

/** What a take-over found out, and where it goes on: with a loss, only once an operator has accepted it. */
export interface Standing {
  readonly losses: readonly Loss[];
  readonly epoch: number;
  readonly next: number;
}

/** The head of the journal as far as it matters here; null: there is no block. */
export interface KnownHead extends Pick<InputMark, 'epoch' | 'next'> {
  readonly seq: number;
}

/** How the partition of a processor that keeps a journal stands: `range` is undefined for one that the log does not have. */
export function judgeJournal(
  at: TopicPartition,
  head: KnownHead | null,
  commit: GroupCommit,
  range: OffsetRange | undefined,
): Standing {
  const epoch = head?.epoch ?? FIRST_EPOCH;
  const behind = storeBehind(at, head, commit);
  const lost = head === null || range === undefined ? null : rangeLost(at, head.next, range);
  const start = range?.start ?? 0;
  const losses = [behind, lost].filter((each) => each !== null);
  return {
    losses,
    epoch: losses.length === 0 ? epoch : Math.max(epoch, commit.epoch) + 1,
    // The journal's own next, when the database is older: its input is folded again from there.
    next: lost === null ? (head?.next ?? start) : start,
  };
}

/** A commit of an older epoch is outdone: that loss was accepted. */
function storeBehind(at: TopicPartition, head: KnownHead | null, commit: GroupCommit): Loss | null {
  const [epoch, seq] = [head?.epoch ?? FIRST_EPOCH, head?.seq ?? -1];
  if (commit.epoch < epoch || (commit.epoch === epoch && commit.seq <= seq)) return null;
  const committed = commit.epoch === epoch ? `block ${commit.seq}` : `block ${commit.seq} of epoch ${commit.epoch}`;
  const message = `${nameOf(at)}: ${committed} was committed, but the journal ends at ${head?.seq ?? 'nothing'}: the database was restored to an older state`;
  return { code: 'store_behind', message, missing: Math.max(1, commit.seq - seq) };
}

/** Whether the log no longer holds, or does not yet hold again, what is next. */
export function rangeLost(at: TopicPartition, next: number, { start, end }: OffsetRange): Loss | null {
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

export async function rangeOf({ topic, partition }: TopicPartition, log: EventLog): Promise<OffsetRange | undefined> {
  return (await log.ranges(topic)).find((range) => range.partition === partition);
}

/** What becomes of a loss that nobody accepted: the process stops. */
export function refuseLoss({ losses: [loss] }: Standing): void {
  if (loss !== undefined) throw new PipelineError(loss.code, loss.message, { retriable: false });
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
