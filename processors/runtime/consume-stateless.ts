import type { Instant, StatelessProcessor } from '../core/processor.ts';
import type { Consumption } from './consumption.ts';
import { commitMetadata } from './group-commit.ts';
import { GroupMember } from './group-member.ts';
import { Lag } from './lag.ts';
import { refuseGap } from './input-range.ts';
import { MarkKeeper } from './mark-keeper.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogBatch, TopicPartition } from './ports.ts';
import { runStateless } from './run-stateless.ts';
import { SaidLately } from './said-lately.ts';
import { stopwatch } from './stopwatch.ts';
import { recordMark } from './same-log.ts';
import { ownInput, takeInput, type OwnedInput } from './take-input.ts';

/** A member of a stateless processor's group. */
export class StatelessMember implements Consumption {
  readonly processor: StatelessProcessor;
  readonly #ports: PipelinePorts;
  readonly #member: GroupMember<OwnedInput>;
  readonly #marks: MarkKeeper;
  readonly #said = new SaidLately();

  constructor(processor: StatelessProcessor, ports: PipelinePorts) {
    this.processor = processor;
    this.#ports = ports;
    this.#marks = new MarkKeeper(processor, ports);
    this.#member = new GroupMember(processor, ports, {
      own: (at) => ownInput(at, new Lag()),
      distrust: (input) => {
        input.mustTakeOver = true;
      },
      takeOver: async (input) => {
        await ports.mayOwn?.();
        await this.#takeOver(input);
      },
      fold: (input, batch) => this.#fold(input, batch),
      beforeLeaving: async () => undefined,
      afterLeaving: (input) => this.#marks.writeLast(input),
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

  async join(): Promise<void> {
    await this.#member.join();
    this.#member.background(this.#marks.run(() => this.#member.partitions));
  }

  async stop(): Promise<void> {
    try {
      await this.#member.stop();
    } finally {
      this.#marks.stop();
    }
  }

  async positions(): Promise<(TopicPartition & { epoch: number; next: number; end: number })[]> {
    const positions: (TopicPartition & { epoch: number; next: number; end: number })[] = [];
    for (const topic of this.processor.inputs) {
      const committed = await this.#ports.log.committed(groupName(this.processor), topic);
      const ranges = await this.#ports.log.ranges(topic);
      for (const { at, epoch } of this.#member.partitions.filter((each) => each.at.topic === topic)) {
        const { start, end } = ranges.find((range) => range.partition === at.partition) ?? { start: 0, end: 0 };
        const next = committed.find((each) => each.partition === at.partition)?.offset ?? start;
        positions.push({ ...at, epoch, next, end });
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

  async #takeOver(input: OwnedInput): Promise<void> {
    const isForgotten = await takeInput(input, this.processor, this.#ports);
    if (!isForgotten) return;
    await this.#member.commit(input.at, input.next, commitMetadata(input.epoch));
    this.#member.seek(input.at, input.next);
  }

  async #fold(input: OwnedInput, batch: LogBatch): Promise<void> {
    const { at, epoch } = input;
    await refuseGap(batch, input.next, this.#ports.log);
    await runStateless(this.processor, batch, this.#ports, epoch, this.#said);
    const committed = stopwatch();
    await this.#member.commit(at, batch.next, commitMetadata(epoch));
    this.#ports.meter.stage(this.processor.name, 'commit', committed());
    const newest = batch.records.at(-1);
    if (batch.next > input.next) {
      // Only what is committed is remembered: a mark beyond the commits would hide that they are gone.
      input.next = batch.next;
      if (newest !== undefined) input.last = recordMark(newest);
    }
    this.#reportLag(at, batch.next, batch.logEnd, newest?.timestamp ?? null);
  }
}
