import type { Processor } from '../core/processor.ts';
import type { TopicPartition } from './ports.ts';
import type { Progress } from './progress.ts';

/** One processor at work in this process, as a member of its group. */
export interface Consumption {
  readonly processor: Processor;
  /** Whether the member owns what the group gave it now. */
  readonly joined: boolean;
  /** Whether it gets on: for liveness. */
  readonly progress: Progress;
  /** The next offset of each partition it owns, and the epoch it counts in: to prove that nothing waits there. */
  positions(): Promise<(TopicPartition & { readonly epoch: number; readonly next: number })[]>;
  /**
   * Sets the gauges of every owned partition as of now. To be called every few seconds: a consumer that receives nothing, or
   * folds nothing, cannot say so itself. Rejects when the log does not answer.
   */
  report(): Promise<void>;
  /** Rejects when the member is dead and will not come back; never resolves. */
  readonly failed: Promise<never>;
  /** Finishes what is in hand and leaves the group. Harmless when repeated. */
  stop(): Promise<void>;
}

/** The first error that ends a member, as a promise. */
export class Failure {
  readonly promise: Promise<never>;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    this.promise = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
    // Whoever runs the member awaits the promise; until then a rejection is not unhandled.
    this.promise.catch(() => undefined);
  }

  report(error: unknown): void {
    this.#reject(error instanceof Error ? error : new Error(String(error)));
  }
}
