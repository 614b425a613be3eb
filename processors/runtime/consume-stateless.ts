import type { Instant, StatelessProcessor } from '../core/processor.ts';
import type { Consumption } from './consumption.ts';
import { GroupMember } from './group-member.ts';
import { Lag } from './lag.ts';
import type { Owned } from './lane.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogBatch, TopicPartition } from './ports.ts';
import { runStateless } from './run-stateless.ts';
import { stopwatch } from './stopwatch.ts';

/** What is known of an input partition while it is ours. */
interface OwnedInput extends Owned {
  readonly lag: Lag;
}

/** A member of a stateless processor's group. */
export class StatelessMember implements Consumption {
  readonly processor: StatelessProcessor;
  readonly #ports: PipelinePorts;
  readonly #member: GroupMember<OwnedInput>;

  constructor(processor: StatelessProcessor, ports: PipelinePorts) {
    this.processor = processor;
    this.#ports = ports;
    const nothing = async (): Promise<void> => undefined;
    this.#member = new GroupMember(processor, ports, {
      own: (at) => ({ at, next: Number.POSITIVE_INFINITY, mustTakeOver: false, lag: new Lag() }),
      distrust: () => undefined,
      takeOver: nothing,
      fold: (input, batch) => this.#fold(input, batch),
      beforeLeaving: nothing,
      afterLeaving: nothing,
      gaveUp: ({ at }) => ports.meter.partition(processor.name, at, null),
    });
  }

  get progress() {
    return this.#member.progress;
  }

  get joined(): boolean {
    return this.#member.joined;
  }

  get failed(): Promise<never> {
    return this.#member.failed;
  }

  join(): Promise<void> {
    return this.#member.join();
  }

  stop(): Promise<void> {
    return this.#member.stop();
  }

  async positions(): Promise<(TopicPartition & { next: number; end: number })[]> {
    const positions: (TopicPartition & { next: number; end: number })[] = [];
    for (const topic of this.processor.inputs) {
      const committed = await this.#ports.log.committed(groupName(this.processor), topic);
      const ranges = await this.#ports.log.ranges(topic);
      for (const { at } of this.#member.partitions.filter((each) => each.at.topic === topic)) {
        const { start, end } = ranges.find((range) => range.partition === at.partition) ?? { start: 0, end: 0 };
        const next = committed.find((each) => each.partition === at.partition)?.offset ?? start;
        positions.push({ ...at, next, end });
      }
    }
    return positions;
  }

  async report(): Promise<void> {
    for (const { next, end, ...at } of await this.positions()) this.#reportLag(at, next, end, null);
  }

  #reportLag(at: TopicPartition, next: number, end: number, newest: Instant | null): void {
    const lag = this.#member.partition(at)?.lag;
    // Given up while the answer was on its way.
    if (lag === undefined) return;
    const { records, seconds } = lag.measure(next, end, newest, this.#ports.clock.now());
    const gauges = { lagRecords: records, lagSeconds: seconds, dueOldestSeconds: 0, totals: [] };
    this.#ports.meter.partition(this.processor.name, at, gauges);
  }

  async #fold({ at }: OwnedInput, batch: LogBatch): Promise<void> {
    await runStateless(this.processor, batch, this.#ports);
    const committed = stopwatch();
    await this.#member.commit(at, batch.next, '');
    this.#ports.meter.stage(this.processor.name, 'commit', committed());
    this.#reportLag(at, batch.next, batch.logEnd, batch.records.at(-1)?.timestamp ?? null);
  }
}
