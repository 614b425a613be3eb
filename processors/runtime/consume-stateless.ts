import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { Instant, StatelessProcessor } from '../core/processor.ts';
import { backoffMs } from './backoff.ts';
import { Failure, type Consumption } from './consumption.ts';
import { Heartbeats } from './heartbeats.ts';
import { Lag } from './lag.ts';
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
  readonly #lags = new Map<string, Lag>();
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
        this.#own(partitions);
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

  async positions(): Promise<(TopicPartition & { next: number; end: number })[]> {
    const positions: (TopicPartition & { next: number; end: number })[] = [];
    for (const topic of this.processor.inputs) {
      const committed = await this.#ports.log.committed(groupName(this.processor), topic);
      const ranges = await this.#ports.log.ranges(topic);
      for (const { partition } of this.#owned.filter((at) => at.topic === topic)) {
        const { start, end } = ranges.find((range) => range.partition === partition) ?? { start: 0, end: 0 };
        const next = committed.find((each) => each.partition === partition)?.offset ?? start;
        positions.push({ topic, partition, next, end });
      }
    }
    return positions;
  }

  async report(): Promise<void> {
    for (const { next, end, ...at } of await this.positions()) this.#reportLag(at, next, end, null);
  }

  #reportLag(at: TopicPartition, next: number, end: number, newest: Instant | null): void {
    const lag = this.#lags.get(laneName(at));
    // Given up while the answer was on its way.
    if (lag === undefined) return;
    const { records, seconds } = lag.measure(next, end, newest, this.#ports.clock.now());
    const gauges = { lagRecords: records, lagSeconds: seconds, dueOldestSeconds: 0, totals: [] };
    this.#ports.meter.partition(this.processor.name, at, gauges);
  }

  /** Forgets what was measured of partitions that were given up, and begins with those that are new. */
  #own(partitions: readonly TopicPartition[]): void {
    const names = new Set(partitions.map(laneName));
    for (const at of this.#owned.filter((each) => !names.has(laneName(each)))) {
      this.#lags.delete(laneName(at));
      this.#ports.meter.partition(this.processor.name, at, null);
    }
    this.#owned = partitions;
    for (const name of names) if (!this.#lags.has(name)) this.#lags.set(name, new Lag());
  }

  async #onBatch(batch: LogBatch, heartbeat: () => Promise<void>): Promise<'done' | 'again'> {
    const at = { topic: batch.topic, partition: batch.partition };
    const name = laneName(at);
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
      this.#reportLag(at, batch.next, batch.logEnd, batch.records.at(-1)?.timestamp ?? null);
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
      this.#own([]);
    })();
    return this.#stopping;
  }
}

function laneName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
