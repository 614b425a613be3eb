import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { Instant, Processor } from '../core/processor.ts';
import type { StatefulMember } from './consume-stateful.ts';
import { Failure } from './consumption.ts';
import type { OwnedPartition } from './owned-partition.ts';
import { reportPartition } from './partition-gauges.ts';
import type { PipelinePorts } from './pipeline-ports.ts';
import type { TopicPartition } from './ports.ts';
import { Standstill } from './standstill.ts';
import { stopwatch } from './stopwatch.ts';
import { ownGoals, upstreamGoals, upstreamLag, upstreamOf, type UpstreamGoal } from './upstream.ts';

const TICK_MS = 1_000;
/** Time is let pass up to this long ago, so that a record on its way still comes before the deadlines after it. */
const BEHIND_MS = 1_000;
/** How often it is looked whether what was there at an instant is folded by now. */
const LOOK_AGAIN_MS = 50;

/** The part of a member that time needs. */
type Sweepable = Pick<StatefulMember, 'processor' | 'partitions' | 'sweep' | 'backfill'>;

/**
 * Live time for one stateful member: once a second W = now − 1 s. When every group that writes the member's input has
 * committed what its own inputs held at W, the ends of the owned partitions are read, and each partition that has folded up
 * to its end is swept to W. What must be folded is asked once for each W and then waited for, so traffic never starves
 * silence, however far behind it is folded; and each partition waits and is swept by itself, so a herd on one holds no other
 * up. Of a processor that writes to its own input every partition is upstream of every other: what its input held when
 * everything else had passed W must be committed on all of them first, once for each of its `ownRounds`. A partition of a stateful
 * processor that stands still while others get on holds nobody else up (standstill.ts).
 */
export class LiveTime {
  readonly #member: Sweepable;
  readonly #upstream: readonly Processor[];
  readonly #ports: PipelinePorts;
  readonly #standstill: Standstill;
  /** The partitions that are passed by, as told last. */
  #passedBy: readonly TopicPartition[] = [];
  readonly #stop = new AbortController();
  readonly #failure = new Failure();
  /** The partitions on which a W is still to be reached. */
  readonly #passing = new Map<OwnedPartition, Promise<void>>();
  #running: Promise<void> | null = null;

  /** `processors`: every one of the pipeline, to find those that write the member's inputs. */
  constructor(
    member: Sweepable,
    processors: readonly Processor[],
    ports: PipelinePorts,
    standstill: Standstill = new Standstill(),
  ) {
    this.#member = member;
    this.#upstream = upstreamOf(member.processor, processors);
    this.#ports = ports;
    this.#standstill = standstill;
  }

  /** Rejects with a bug; a broken world only makes time wait. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  start(): void {
    this.#running ??= this.#run().catch((error: unknown) => {
      this.#failure.report(error);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    // Whoever looks at the partitions from here on tells of them, and only what is told is taken back.
    this.#ports.meter.passedBy(this.#member.processor.name, []);
    await Promise.all(this.#passing.values());
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const ticked = stopwatch();
      try {
        await this.#tick(this.#ports.clock.now() - BEHIND_MS);
      } catch (error) {
        if (!(error instanceof PipelineError)) throw error;
        // Silence waits as long as the broker does; `due_oldest_seconds` tells how long.
        this.#ports.logger.warn('deadlines wait', { code: error.code, error });
      }
      await this.#pause(Math.max(LOOK_AGAIN_MS, TICK_MS - ticked() * 1000));
    }
  }

  async #pause(ms: number): Promise<void> {
    // Cut short by stop(), which is no failure.
    await wait(ms, undefined, { ref: false, signal: this.#stop.signal }).catch(() => undefined);
  }

  /** Begins to let time pass up to `until` on each partition on which no earlier instant is still to be reached. */
  async #tick(until: Instant): Promise<void> {
    if (!(await this.#upstreamPassed(until))) return;
    for (const topic of this.#member.processor.inputs) {
      const ranges = await this.#ports.log.ranges(topic);
      for (const partition of this.#member.partitions()) {
        if (partition.at.topic !== topic || this.#passing.has(partition)) continue;
        // A partition that the log does not have is no end to catch up with.
        const end = ranges.find((range) => range.partition === partition.at.partition)?.end;
        if (end !== undefined) this.#begin(partition, until, end);
      }
    }
  }

  #begin(partition: OwnedPartition, until: Instant, end: number): void {
    partition.sweptTo ??= until;
    const passing = this.#pass(partition, until, end)
      .catch((error: unknown) => {
        this.#failure.report(error);
      })
      .finally(() => this.#passing.delete(partition));
    this.#passing.set(partition, passing);
  }

  /** Waits until the partition has folded up to `end`, then sweeps it; not when it is lost meanwhile, or to be taken over. */
  async #pass(partition: OwnedPartition, until: Instant, end: number): Promise<void> {
    const isOurs = (): boolean => !this.#stop.signal.aborted && this.#member.partitions().includes(partition);
    while (isOurs() && !partition.mustTakeOver && partition.next < end) await this.#pause(LOOK_AGAIN_MS);
    const isReady = isOurs() && !partition.mustTakeOver;
    if (isReady && (await this.#member.sweep(partition.at, until, this.#stop.signal))) {
      partition.sweptTo = until;
      // One block a second: records and deadlines come first, and what is stored is all read again only once.
      await this.#member.backfill(partition.at, until, this.#stop.signal);
    }
    reportPartition(partition, end, null, this.#ports);
  }

  /** Waits until everything upstream has passed `until`. False when it cannot: time stops, or a topic holds less than it did. */
  async #upstreamPassed(until: Instant): Promise<boolean> {
    const { log } = this.#ports;
    const { processor } = this.#member;
    if (!(await this.#reached(await upstreamGoals(log, this.#upstream, until)))) return false;
    for (let round = 0; round < (processor.ownRounds ?? 0); round++) {
      if (!(await this.#reached(await ownGoals(log, processor)))) return false;
    }
    return true;
  }

  async #reached(goals: readonly UpstreamGoal[]): Promise<boolean> {
    const { log } = this.#ports;
    for (;;) {
      const lag = await upstreamLag(log, goals, this.#standstill);
      this.#tellPassedBy();
      if (lag === null) return true;
      if (lag.isShorter) return false;
      await this.#pause(LOOK_AGAIN_MS);
      if (this.#stop.signal.aborted) return false;
    }
  }

  #tellPassedBy(): void {
    const { logger, meter } = this.#ports;
    const { name: processor } = this.#member.processor;
    const before = this.#passedBy;
    const { passedBy } = this.#standstill;
    this.#passedBy = passedBy;
    const isIn = (list: readonly TopicPartition[], at: TopicPartition): boolean =>
      list.some(({ topic, partition }) => topic === at.topic && partition === at.partition);
    for (const at of passedBy) {
      if (!isIn(before, at)) logger.warn('deadlines wait for a partition no longer', { processor, ...at });
    }
    for (const at of before) {
      if (!isIn(passedBy, at)) logger.info('deadlines wait for a partition again', { processor, ...at });
    }
    meter.passedBy(processor, passedBy);
  }
}
