import { setTimeout as wait } from 'node:timers/promises';
import type { Instant, Processor } from '../core/processor.ts';
import type { StatefulMember } from '../runtime/consume-stateful.ts';
import { groupName, type PipelinePorts } from '../runtime/pipeline-ports.ts';
import type { EventLog, TopicPartition } from '../runtime/ports.ts';
import { upstreamGoals, upstreamLag, upstreamOf } from '../runtime/upstream.ts';
import { refuseCompany } from './company.ts';
import { CommandFailed } from './failure.ts';

const LOOK_AGAIN_AFTER_MS = 100;
const PROGRESS_EVERY_MS = 1_000;
/** A store or broker that is away may come back: a partition is tried so often. */
const TRIES_MAX = 30;
const TRY_AGAIN_AFTER_MS = 1_000;

/**
 * Throws CommandFailed while a processor that writes this one's input has not folded what its own inputs held at `until`:
 * records would come after the deadlines that they precede.
 */
export async function refuseUpstreamLag(
  log: EventLog,
  processor: Processor,
  processors: readonly Processor[],
  until: Instant,
): Promise<void> {
  const lag = await upstreamLag(log, await upstreamGoals(log, upstreamOf(processor, processors), until));
  if (lag === null) return;
  throw new CommandFailed(
    `${lag.topic} holds ${lag.records} records up to then that ${lag.processor} has not folded: let \`kizuna run ${lag.processor}\` finish first.`,
  );
}

/** How many records of its input the processor has not folded yet, going by what its group committed. */
export async function waitingRecords(log: EventLog, processor: Processor): Promise<number> {
  let waiting = 0;
  for (const topic of processor.inputs) {
    const committed = await log.committed(groupName(processor), topic);
    for (const { partition, start, end } of await log.ranges(topic)) {
      waiting += end - (committed.find((each) => each.partition === partition)?.offset ?? start);
    }
  }
  return waiting;
}

/**
 * Catches up with the input, lets time pass on every partition, and waits until every document is stored. `stop` gives up,
 * which is for whoever learns that the member is dead. Answers how many partitions there are.
 */
export async function sweepMember(
  member: StatefulMember,
  { log }: PipelinePorts,
  until: Instant,
  tell: (line: string) => void,
  stop: AbortSignal,
): Promise<number> {
  const { processor } = member;
  const told = everySecond(tell);
  let ends = await endsOf(processor, log);
  await takeOverAll(member, log, ends.size, stop);
  await foldUpTo(ends, member, told, stop);
  // Then what it wrote to its own input meanwhile.
  for (let round = 0; round < (processor.ownRounds ?? 0); round++) {
    ends = await endsOf(processor, log);
    await foldUpTo(ends, member, told, stop);
  }
  const partitions = member.partitions();
  for (const [index, { at }] of partitions.entries()) {
    told(`${index} of ${partitions.length} partitions swept`);
    await sweepPartition(member, at, until, stop);
  }
  // Whoever joined meanwhile took partitions away, and with them what was promised.
  if (partitions.length !== ends.size) throw lost(processor);
  await refuseCompany(log, processor, 1, 'a sweep');
  for (let dirty = dirtyOf(member); dirty > 0; dirty = dirtyOf(member)) {
    told(`${dirty} documents to store`);
    await wait(LOOK_AGAIN_AFTER_MS, undefined, { signal: stop });
  }
  return partitions.length;
}

async function endsOf({ inputs }: Processor, log: EventLog): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  for (const topic of inputs) {
    for (const { partition, end } of await log.ranges(topic)) ends.set(`${topic}/${partition}`, end);
  }
  return ends;
}

async function foldUpTo(
  ends: ReadonlyMap<string, number>,
  member: StatefulMember,
  told: (line: string) => void,
  stop: AbortSignal,
): Promise<void> {
  const behind = (): number =>
    member
      .partitions()
      .reduce((sum, { at, next }) => sum + Math.max(0, (ends.get(`${at.topic}/${at.partition}`) ?? 0) - next), 0);
  for (let left = behind(); left > 0; left = behind()) {
    told(`${left} records to fold`);
    await wait(LOOK_AGAIN_AFTER_MS, undefined, { signal: stop });
  }
}

/** Waits until every partition of the inputs is ours. */
async function takeOverAll(member: StatefulMember, log: EventLog, count: number, stop: AbortSignal): Promise<void> {
  while (member.partitions().length < count || member.partitions().some(({ mustTakeOver }) => mustTakeOver)) {
    await refuseCompany(log, member.processor, 1, 'a sweep');
    await wait(LOOK_AGAIN_AFTER_MS, undefined, { signal: stop });
  }
}

async function sweepPartition(
  member: StatefulMember,
  at: TopicPartition,
  until: Instant,
  stop: AbortSignal,
): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (await member.sweep(at, until)) return;
    await wait(TRY_AGAIN_AFTER_MS, undefined, { signal: stop });
  }
  throw lost(member.processor);
}

function dirtyOf(member: StatefulMember): number {
  return member.partitions().reduce((sum, { dirty }) => sum + dirty.size, 0);
}

function lost({ name }: Processor): CommandFailed {
  return new CommandFailed(
    `Not everything could be swept: ${name} lost a partition or its store. Try again: it is harmless.`,
  );
}

/** Tells at most a line a second. */
function everySecond(tell: (line: string) => void): (line: string) => void {
  let toldAt = performance.now();
  return (line) => {
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    tell(line);
  };
}
