import type { StatelessProcessor } from '../core/processor.ts';
import { readCommit } from './group-commit.ts';
import type { Lag } from './lag.ts';
import type { Owned } from './lane.ts';
import { rangeOf } from './input-range.ts';
import { judgeInput, refuseLoss, type Standing } from './loss.ts';
import { groupName, storeName, type PipelinePorts } from './pipeline-ports.ts';
import type { RecordMark, StoredMark } from './input-marks.ts';
import type { TopicPartition } from './ports.ts';
import { FIRST_EPOCH } from './position.ts';
import { settle } from './same-log.ts';

/** What one process knows of an input partition of a stateless processor while it is its own. */
export interface OwnedInput extends Owned {
  epoch: number;
  last: RecordMark | null;
  /** Up to where the stored mark of this epoch is known to reach; −1 when there is none. */
  markedTo: number;
  readonly lag: Lag;
}

export function ownInput(at: TopicPartition, lag: Lag): OwnedInput {
  return { at, epoch: FIRST_EPOCH, next: 0, last: null, markedTo: -1, mustTakeOver: true, lag };
}

/** How an input partition stands, and what that was judged by. */
export interface InputStanding extends Standing {
  readonly mark: StoredMark | null;
  /** What the group committed last; null: never, or the broker forgot it. */
  readonly committed: number | null;
}

/** Reads what the group committed, what is remembered, and what the log holds: in this order, for each only grows. */
export async function examineInput(
  at: TopicPartition,
  processor: StatelessProcessor,
  { log, store }: Pick<PipelinePorts, 'log' | 'store'>,
): Promise<InputStanding> {
  const commit = await readCommit(log, groupName(processor), at);
  const mark = await store.inputMarks(storeName(processor)).read(at);
  const range = await rangeOf(at, log);
  const standing = await settle(at, judgeInput(at, mark, commit, range), log, range);
  return { ...standing, mark, committed: commit.offset };
}

/**
 * Makes sure of an input partition before its first batch, and after each failure. A loss stops the process. Answers whether
 * the broker has forgotten where the group stood, which is remembered here: then it begins elsewhere unless it is told.
 */
export async function takeInput(
  input: OwnedInput,
  processor: StatelessProcessor,
  ports: PipelinePorts,
): Promise<boolean> {
  const standing = await examineInput(input.at, processor, ports);
  refuseLoss(standing);
  const { epoch, next, last, mark, committed } = standing;
  const marked = mark?.epoch === epoch ? mark : null;
  // A group that never committed has nothing to remember yet.
  const markedTo = marked?.next ?? (committed === null ? next : -1);
  Object.assign(input, { epoch, next, markedTo, last, mustTakeOver: false });
  return committed === null && last !== null;
}
