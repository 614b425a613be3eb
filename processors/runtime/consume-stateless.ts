import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { StatelessProcessor } from '../core/processor.ts';
import { backoffMs } from './backoff.ts';
import { Failure, type Consumption } from './consumption.ts';
import { Heartbeats } from './heartbeats.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogBatch, Membership, TopicPartition } from './ports.ts';
import { Progress } from './progress.ts';
import { runStateless } from './run-stateless.ts';
import { stopwatch } from './stopwatch.ts';

/** A member of a stateless processor's group. */
export class StatelessMember implements Consumption {
  readonly processor: StatelessProcessor;
  readonly progress = new Progress();
  #owned: readonly TopicPartition[] = [];
  readonly #ports: PipelinePorts;
  readonly #failure = new Failure();
  readonly #failures = new Map<string, number>();
  #membership: Membership | null = null;
  #joined = false;
  #stopping: Promise<void> | null = null;

  constructor(processor: StatelessProcessor, ports: PipelinePorts) {
    this.processor = processor;
    this.#ports = ports;
  }

  async join(): Promise<void> {
    this.#membership = await this.#ports.log.join(groupName(this.processor), this.processor.inputs, {
      assigned: (partitions) => {
        this.#owned = partitions;
        this.#joined = true;
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
    const positions: (TopicPartition & { next: number })[] = [];
    for (const topic of this.processor.inputs) {
      const committed = await this.#ports.log.committed(groupName(this.processor), topic);
      const starts = await this.#ports.log.ranges(topic);
      for (const { partition } of this.#owned.filter((at) => at.topic === topic)) {
        const start = starts.find((range) => range.partition === partition)?.start ?? 0;
        const next = committed.find((each) => each.partition === partition)?.offset ?? start;
        positions.push({ topic, partition, next });
      }
    }
    return positions;
  }

  async #onBatch(batch: LogBatch, heartbeat: () => Promise<void>): Promise<'done' | 'again'> {
    const at = { topic: batch.topic, partition: batch.partition };
    const name = `${batch.topic}/${batch.partition}`;
    const heartbeats = new Heartbeats(heartbeat);
    this.progress.waiting();
    try {
      await heartbeats.check();
      await heartbeats.during(runStateless(this.processor, batch, this.#ports));
      const committed = stopwatch();
      await this.#membership?.commit(at, batch.next, '');
      this.#ports.meter.stage(this.processor.name, 'commit', committed());
      this.#failures.delete(name);
      this.progress.beat();
      const newest = batch.records.at(-1)?.timestamp ?? this.#ports.clock.now();
      const lagRecords = Math.max(0, batch.logEnd - batch.next);
      const lagSeconds = lagRecords === 0 ? 0 : Math.max(0, this.#ports.clock.now() - newest) / 1000;
      this.#ports.meter.partition(this.processor.name, at, { lagRecords, lagSeconds, dueOldestSeconds: 0, totals: [] });
      return 'done';
    } catch (error) {
      this.progress.beat();
      if (!(error instanceof PipelineError) || !error.retriable) {
        this.#failure.report(error);
        this.#membership?.pause(at);
        return 'again';
      }
      if (error.code === 'rebalancing') return 'again';
      const failures = this.#failures.get(name) ?? 0;
      this.#failures.set(name, failures + 1);
      const delayMs = backoffMs(failures);
      this.#ports.logger.warn('partition paused', { ...at, code: error.code, delayMs, error });
      this.#membership?.pause(at);
      void wait(delayMs, undefined, { ref: false }).then(() => this.#membership?.resume(at));
      return 'again';
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      await this.#membership?.leave();
      this.#joined = false;
    })();
    return this.#stopping;
  }
}
