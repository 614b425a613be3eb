import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { AnyStateful, Instant } from '../core/processor.ts';
import { backoffMs } from './backoff.ts';
import { Failure, type Consumption } from './consumption.ts';
import { flushAll, flushOnce } from './flush.ts';
import { Heartbeats } from './heartbeats.ts';
import { Lane } from './lane.ts';
import { ownPartition, type OwnedPartition } from './owned-partition.ts';
import { reportDirty, reportPartition } from './partition-gauges.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogBatch, Membership, TopicPartition } from './ports.ts';
import { FIRST_EPOCH, sourceOf } from './position.ts';
import { Progress } from './progress.ts';
import { runBatch } from './run-batch.ts';
import { elapsedMs, stopwatch } from './stopwatch.ts';
import { newSweep, sweepBlock } from './sweep-due.ts';
import { takeOver } from './take-over.ts';

/** How long the flush rests when everything that is dirty is busy, or nothing is. */
const FLUSH_REST_MS = 100;
/** How long a process that stops goes on flushing: the journal covers the rest. */
const LAST_FLUSH_MS = 2_000;

/** A member of a stateful processor's group: its lanes, one for each partition it owns. */
export class StatefulMember implements Consumption {
  readonly processor: AnyStateful;
  readonly progress = new Progress();
  readonly #ports: PipelinePorts;
  readonly #failure = new Failure();
  readonly #lanes = new Map<string, Lane>();
  #membership: Membership | null = null;
  #joined = false;
  #stopping: Promise<void> | null = null;

  constructor(processor: AnyStateful, ports: PipelinePorts) {
    this.processor = processor;
    this.#ports = ports;
  }

  async join(): Promise<void> {
    this.#membership = await this.#ports.log.join(groupName(this.processor), this.processor.inputs, {
      assigned: (partitions) => {
        this.#assigned(partitions);
      },
      revoked: () => {
        this.#joined = false;
        this.progress.waiting();
        this.#ports.meter.rebalance();
      },
      onBatch: (batch, heartbeat) => this.#onBatch(batch, heartbeat),
      crashed: (error) => {
        this.#failure.report(error);
      },
    });
  }

  get joined(): boolean {
    return this.#joined;
  }

  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  async positions(): Promise<(TopicPartition & { next: number })[]> {
    return this.partitions().map(({ at, next }) => ({ ...at, next }));
  }

  async report(): Promise<void> {
    for (const topic of this.processor.inputs) {
      for (const { partition, end } of await this.#ports.log.ranges(topic)) {
        const lane = this.#lanes.get(laneName({ topic, partition }));
        // Before the first take-over it is not known what is folded.
        if (lane !== undefined && lane.partition.head >= 0) reportPartition(lane.partition, end, null, this.#ports);
      }
    }
  }

  partitions(): OwnedPartition[] {
    return [...this.#lanes.values()].map((lane) => lane.partition);
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    this.#joined = true;
    const kept = new Set(partitions.map(laneName));
    for (const [name, lane] of this.#lanes) if (!kept.has(name)) this.#close(name, lane);
    for (const at of partitions) {
      const name = laneName(at);
      let lane = this.#lanes.get(name);
      if (lane === undefined) {
        const source = sourceOf(groupName(this.processor), FIRST_EPOCH, at);
        lane = new Lane(ownPartition(this.processor, { topic: at.topic, partition: at.partition }, source));
        this.#lanes.set(name, lane);
        this.#ports.owned.add(lane.partition);
        this.#background(this.#keepFlushing(lane));
      }
      // Somebody else may have owned it between two generations: make sure of it again. Cheap when nobody did.
      lane.partition.mustTakeOver = true;
      lane.partition.soughtTo = -1;
      this.#ports.meter.takeover('joined');
      this.#background(this.#takeOverSoon(lane));
    }
  }

  #close(name: string, lane: Lane): void {
    lane.closed = true;
    this.#lanes.delete(name);
    this.#ports.owned.delete(lane.partition);
    this.#ports.meter.partition(this.processor.name, lane.partition.at, null);
    reportDirty(this.processor.name, this.#ports);
  }

  async #onBatch(batch: LogBatch, heartbeat: () => Promise<void>): Promise<'done' | 'again'> {
    const lane = this.#lanes.get(laneName(batch));
    if (lane === undefined || this.#stopping !== null) return 'again';
    const { partition } = lane;
    const heartbeats = new Heartbeats(heartbeat);
    this.progress.waiting();
    let outcome: 'done' | 'again' = 'done';
    const fold = async (): Promise<void> => {
      await heartbeats.check();
      await this.#ensureOwned(lane);
      const first = batch.records[0]?.offset ?? batch.next;
      if (first > partition.next && partition.soughtTo !== partition.next) {
        // The committed offset, where the broker began, is only a hint; a gap that stays is judged by runBatch.
        partition.soughtTo = partition.next;
        this.#membership?.seek(partition.at, partition.next);
        outcome = 'again';
        return;
      }
      await runBatch(partition, batch, this.#ports, async () => {
        this.#refuseWhenStopping();
        await heartbeats.check();
      });
      const committed = stopwatch();
      await this.#membership?.commit(partition.at, partition.next, `seq=${partition.emittedTo}`);
      this.#ports.meter.stage(this.processor.name, 'commit', committed());
      reportPartition(partition, batch.logEnd, batch.records.at(-1)?.timestamp ?? null, this.#ports);
    };
    try {
      await heartbeats.during(lane.run(fold));
      lane.failures = 0;
      this.progress.beat();
      return outcome;
    } catch (error) {
      this.#recover(lane, error);
      return 'again';
    }
  }

  /** Between two blocks nothing is torn: whoever waits for room in the ring must not hold up a stop. */
  #refuseWhenStopping(stop?: AbortSignal): void {
    if (this.#stopping === null && stop?.aborted !== true) return;
    throw new PipelineError('rebalancing', 'the process is stopping', { retriable: true });
  }

  async #ensureOwned(lane: Lane): Promise<void> {
    if (lane.partition.mustTakeOver) await takeOver(lane.partition, this.#ports);
  }

  /** What a failure asks for: nothing (the group rebalances), another take-over, a pause, or the end of the process. */
  #recover(lane: Lane, error: unknown): void {
    const { partition } = lane;
    this.progress.beat();
    if (!(error instanceof PipelineError) || !error.retriable) {
      if (error instanceof PipelineError && error.code === 'ownership_lost') this.#pause(lane, error);
      else {
        // What would be folded again would fail again, until the process has ended.
        this.#membership?.pause(partition.at);
        this.#failure.report(error);
      }
      return;
    }
    if (error.code === 'rebalancing') return;
    partition.mustTakeOver = true;
    this.#pause(lane, error);
  }

  #pause(lane: Lane, error: PipelineError): void {
    const { at } = lane.partition;
    const delayMs = error.code === 'ownership_lost' ? 50 : backoffMs(lane.failures);
    lane.failures += 1;
    lane.partition.mustTakeOver = true;
    this.#ports.meter.takeover(takeOverReason(error));
    this.#ports.logger.warn('partition paused', { ...at, code: error.code, delayMs, error });
    this.#membership?.pause(at);
    this.#background(
      wait(delayMs, undefined, { ref: false }).then(() => {
        if (!lane.closed) this.#membership?.resume(at);
        return this.#takeOverSoon(lane);
      }),
    );
  }

  /** Takes a partition over without waiting for its next batch, so that unsent outputs and deadlines do not wait either. */
  async #takeOverSoon(lane: Lane): Promise<void> {
    if (lane.closed || this.#stopping !== null) return;
    try {
      await lane.run(() => this.#ensureOwned(lane));
    } catch (error) {
      if (!lane.closed) this.#recover(lane, error);
    }
  }

  async #keepFlushing(lane: Lane): Promise<void> {
    while (!lane.closed) {
      const stored = await flushOnce(lane.partition, this.#ports, 'idle');
      if (stored === 0) await wait(FLUSH_REST_MS, undefined, { ref: false });
    }
  }

  /**
   * Lets time pass up to `until` on one owned partition; a waiting batch goes between two blocks. Answers whether it got to
   * the end: not when it was stopped, or the partition or a service was lost, on the way.
   */
  async sweep(at: TopicPartition, until: Instant, stop?: AbortSignal): Promise<boolean> {
    const lane = this.#lanes.get(laneName(at));
    if (lane === undefined) return false;
    const cursor = newSweep();
    try {
      let more = true;
      while (more && !lane.closed && this.#stopping === null && stop?.aborted !== true) {
        more = await lane.run(async () => {
          await this.#ensureOwned(lane);
          return sweepBlock(lane.partition, until, cursor, this.#ports, async () => {
            this.#refuseWhenStopping(stop);
          });
        });
        this.progress.beat();
      }
      return !more;
    } catch (error) {
      if (!lane.closed) this.#recover(lane, error);
      return false;
    }
  }

  /** Finishes the blocks in hand, leaves the group, and flushes for at most two seconds. Harmless when repeated. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => this.#commitLast(lane)));
    await this.#membership?.leave();
    this.#joined = false;
    const until = elapsedMs() + LAST_FLUSH_MS;
    await Promise.all(
      [...this.#lanes].map(async ([name, lane]) => {
        await lane.idle();
        await flushAll(lane.partition, this.#ports, until);
        this.#close(name, lane);
      }),
    );
  }

  /**
   * Commits what the last block published, for sweeps commit nothing: else the next owner would publish it again. Only a
   * saving: when it cannot be done, the repeats are told by their positions.
   */
  async #commitLast(lane: Lane): Promise<void> {
    await lane.idle();
    const { at, head, next, emittedTo, mustTakeOver } = lane.partition;
    if (mustTakeOver || head < 0 || emittedTo !== head) return;
    try {
      await this.#membership?.commit(at, next, `seq=${emittedTo}`);
    } catch (error) {
      this.#ports.logger.info('the last block could not be committed', { ...at, error });
    }
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#failure.report(error);
    });
  }
}

function laneName(at: TopicPartition): string {
  return `${at.topic}/${at.partition}`;
}

function takeOverReason(error: PipelineError): 'ownership_lost' | 'store_error' | 'producer_error' {
  if (error.code === 'ownership_lost') return 'ownership_lost';
  return error.code === 'log_unavailable' ? 'producer_error' : 'store_error';
}
