import type { Instant, Processor } from '../core/processor.ts';
import { groupName } from './pipeline-ports.ts';
import type { EventLog } from './ports.ts';

/** An input of a processor that writes our input, and how many of its records up to the moment asked for are not folded. */
export interface UpstreamLag {
  readonly processor: string;
  readonly topic: string;
  readonly records: number;
}

/** The processors that write the inputs of `processor`. */
export function upstreamOf(processor: Processor, all: readonly Processor[]): Processor[] {
  return all.filter(
    (each) => each.name !== processor.name && each.outputs.some((topic) => processor.inputs.includes(topic)),
  );
}

/**
 * Whose input still holds records up to `until` that its group has not committed: only the first found; null when
 * everything upstream has passed that moment.
 */
export async function upstreamLag(
  log: EventLog,
  upstream: readonly Processor[],
  until: Instant,
): Promise<UpstreamLag | null> {
  for (const processor of upstream) {
    for (const topic of processor.inputs) {
      const wanted = await log.offsetsAt(topic, until + 1);
      const committed = await log.committed(groupName(processor), topic);
      const starts = await log.ranges(topic);
      let records = 0;
      for (const { partition, offset } of wanted) {
        const start = starts.find((range) => range.partition === partition)?.start ?? 0;
        const done = committed.find((each) => each.partition === partition)?.offset ?? start;
        records += Math.max(0, offset - done);
      }
      if (records > 0) return { processor: processor.name, topic, records };
    }
  }
  return null;
}
