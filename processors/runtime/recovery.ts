import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Lane, Owned } from './lane.ts';
import type { Log, TopicPartition } from './ports.ts';
import type { Progress } from './progress.ts';

/** Why a partition must be taken over before anything else touches it. */
export type TakeOverReason = 'joined' | 'ownership_lost' | 'store_error' | 'producer_error';

/** What a recovery may do with a partition, and with the member whose it is. */
export interface Recoverable<P extends Owned> {
  readonly logger: Log;
  readonly progress: Progress;
  readonly stopping: boolean;
  pause(at: TopicPartition): void;
  resume(at: TopicPartition): void;
  /** From here on nothing that is known of the partition counts. */
  distrust(partition: P, why: TakeOverReason): void;
  takeOver(partition: P): Promise<void>;
  /** Ends the member. */
  fail(error: unknown): void;
}

/** Another owner is busy there: no reason to wait for long. */
const OWNERSHIP_LOST_MS = 50;

/** What a failure on a partition asks for: nothing (the group rebalances), a pause and a take-over, or the end. */
export class Recovery<P extends Owned> {
  readonly #member: Recoverable<P>;

  constructor(member: Recoverable<P>) {
    this.#member = member;
  }

  /** After a failure of anything that ran in the lane. */
  from(lane: Lane<P>, error: unknown): void {
    this.#member.progress.beat();
    if (!(error instanceof PipelineError) || !error.retriable) {
      // What would be folded again would fail again, until the process has ended.
      this.#member.pause(lane.partition.at);
      this.#member.fail(error);
    } else if (error.code !== 'rebalancing') {
      this.#pause(lane, error);
    }
  }

  /** Takes a partition over without waiting for its next batch, so that unsent outputs and deadlines do not wait either. */
  takeOverSoon(lane: Lane<P>): void {
    this.#takeOver(lane).catch((error: unknown) => {
      this.#member.fail(error);
    });
  }

  async #takeOver(lane: Lane<P>): Promise<void> {
    if (lane.closed || this.#member.stopping) return;
    try {
      await lane.run(() => this.ensureOwned(lane));
    } catch (error) {
      if (!lane.closed) this.from(lane, error);
    }
  }

  async ensureOwned(lane: Lane<P>): Promise<void> {
    if (!lane.partition.mustTakeOver) return;
    await this.#member.takeOver(lane.partition);
    lane.soughtTo = -1;
  }

  #pause(lane: Lane<P>, error: PipelineError): void {
    const { at } = lane.partition;
    const delayMs = error.code === 'ownership_lost' ? OWNERSHIP_LOST_MS : backoffMs(lane.failures);
    lane.failures += 1;
    // What cannot be read has touched nothing.
    if (error.code !== 'batch_unreadable') this.#member.distrust(lane.partition, reasonOf(error));
    this.#member.logger.warn('partition paused', { ...at, code: error.code, delayMs, error });
    this.#member.pause(at);
    void wait(delayMs, undefined, { ref: false }).then(() => {
      // Also when the partition was given up meanwhile: a pause would outlive that, and hold it up when it comes back.
      this.#member.resume(at);
      this.takeOverSoon(lane);
    });
  }
}

function reasonOf({ code }: PipelineError): TakeOverReason {
  if (code === 'ownership_lost') return 'ownership_lost';
  return code === 'log_unavailable' ? 'producer_error' : 'store_error';
}
