import { PipelineError } from '../core/errors.ts';
import type { TopicPartition } from './ports.ts';

/** What every kind of processor keeps of a partition that its group gave it. */
export interface Owned {
  readonly at: TopicPartition;
  /** The first input offset not folded yet, as far as is known. */
  next: number;
  /** True until a take-over has succeeded, and again after every failure. */
  mustTakeOver: boolean;
}

/**
 * Everything that touches one owned partition - batch, sweep, take-over - runs here, one at a time, in the order asked for.
 */
export class Lane<P extends Owned> {
  readonly partition: P;
  /** Set when the partition is given up: what still waits is refused. */
  closed = false;
  /**
   * Where the consumer stands since it was given the partition or was told to seek; −1 before its first batch. Within that
   * time it only moves on, unless the log began anew under it.
   */
  place = -1;
  /** The offset last sought after a gap: a gap that stays there is a real one. */
  soughtTo = -1;
  /** How often the consumer was told to seek: a batch that was fetched before the last time is of the wrong place. */
  seeks = 0;
  /** Failures in a row, for the back-off. */
  failures = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(partition: P) {
    this.partition = partition;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.closed) throw new PipelineError('rebalancing', 'the partition was given up', { retriable: true });
      return work();
    });
    // The next in line waits for this one, however it ends; its failure belongs to whoever asked for it.
    this.#last = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** Resolves when what is under way is over. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
