import type {
  EventLog,
  GroupHandler,
  LogBatch,
  LogRecord,
  Membership,
  OutgoingRecord,
  TopicPartition,
} from '../../processors/runtime/ports.ts';

export type OnBatch = (batch: LogBatch, heartbeat: () => Promise<void>) => Promise<'done' | 'again'>;
export type Received = TopicPartition & LogRecord;

/** A member of a group that remembers what it was told, and lets a test wait for it. */
export class Probe implements GroupHandler {
  readonly received: Received[] = [];
  readonly batches: LogBatch[] = [];
  readonly assignments: (readonly TopicPartition[])[] = [];
  readonly crashes: Error[] = [];
  readonly unread: Error[] = [];
  revocations = 0;
  /** What to do with a batch; replaced by tests. */
  handle: OnBatch = () => Promise.resolve('done');
  #whenAssigned: (membership: Membership) => void = () => undefined;
  #membership: Membership | undefined;
  readonly #waiting = new Set<() => void>();

  static async join(
    log: EventLog,
    group: string,
    topics: readonly string[],
    handle?: OnBatch,
    whenAssigned?: (membership: Membership) => void,
  ): Promise<Probe> {
    const probe = new Probe();
    if (handle !== undefined) probe.handle = handle;
    if (whenAssigned !== undefined) probe.#whenAssigned = whenAssigned;
    probe.#membership = await log.join(group, topics, probe);
    await probe.until(() => probe.assignments.length > 0);
    return probe;
  }

  get membership(): Membership {
    if (this.#membership === undefined) throw new Error('told before join resolved');
    return this.#membership;
  }

  /** What it owns since the last join of the group. */
  get owned(): readonly TopicPartition[] {
    return this.assignments.at(-1) ?? [];
  }

  assigned(partitions: readonly TopicPartition[]): void {
    // Throws, and so fails the test, when the membership is not there yet.
    this.#whenAssigned(this.membership);
    this.assignments.push(partitions);
    this.#look();
  }

  revoked(): void {
    this.revocations++;
    this.#look();
  }

  async onBatch(batch: LogBatch, heartbeat: () => Promise<void>): Promise<'done' | 'again'> {
    this.batches.push(batch);
    const outcome = await this.handle(batch, heartbeat);
    if (outcome === 'done') {
      const { topic, partition } = batch;
      for (const record of batch.records) this.received.push({ topic, partition, ...record });
    }
    this.#look();
    return outcome;
  }

  unreadable(_at: TopicPartition, why: Error): void {
    this.unread.push(why);
    this.#look();
  }

  crashed(error: Error): void {
    this.crashes.push(error);
    this.#look();
  }

  /** Resolves as soon as the condition holds after something happened to this member. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          if (!condition()) return;
          this.#waiting.delete(look);
          resolve();
        } catch (error) {
          this.#waiting.delete(look);
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#waiting.add(look);
    });
  }

  /** Makes the conditions look again, after something that only the test knows of. */
  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** A promise and the way to resolve it. */
export interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

export const AT: number = Date.UTC(2026, 0, 1);

/** A record without headers. */
export function record(topic: string, key: string | null, value: string, timestamp = AT): OutgoingRecord {
  return { topic, key: key === null ? null : Buffer.from(key), value: Buffer.from(value), timestamp, headers: {} };
}

/** `count` records with values 0, 1, 2, … and keys of `keys` customers in turn. */
export function numbered(topic: string, count: number, keys: number, from = 0): OutgoingRecord[] {
  return Array.from({ length: count }, (_, index) =>
    record(topic, `demo|u:${(from + index) % keys}`, String(from + index), AT + from + index),
  );
}

export const textOf = (bytes: Buffer | null): string | null => bytes?.toString() ?? null;
export const valuesOf = (records: readonly LogRecord[]): (string | null)[] => records.map(({ value }) => textOf(value));
