import type { ClientSession, ClusterTime, MongoClient, Timestamp } from 'mongodb';
import type { Meter } from '../meter.ts';
import { toPipelineError } from './mongo-errors.ts';

/**
 * Makes every read of this process see every acknowledged write of this process. Majority reads alone do not: a deposed
 * primary that has not noticed, or a new one whose majority snapshot still lags, would serve an older state.
 *
 * Each operation gets a session of its own, because operations of one session must not overlap, while partitions are
 * worked on side by side; what the sessions share is the newest operation time that any answer carried. A read asks for a
 * snapshot at least as new as that, and waits for it. Sessions come from the driver's pool and cost what the implicit
 * ones would.
 */
export class CausalSessions {
  readonly #client: MongoClient;
  readonly #meter: Meter;
  #operationTime: Timestamp | undefined;
  // A server refuses a time it has not heard of: the newest one heard travels along.
  #clusterTime: ClusterTime | undefined;

  constructor(client: MongoClient, meter: Meter) {
    this.#client = client;
    this.#meter = meter;
  }

  /** Runs one operation, measured under `operation`; rejects with a PipelineError, the driver's error as its cause. */
  async run<T>(operation: string, action: (session: ClientSession) => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    try {
      return await this.#inSession(action);
    } catch (error) {
      throw toPipelineError(error, operation);
    } finally {
      this.#meter.store(operation, (performance.now() - startedMs) / 1000);
    }
  }

  async #inSession<T>(action: (session: ClientSession) => Promise<T>): Promise<T> {
    await using session = this.#client.startSession({ causalConsistency: true });
    if (this.#operationTime !== undefined) session.advanceOperationTime(this.#operationTime);
    if (this.#clusterTime !== undefined) session.clusterTime = this.#clusterTime;
    try {
      return await action(session);
    } finally {
      // Also after a failure: what was refused or is unknown may have been written.
      this.#learn(session);
    }
  }

  #learn({ operationTime, clusterTime }: ClientSession): void {
    if (operationTime !== undefined && !(this.#operationTime?.greaterThanOrEqual(operationTime) ?? false)) {
      this.#operationTime = operationTime;
    }
    if (
      clusterTime !== undefined &&
      !(this.#clusterTime?.clusterTime.greaterThanOrEqual(clusterTime.clusterTime) ?? false)
    ) {
      this.#clusterTime = clusterTime;
    }
  }
}
