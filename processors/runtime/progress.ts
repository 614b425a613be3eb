import type { EventLog, TopicPartition } from './ports.ts';
import { elapsedMs } from './stopwatch.ts';

/** So long a consumer may have work waiting without finishing any step of it. */
const STALL_LIMIT_MS = 60_000;

/**
 * Whether a consumer gets on. Not whether it is connected: one that is connected, answers its heartbeats and folds nothing
 * is what this finds. A retry after a failure of a service counts as a step, because ending the process would not mend it.
 */
export class Progress {
  readonly #now: () => number;
  readonly #stallLimitMs: number;
  #busySince: number | null = null;

  /** `now` answers ms that never go back. A new consumer is idle. */
  constructor(now: () => number = elapsedMs, stallLimitMs: number = STALL_LIMIT_MS) {
    this.#now = now;
    this.#stallLimitMs = stallLimitMs;
  }

  /** Work waits: records, or partitions that a rebalance took. Starts the clock unless it runs. */
  waiting(): void {
    this.#busySince ??= this.#now();
  }

  /** A step was finished: a batch, a block, a take-over, or an attempt at one that will be repeated. Restarts the clock. */
  beat(): void {
    this.#busySince = this.#now();
  }

  /** It is proven that nothing waits. Stops the clock. */
  idle(): void {
    this.#busySince = null;
  }

  /** How long the consumer has been without a step, in ms; 0 when idle. */
  get busyMs(): number {
    return this.#busySince === null ? 0 : this.#now() - this.#busySince;
  }

  get isStuck(): boolean {
    return this.busyMs > this.#stallLimitMs;
  }
}

/**
 * Asks the log whether records wait beyond `positions` (the next offset of each owned partition) and tells `progress`. To be
 * called every few seconds: a consumer that receives nothing cannot say so itself. When the log does not answer, nothing is
 * known and nothing is told.
 */
export async function proveIdle(
  progress: Progress,
  log: Pick<EventLog, 'ranges'>,
  positions: Iterable<TopicPartition & { readonly next: number }>,
): Promise<void> {
  const ends = new Map<string, Map<number, number>>();
  for (const { topic, partition, next } of positions) {
    let ofTopic = ends.get(topic);
    if (ofTopic === undefined) {
      const ranges = await log.ranges(topic).catch(() => null);
      if (ranges === null) return;
      ofTopic = new Map(ranges.map((range) => [range.partition, range.end]));
      ends.set(topic, ofTopic);
    }
    if (next < (ofTopic.get(partition) ?? 0)) {
      progress.waiting();
      return;
    }
  }
  progress.idle();
}
