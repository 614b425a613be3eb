import { PipelineError } from '../../core/errors.ts';
import type { GroupHandler, LogRecord, TopicPartition } from '../ports.ts';
import type { MemoryTopics } from './event-log-topics.ts';

/** How much a batch may hold and how many partitions one member folds at once. */
export interface DeliveryLimits {
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly concurrency: number;
}

/** How long records wait that were asked for again without a pause or seek: without it they would spin. */
const AGAIN_AFTER_MS = 20;

/** One partition of one member, from one assignment to the next. */
interface Owned extends TopicPartition {
  position: number;
  busy: boolean;
  /** A seek came while the batch was in hand: its outcome no longer decides the position. */
  sought: boolean;
  /** Waits before the same records come again. */
  resting: boolean;
}

type Standing = 'joining' | 'assigned' | 'rebalancing' | 'evicted' | 'gone';

const nameOf = (at: TopicPartition): string => `${at.topic}/${at.partition}`;

/** Hands one member its batches, each in a macrotask of its own, never two of one partition at a time. */
export class MemoryMember {
  readonly topics: readonly string[];
  readonly handler: GroupHandler;
  /** The generation of the group in which the partitions were assigned. */
  generation = 0;
  standing: Standing = 'joining';
  leaving = false;
  readonly #log: MemoryTopics;
  readonly #limits: DeliveryLimits;
  readonly #onIdle: () => void;
  #owned = new Map<string, Owned>();
  readonly #paused = new Set<string>();
  #active = 0;
  readonly #waiting: (() => void)[] = [];
  #awake = false;
  #toldRevoked = true;

  constructor(
    log: MemoryTopics,
    limits: DeliveryLimits,
    topics: readonly string[],
    handler: GroupHandler,
    /** Called whenever the last batch in hand is done. */
    onIdle: () => void,
  ) {
    this.#log = log;
    this.#limits = limits;
    this.topics = topics;
    this.handler = handler;
    this.#onIdle = onIdle;
  }

  get idle(): boolean {
    return this.#active === 0;
  }

  /** Resolves once no batch is in hand. */
  whenIdle(): Promise<void> {
    return this.idle ? Promise.resolve() : new Promise((resolve) => void this.#waiting.push(resolve));
  }

  owns(at: TopicPartition): boolean {
    return this.#owned.has(nameOf(at));
  }

  assign(generation: number, positions: readonly (TopicPartition & { readonly position: number })[]): void {
    this.generation = generation;
    this.standing = 'assigned';
    this.#toldRevoked = false;
    this.#owned = new Map(
      positions.map((at) => [nameOf(at), { ...at, busy: false, sought: false, resting: false }] as const),
    );
    this.handler.assigned(positions.map(({ topic, partition }) => ({ topic, partition })));
    this.wake();
  }

  /** Tells the handler, once for each assignment, that its partitions may be lost. */
  tellRevoked(): void {
    if (this.#toldRevoked) return;
    this.#toldRevoked = true;
    this.handler.revoked();
  }

  seek(at: TopicPartition, offset: number): void {
    const owned = this.#owned.get(nameOf(at));
    if (owned === undefined) return;
    const partition = this.#log.partition(at.topic, at.partition);
    // A broker answers OFFSET_OUT_OF_RANGE, and kafkajs then starts at the beginning without a word.
    owned.position = offset < partition.start || offset > partition.end ? partition.start : offset;
    owned.sought = true;
    this.wake();
  }

  /** A pause outlives assignments, as with kafkajs. */
  pause(at: TopicPartition): void {
    this.#paused.add(nameOf(at));
  }

  resume(at: TopicPartition): void {
    if (this.#paused.delete(nameOf(at))) this.wake();
  }

  /** Looks for records soon: in a macrotask, so that timers and sockets get their turn between batches. */
  wake(): void {
    if (this.#awake || this.standing !== 'assigned') return;
    this.#awake = true;
    setImmediate(() => {
      this.#awake = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    for (const [name, owned] of this.#owned) {
      if (this.standing !== 'assigned' || this.leaving || this.#active >= this.#limits.concurrency) return;
      if (owned.busy || owned.resting || this.#paused.has(name)) continue;
      const partition = this.#log.partition(owned.topic, owned.partition);
      // Out of range, as for a broker: kafkajs starts at the beginning.
      if (owned.position < partition.start || owned.position > partition.end) owned.position = partition.start;
      if (owned.position >= partition.end) continue;
      // The one served last goes to the end of the line.
      this.#owned.delete(name);
      this.#owned.set(name, owned);
      const records = partition.read(owned.position, this.#limits.batchRecords, this.#limits.batchBytes);
      void this.#handle(owned, records, partition.end);
    }
  }

  async #handle(owned: Owned, records: readonly LogRecord[], logEnd: number): Promise<void> {
    const { topic, partition } = owned;
    const next = owned.position + records.length;
    owned.busy = true;
    owned.sought = false;
    this.#active++;
    try {
      const outcome = await this.handler.onBatch({ topic, partition, records, next, logEnd }, () => this.#heartbeat());
      if (!owned.sought) {
        if (outcome === 'done') owned.position = next;
        else if (!this.#paused.has(nameOf(owned))) this.#rest(owned);
      }
    } catch (error) {
      this.standing = 'gone';
      this.handler.crashed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      owned.busy = false;
      this.#active--;
      if (this.#active === 0) {
        for (const resolve of this.#waiting.splice(0)) resolve();
        this.#onIdle();
      }
      this.wake();
    }
  }

  #rest(owned: Owned): void {
    owned.resting = true;
    setTimeout(() => {
      owned.resting = false;
      this.wake();
    }, AGAIN_AFTER_MS).unref();
  }

  async #heartbeat(): Promise<void> {
    await Promise.resolve();
    if (this.standing === 'assigned') return;
    this.tellRevoked();
    throw new PipelineError('rebalancing', 'the group is rebalancing', { retriable: true });
  }
}
