import { setTimeout as wait } from 'node:timers/promises';

const EVERY_MS = 1_000;

/**
 * Keeps a member alive through one batch. The client heartbeats only when it is asked to, and a batch that waits for the
 * store, the broker or its turn for longer than the session would be evicted.
 */
export class Heartbeats {
  readonly #beat: () => Promise<void>;
  #failed: { readonly error: unknown } | null = null;

  constructor(beat: () => Promise<void>) {
    this.#beat = beat;
  }

  /** Rejects when the batch must be given up, also when that was noticed while something else was awaited. */
  readonly check = async (): Promise<void> => {
    if (this.#failed !== null) throw this.#failed.error;
    await this.#beat();
  };

  /** Waits for `work`, heartbeating every second. A heartbeat that fails is told by the next `check`: work under way is not torn. */
  async during<T>(work: Promise<T>): Promise<T> {
    const over = work.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([over, wait(EVERY_MS, false, { ref: false })]))) {
      if (this.#failed !== null) continue;
      try {
        await this.#beat();
      } catch (error) {
        this.#failed = { error };
      }
    }
    return work;
  }
}
