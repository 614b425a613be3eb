import type { Processor } from '../core/processor.ts';
import { PipelineError } from '../core/errors.ts';
import { Failure } from './consumption.ts';
import { Heartbeats } from './heartbeats.ts';
import { Lane, type Owned } from './lane.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogBatch, Membership, TopicPartition } from './ports.ts';
import { Progress } from './progress.ts';
import { Recovery, type TakeOverReason } from './recovery.ts';

/** What one kind of processor does with the partitions that its group gives it. Calls for one partition never overlap. */
export interface PartitionWork<P extends Owned> {
  own(at: TopicPartition): P;
  /** After each join of the group, also for what was owned before; and after each failure. */
  distrust(partition: P, why: TakeOverReason): void;
  takeOver(partition: P): Promise<void>;
  fold(partition: P, batch: LogBatch, heartbeat: () => Promise<void>): Promise<void>;
  /** The member stops, and nothing is under way in the partition. */
  beforeLeaving(partition: P): Promise<void>;
  afterLeaving(partition: P): Promise<void>;
  gaveUp(partition: P): void;
}

/**
 * A member of a processor's group: what joining, pausing, recovering and stopping have in common for every kind of
 * processor. Each partition it owns has a lane, in which the `PartitionWork` is done one at a time.
 */
export class GroupMember<P extends Owned> {
  readonly progress = new Progress();
  readonly #processor: Processor;
  readonly #ports: PipelinePorts;
  readonly #work: PartitionWork<P>;
  readonly #recovery: Recovery<P>;
  readonly #failure = new Failure();
  readonly #lanes = new Map<string, Lane<P>>();
  #membership: Membership | null = null;
  #joined = false;
  #generation = 0;
  #stopping: Promise<void> | null = null;

  constructor(processor: Processor, ports: PipelinePorts, work: PartitionWork<P>) {
    this.#processor = processor;
    this.#ports = ports;
    this.#work = work;
    this.#recovery = new Recovery(this.#recoverable());
  }

  async join(): Promise<void> {
    this.#membership = await this.#ports.log.join(groupName(this.#processor), this.#processor.inputs, {
      assigned: (partitions) => {
        this.#assigned(partitions);
      },
      revoked: () => {
        this.#joined = false;
        this.progress.waiting();
        this.#ports.meter.rebalance();
      },
      onBatch: (batch, heartbeat) => this.#onBatch(batch, heartbeat),
      unreadable: (at, why) => {
        const lane = this.#lanes.get(laneName(at));
        if (lane !== undefined && !this.stopping) this.#recovery.from(lane, why);
      },
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

  get stopping(): boolean {
    return this.#stopping !== null;
  }

  /** What it owns now. */
  get partitions(): P[] {
    return [...this.#lanes.values()].map((lane) => lane.partition);
  }

  partition(at: TopicPartition): P | undefined {
    return this.#lanes.get(laneName(at))?.partition;
  }

  async commit(at: TopicPartition, offset: number, metadata: string): Promise<void> {
    await this.#membership?.commit(at, offset, metadata);
  }

  /** The next batch of the partition starts at `offset`. */
  seek(at: TopicPartition, offset: number): void {
    const lane = this.#lanes.get(laneName(at));
    if (lane !== undefined) {
      lane.place = -1;
      lane.seeks += 1;
    }
    this.#membership?.seek(at, offset);
  }

  /** Does `work` in the partition's lane, taken over first; null when it is not ours, or was lost on the way. */
  async alone<T>(at: TopicPartition, work: (partition: P) => Promise<T>): Promise<T | null> {
    const lane = this.#lanes.get(laneName(at));
    if (lane === undefined || this.stopping) return null;
    try {
      return await lane.run(async () => {
        await this.#recovery.ensureOwned(lane);
        return work(lane.partition);
      });
    } catch (error) {
      if (!lane.closed) this.#recovery.from(lane, error);
      return null;
    }
  }

  /** Between two blocks nothing is torn: whoever waits for room must not hold up a stop. */
  refuseWhenStopping(stop?: AbortSignal): void {
    if (!this.stopping && stop?.aborted !== true) return;
    throw new PipelineError('rebalancing', 'the process is stopping', { retriable: true });
  }

  /** What runs beside the partitions: its failure is a bug, and ends the member. */
  background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#failure.report(error);
    });
  }

  /** Finishes what is in hand, leaves the group, and puts away what is kept. Harmless when repeated. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #recoverable(): ConstructorParameters<typeof Recovery<P>>[0] {
    const isStopping = (): boolean => this.stopping;
    return {
      logger: this.#ports.logger,
      progress: this.progress,
      get stopping() {
        return isStopping();
      },
      pause: (at) => this.#membership?.pause(at),
      resume: (at) => this.#membership?.resume(at),
      distrust: (partition, why) => this.#work.distrust(partition, why),
      takeOver: (partition) => this.#work.takeOver(partition),
      fail: (error) => {
        this.#failure.report(error);
      },
    };
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    this.#joined = true;
    this.#generation += 1;
    const kept = new Set(partitions.map(laneName));
    for (const [name, lane] of this.#lanes) if (!kept.has(name)) this.#close(name, lane);
    for (const at of partitions) {
      const name = laneName(at);
      let lane = this.#lanes.get(name);
      if (lane === undefined) {
        lane = new Lane(this.#work.own({ topic: at.topic, partition: at.partition }));
        this.#lanes.set(name, lane);
      }
      // Somebody else may have owned it between two generations: make sure of it again. Cheap when nobody did.
      lane.place = -1;
      lane.soughtTo = -1;
      this.#work.distrust(lane.partition, 'joined');
      this.#recovery.takeOverSoon(lane);
    }
  }

  #close(name: string, lane: Lane<P>): void {
    lane.closed = true;
    this.#lanes.delete(name);
    this.#work.gaveUp(lane.partition);
  }

  async #onBatch(batch: LogBatch, heartbeat: () => Promise<void>): Promise<'done' | 'again'> {
    const lane = this.#lanes.get(laneName(batch));
    if (lane === undefined || this.stopping) return 'again';
    const generation = this.#generation;
    const { seeks } = lane;
    const heartbeats = new Heartbeats(heartbeat);
    this.progress.waiting();
    const fold = async (): Promise<'done' | 'again'> => {
      await heartbeats.check();
      await this.#recovery.ensureOwned(lane);
      if (lane.seeks !== seeks) return 'again';
      refuseNewBeginning(batch, lane.place);
      if (this.#mustSeek(lane, batch)) return 'again';
      await this.#work.fold(lane.partition, batch, heartbeats.check);
      return 'done';
    };
    try {
      const outcome = await heartbeats.during(lane.run(fold));
      lane.failures = 0;
      // A new assignment has set the consumer elsewhere, and this batch says nothing of it.
      if (outcome === 'done' && generation === this.#generation) lane.place = batch.next;
      this.progress.beat();
      return outcome;
    } catch (error) {
      this.#recovery.from(lane, error);
      return 'again';
    }
  }

  /** The committed offset, where the broker began, is only a hint. A gap that stays after a seek is for the fold to judge. */
  #mustSeek(lane: Lane<P>, { records, next: end }: LogBatch): boolean {
    const { at, next } = lane.partition;
    if ((records[0]?.offset ?? end) <= next || lane.soughtTo === next) return false;
    lane.soughtTo = next;
    this.seek(at, next);
    return true;
  }

  async #stop(): Promise<void> {
    await Promise.all(
      [...this.#lanes.values()].map(async (lane) => {
        await lane.idle();
        await this.#work.beforeLeaving(lane.partition);
      }),
    );
    try {
      await this.#membership?.leave();
    } finally {
      this.#joined = false;
      await Promise.all(
        [...this.#lanes].map(async ([name, lane]) => {
          await lane.idle();
          await this.#work.afterLeaving(lane.partition);
          this.#close(name, lane);
        }),
      );
    }
  }
}

/**
 * A consumer whose offset is out of range is set to the beginning without a word: the topic was created anew, or the brokers
 * lost its end. Its records have offsets that were folded before, and would pass for repeats.
 */
function refuseNewBeginning({ topic, partition, records, next }: LogBatch, place: number): void {
  const first = records[0]?.offset ?? next;
  if (first >= place) return;
  const message = `${topic}/${partition}: offset ${place} is next, but the log went back to ${first}: the topic was created anew`;
  throw new PipelineError('input_lost', message, { retriable: false });
}

function laneName(at: TopicPartition): string {
  return `${at.topic}/${at.partition}`;
}
