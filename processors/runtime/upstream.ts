import type { Instant, Processor } from '../core/processor.ts';
import { groupName } from './pipeline-ports.ts';
import type { EventLog } from './ports.ts';
import type { Standstill } from './standstill.ts';

/** How far one input of a processor that writes our input must be folded. */
export interface UpstreamGoal {
  readonly processor: Processor;
  readonly topic: string;
  readonly offsets: readonly { readonly partition: number; readonly offset: number }[];
}

/** An input of a processor that writes our input, and how many of its records up to the moment asked for are not folded. */
export interface UpstreamLag {
  readonly processor: string;
  readonly topic: string;
  readonly records: number;
  /** Waiting does not help: the topic holds less than it did. */
  readonly isShorter: boolean;
}

/** The other processors that write the inputs of `processor`. */
export function upstreamOf(processor: Processor, all: readonly Processor[]): Processor[] {
  return all.filter(
    (each) => each.name !== processor.name && each.outputs.some((topic) => processor.inputs.includes(topic)),
  );
}

/** What everything upstream holds up to `until`. */
export async function upstreamGoals(
  log: EventLog,
  upstream: readonly Processor[],
  until: Instant,
): Promise<UpstreamGoal[]> {
  const goals: UpstreamGoal[] = [];
  for (const processor of upstream) {
    for (const topic of processor.inputs) {
      goals.push({ processor, topic, offsets: await log.offsetsAt(topic, until + 1) });
    }
  }
  return goals;
}

/** Everything that the inputs of `processor` hold now, on every partition, whoever owns it. */
export async function ownGoals(log: EventLog, processor: Processor): Promise<UpstreamGoal[]> {
  const goals: UpstreamGoal[] = [];
  for (const topic of processor.inputs) {
    const offsets = (await log.ranges(topic)).map(({ partition, end }) => ({ partition, offset: end }));
    goals.push({ processor, topic, offsets });
  }
  return goals;
}

/**
 * What is not committed yet of the goals: only the first input found; null when all are reached. With `standstill` a partition
 * of a stateful processor that stands still counts no more: its own keys wait, and what it sends others later comes late. One
 * of a stateless processor always counts: what waits at the door may be of any key, which would be told to be silent.
 */
export async function upstreamLag(
  log: EventLog,
  goals: readonly UpstreamGoal[],
  standstill: Standstill | null = null,
): Promise<UpstreamLag | null> {
  for (const { processor, topic, offsets } of goals) {
    const [committed, ranges] = await Promise.all([log.committed(groupName(processor), topic), log.ranges(topic)]);
    const awaited = offsets.map(({ partition, offset }) => {
      const range = ranges.find((each) => each.partition === partition);
      const done = committed.find((each) => each.partition === partition)?.offset ?? range?.start ?? 0;
      return { partition, offset, done, isShorter: done < offset && (range?.end ?? 0) < offset };
    });
    const counted = processor.kind === 'stateful' && standstill !== null ? standstill.look(topic, awaited) : awaited;
    const records = counted.reduce((sum, { offset, done }) => sum + Math.max(0, offset - done), 0);
    const isShorter = counted.some((each) => each.isShorter);
    if (records > 0) return { processor: processor.name, topic, records, isShorter };
  }
  return null;
}
