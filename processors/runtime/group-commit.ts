import type { CommittedOffset, EventLog, TopicPartition } from './ports.ts';
import { FIRST_EPOCH } from './position.ts';

/**
 * What a group committed of one partition. The offset is where the broker begins; the metadata is a hint, and the proof that
 * the store is not older: `seq=<block> epoch=<epoch>`, without a block for a processor that keeps no state.
 */
export interface GroupCommit {
  /** null: nothing was committed, or the broker has forgotten it. */
  readonly offset: number | null;
  /** The newest journal block whose outputs were acknowledged; −1 when there is none. */
  readonly seq: number;
  /** Commits of earlier versions name none: they are of the first. */
  readonly epoch: number;
}

const NOTHING: GroupCommit = { offset: null, seq: -1, epoch: FIRST_EPOCH };

export function commitMetadata(epoch: number, seq: number | null = null): string {
  return seq === null ? `epoch=${epoch}` : `seq=${seq} epoch=${epoch}`;
}

export function parseCommit({ offset, metadata }: CommittedOffset): GroupCommit {
  const numberOf = (name: string): number | null => {
    const found = metadata.split(' ').find((each) => each.startsWith(`${name}=`));
    const digits = found?.slice(name.length + 1) ?? '';
    return /^\d{1,15}$/.test(digits) ? Number(digits) : null;
  };
  return { offset, seq: numberOf('seq') ?? NOTHING.seq, epoch: numberOf('epoch') ?? NOTHING.epoch };
}

export async function readCommit(log: EventLog, group: string, at: TopicPartition): Promise<GroupCommit> {
  const committed = await log.committed(group, at.topic);
  const found = committed.find(({ partition }) => partition === at.partition);
  return found === undefined ? NOTHING : parseCommit(found);
}

/** What each of the groups committed of a topic, by group. */
export async function readCommits(
  log: EventLog,
  groups: readonly string[],
  topic: string,
): Promise<Map<string, CommittedOffset[]>> {
  return new Map(await Promise.all(groups.map(async (group) => [group, await log.committed(group, topic)] as const)));
}
