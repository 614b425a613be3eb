import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { Instant, Processor } from '../core/processor.ts';
import type { StatefulMember } from './consume-stateful.ts';
import { Failure } from './consumption.ts';
import { reportPartition } from './partition-gauges.ts';
import type { PipelinePorts } from './pipeline-ports.ts';
import { upstreamLag, upstreamOf } from './upstream.ts';

const TICK_MS = 1_000;
/** Time is let pass up to this long ago, so that a record on its way still comes before the deadlines after it. */
const BEHIND_MS = 1_000;

/**
 * Live time for one stateful member: once a second W = now − 1 s. When every group that writes the member's input has
 * committed what its own inputs held at W, the ends of the owned partitions are read, and each partition that has folded up
 * to its end is swept to W. Measured at the end of that moment only, so steady traffic never starves silence.
 */
export class LiveTime {
  readonly #member: StatefulMember;
  readonly #upstream: readonly Processor[];
  readonly #ports: PipelinePorts;
  readonly #stop = new AbortController();
  readonly #failure = new Failure();
  #running: Promise<void> | null = null;

  /** `processors`: every one of the pipeline, to find those that write the member's inputs. */
  constructor(member: StatefulMember, processors: readonly Processor[], ports: PipelinePorts) {
    this.#member = member;
    this.#upstream = upstreamOf(member.processor, processors);
    this.#ports = ports;
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
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.tick(this.#ports.clock.now() - BEHIND_MS);
      } catch (error) {
        if (!(error instanceof PipelineError)) throw error;
        // Silence waits as long as the broker does; `due_oldest_seconds` tells how long.
        this.#ports.logger.warn('deadlines wait', { code: error.code, error });
      }
      await this.#pause(TICK_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    // Cut short by stop(), which is no failure.
    await wait(ms, undefined, { ref: false, signal: this.#stop.signal }).catch(() => undefined);
  }

  /** Lets time pass up to `until` wherever everything before it is folded. */
  async tick(until: Instant): Promise<void> {
    if ((await upstreamLag(this.#ports.log, this.#upstream, until)) !== null) return;
    const ends = new Map<string, number>();
    for (const topic of this.#member.processor.inputs) {
      for (const range of await this.#ports.log.ranges(topic)) ends.set(`${topic}/${range.partition}`, range.end);
    }
    await Promise.all(
      this.#member.partitions().map(async (partition) => {
        const end = ends.get(`${partition.at.topic}/${partition.at.partition}`);
        // A partition that the log does not have is no end to catch up with.
        if (end === undefined) return;
        partition.sweptTo ??= until;
        await this.#caughtUp(() => partition.mustTakeOver || partition.next >= end);
        const isReady = !partition.mustTakeOver && partition.next >= end;
        if (isReady && (await this.#member.sweep(partition.at, until, this.#stop.signal))) partition.sweptTo = until;
        reportPartition(partition, end, null, this.#ports);
      }),
    );
  }

  /** Waits up to a tick for a partition to fold what was there at `until`; under load it is there a moment later. */
  async #caughtUp(done: () => boolean): Promise<void> {
    for (let waited = 0; waited < TICK_MS && !done() && !this.#stop.signal.aborted; waited += 50) {
      await this.#pause(50);
    }
  }
}
