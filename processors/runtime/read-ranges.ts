import { PipelineError } from '../core/errors.ts';
import type { EventLog, GroupHandler, LogBatch, LogRecord, Membership, OffsetRange, TopicPartition } from './ports.ts';

export interface Reading {
  readonly topic: string;
  /** Of its own: nothing is committed, so that nothing is left of it but its name. */
  readonly group: string;
  /** What to read, `end` excluded. A partition that is not named is not read. */
  readonly ranges: readonly OffsetRange[];
  /** Ends the reading early; it resolves. */
  readonly signal?: AbortSignal;
  /** How long the log may bring nothing before that is a failure. */
  readonly silenceMs?: number;
}

/**
 * Takes a part of what was fetched, in order, one part at a time. Whoever takes longer than a moment calls `alive` in
 * between, so that the broker keeps the reader.
 */
export type Visit = (records: readonly LogRecord[], at: TopicPartition, alive: () => Promise<void>) => Promise<void>;

const SILENCE_MS = 30_000;

/**
 * Reads what a topic holds, and each record once: what comes again after a rebalance was visited. Each partition is read in
 * order; the partitions take turns.
 */
export async function readRanges(log: EventLog, reading: Reading, visit: Visit): Promise<void> {
  const { topic, group, signal } = reading;
  const reader = new Reader(reading, visit);
  if (reader.isDone || signal?.aborted === true) return;
  const stop = (): void => {
    reader.stop();
  };
  signal?.addEventListener('abort', stop);
  try {
    const membership = await log.join(group, [topic], reader);
    reader.begin(membership);
    try {
      await reader.over;
    } finally {
      reader.stop();
      await membership.leave();
    }
  } finally {
    reader.stop();
    signal?.removeEventListener('abort', stop);
  }
}

class Reader implements GroupHandler {
  readonly #topic: string;
  readonly #visit: Visit;
  readonly #silenceMs: number;
  /** By partition. */
  readonly #left = new Map<number, { next: number; readonly end: number }>();
  readonly #over = Promise.withResolvers<void>();
  #membership: Membership | undefined;
  #turn: Promise<void> = Promise.resolve();
  #silence: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor({ topic, ranges, silenceMs = SILENCE_MS }: Reading, visit: Visit) {
    this.#topic = topic;
    this.#visit = visit;
    this.#silenceMs = silenceMs;
    for (const { partition, start, end } of ranges) if (start < end) this.#left.set(partition, { next: start, end });
    // Whoever waits for it hears of it; before that nobody may be there.
    this.#over.promise.catch(() => undefined);
  }

  get isDone(): boolean {
    return this.#left.size === 0;
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  begin(membership: Membership): void {
    this.#membership = membership;
    this.#listen();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#silence);
    this.#over.resolve();
  }

  assigned(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      const range = this.#left.get(at.partition);
      if (range === undefined) this.#membership?.pause(at);
      else this.#membership?.seek(at, range.next);
    }
  }

  revoked(): void {
    // Nothing is held that another member could want.
  }

  async onBatch(batch: LogBatch, heartbeat: () => Promise<void>): Promise<'done'> {
    this.#turn = this.#turn.then(() => this.#take(batch, heartbeat));
    await this.#turn;
    return 'done';
  }

  unreadable({ topic, partition }: TopicPartition, why: PipelineError): void {
    this.#fail(new PipelineError(why.code, `${topic}/${partition}: ${why.message}`, { retriable: false, cause: why }));
  }

  crashed(error: Error): void {
    this.#fail(error);
  }

  async #take(batch: LogBatch, heartbeat: () => Promise<void>): Promise<void> {
    const range = this.#left.get(batch.partition);
    if (this.#stopped || range === undefined) return;
    const { next, end } = range;
    const records = batch.records.filter(({ offset }) => offset >= next && offset < end);
    clearTimeout(this.#silence);
    try {
      // A member that lost its place has lost nothing, for nothing is committed: it goes on where it was.
      if (records.length > 0) await this.#visit(records, batch, () => heartbeat().catch(forgiveRebalance));
    } catch (error) {
      this.#fail(error);
      return;
    }
    range.next = Math.max(next, batch.next);
    if (range.next >= end) {
      this.#left.delete(batch.partition);
      this.#membership?.pause({ topic: batch.topic, partition: batch.partition });
    }
    if (this.isDone) this.stop();
    else this.#listen();
  }

  #listen(): void {
    if (this.#stopped) return;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      const message = `${this.#topic} brought nothing for ${Math.round(this.#silenceMs / 1000)} s`;
      this.#fail(new PipelineError('log_unavailable', message, { retriable: true }));
    }, this.#silenceMs);
  }

  #fail(error: unknown): void {
    this.#over.reject(error);
    this.stop();
  }
}

function forgiveRebalance(error: unknown): void {
  if (!(error instanceof PipelineError) || error.code !== 'rebalancing') throw error;
}
