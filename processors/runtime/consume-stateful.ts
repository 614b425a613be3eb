import { setTimeout as wait } from 'node:timers/promises';
import type { AnyStateful, Instant } from '../core/processor.ts';
import { backfillBlock, backfillLeft } from './backfill.ts';
import type { Consumption } from './consumption.ts';
import { flushAll, flushOnce } from './flush.ts';
import { commitMetadata } from './group-commit.ts';
import { GroupMember } from './group-member.ts';
import { ownPartition, type OwnedPartition } from './owned-partition.ts';
import { reportDirty, reportPartition } from './partition-gauges.ts';
import type { PipelinePorts } from './pipeline-ports.ts';
import type { LogBatch, TopicPartition } from './ports.ts';
import type { TakeOverReason } from './recovery.ts';
import { runBatch } from './run-batch.ts';
import { elapsedMs, stopwatch } from './stopwatch.ts';
import { newSweep, sweepBlock } from './sweep-due.ts';
import { takeOver } from './take-over.ts';

/** How long the flush rests when everything that is dirty is busy, or nothing is. */
const FLUSH_REST_MS = 100;
/** How long a process that stops goes on flushing: the journal covers the rest. */
const LAST_FLUSH_MS = 2_000;

/** A member of a stateful processor's group. */
export class StatefulMember implements Consumption {
  readonly processor: AnyStateful;
  readonly #ports: PipelinePorts;
  readonly #member: GroupMember<OwnedPartition>;
  #lastFlushUntilMs: number | null = null;

  constructor(processor: AnyStateful, ports: PipelinePorts) {
    this.processor = processor;
    this.#ports = ports;
    this.#member = new GroupMember(processor, ports, {
      own: (at) => this.#own(at),
      distrust: (partition, why) => this.#distrust(partition, why),
      takeOver: (partition) => takeOver(partition, ports),
      fold: (partition, batch, heartbeat) => this.#fold(partition, batch, heartbeat),
      beforeLeaving: (partition) => this.#commitLast(partition),
      afterLeaving: (partition) => this.#flushLast(partition),
      gaveUp: (partition) => this.#gaveUp(partition),
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

  partitions(): OwnedPartition[] {
    return this.#member.partitions;
  }

  async positions(): Promise<(TopicPartition & { epoch: number; next: number })[]> {
    return this.partitions().map(({ at, epoch, next }) => ({ ...at, epoch, next }));
  }

  async report(): Promise<void> {
    for (const topic of this.processor.inputs) {
      for (const { partition, end } of await this.#ports.log.ranges(topic)) {
        const owned = this.#member.partition({ topic, partition });
        // Before the first take-over it is not known what is folded.
        if (owned !== undefined && owned.head >= 0) reportPartition(owned, end, null, this.#ports);
      }
    }
  }

  #own(at: TopicPartition): OwnedPartition {
    const partition = ownPartition(this.processor, at);
    this.#ports.owned.add(partition);
    this.#member.background(this.#keepFlushing(partition));
    return partition;
  }

  #gaveUp(partition: OwnedPartition): void {
    this.#ports.owned.delete(partition);
    this.#ports.meter.partition(this.processor.name, partition.at, null);
    reportDirty(this.processor.name, this.#ports);
    if (this.processor.revisions !== undefined) {
      this.#ports.meter.backfillLeft(this.processor.name, backfillLeft(this.processor, this.#ports.owned));
    }
  }

  #distrust(partition: OwnedPartition, why: TakeOverReason): void {
    partition.mustTakeOver = true;
    this.#ports.meter.takeover(why);
  }

  async #fold(partition: OwnedPartition, batch: LogBatch, heartbeat: () => Promise<void>): Promise<void> {
    await runBatch(partition, batch, this.#ports, async () => {
      this.#member.refuseWhenStopping();
      await heartbeat();
    });
    const committed = stopwatch();
    await this.#member.commit(partition.at, partition.next, commitMetadata(partition.epoch, partition.emittedTo));
    this.#ports.meter.stage(this.processor.name, 'commit', committed());
    reportPartition(partition, batch.logEnd, batch.records.at(-1)?.timestamp ?? null, this.#ports);
  }

  async #keepFlushing(partition: OwnedPartition): Promise<void> {
    while (this.#ports.owned.has(partition)) {
      const stored = await flushOnce(partition, this.#ports, 'idle');
      if (stored === 0) await wait(FLUSH_REST_MS, undefined, { ref: false });
    }
  }

  /**
   * Lets time pass up to `until` on one owned partition; a waiting batch goes between two blocks. Answers whether it got to
   * the end: not when it was stopped, or the partition or a service was lost, on the way.
   */
  async sweep(at: TopicPartition, until: Instant, stop?: AbortSignal): Promise<boolean> {
    const cursor = newSweep();
    let more: boolean | null = true;
    while (more === true && stop?.aborted !== true) {
      more = await this.#member.alone(at, (partition) =>
        sweepBlock(partition, until, cursor, this.#ports, async () => {
          this.#member.refuseWhenStopping(stop);
        }),
      );
      if (more !== null) this.progress.beat();
    }
    // One that was broken off begins anew: what it held in the cache is found by the index again.
    const partition = this.#member.partition(at);
    if (more !== false && partition !== undefined) partition.keepDueUntil = Number.NEGATIVE_INFINITY;
    return more === false;
  }

  /**
   * Evaluates a block's worth of an owned partition's keys anew that were last evaluated under other definitions. `until`: up to
   * where the partition was just swept.
   */
  async backfill(at: TopicPartition, until: Instant, stop?: AbortSignal): Promise<void> {
    if (this.processor.revisions === undefined) return;
    if (this.#member.partition(at)?.backfill.isDone !== false) return;
    const done = await this.#member.alone(at, async (partition) => {
      const leftBefore = partition.backfill.left;
      await backfillBlock(partition, until, this.#ports, async () => {
        this.#member.refuseWhenStopping(stop);
      });
      this.#tellBackfill(partition, leftBefore);
    });
    if (done !== null) this.progress.beat();
  }

  #tellBackfill({ at, backfill }: OwnedPartition, leftBefore: number | null): void {
    const { logger, meter, owned } = this.#ports;
    const { name } = this.processor;
    meter.backfillLeft(name, backfillLeft(this.processor, owned));
    const { left, isDone } = backfill;
    if (leftBefore === null && left !== null && left > 0)
      logger.info('evaluating under other definitions', { ...at, left });
    if (isDone) logger.debug('everything is evaluated under these definitions', { ...at });
  }

  /**
   * Commits what the last block published, for sweeps commit nothing: else the next owner would publish it again. Only a
   * saving: when it cannot be done, the repeats are told by their positions.
   */
  async #commitLast({ at, head, next, epoch, emittedTo, mustTakeOver }: OwnedPartition): Promise<void> {
    if (mustTakeOver || head < 0 || emittedTo !== head) return;
    try {
      await this.#member.commit(at, next, commitMetadata(epoch, emittedTo));
    } catch (error) {
      this.#ports.logger.info('the last block could not be committed', { ...at, error });
    }
  }

  /** The same two seconds for all partitions, from when the group was left. */
  async #flushLast(partition: OwnedPartition): Promise<void> {
    this.#lastFlushUntilMs ??= elapsedMs() + LAST_FLUSH_MS;
    await flushAll(partition, this.#ports, this.#lastFlushUntilMs);
  }
}
