import type { Consumer } from 'kafkajs';
import type { GroupHandler, TopicPartition } from '../ports.ts';

/**
 * Counts the generations of the group, which kafkajs does not tell, and passes assignments on. A batch that was fetched in
 * one generation may reach us in the next (kafkajs issue 1046): it must not be folded, nor move the position.
 */
export class Generations {
  readonly #handler: Pick<GroupHandler, 'assigned' | 'revoked'>;
  readonly #prefix: string;
  readonly #fetchedIn = new Map<number, number>();
  readonly #announced = Promise.withResolvers<void>();
  #open = false;
  #current = 0;
  #owned: readonly TopicPartition[] = [];
  #toldRevoked = true;
  /** Every batch that arrives before the next macrotask comes from a fetch of an older generation. */
  #staleFetch = false;

  constructor(consumer: Consumer, prefix: string, handler: Pick<GroupHandler, 'assigned' | 'revoked'>) {
    this.#handler = handler;
    this.#prefix = prefix;
    // kafkajs calls listeners at once, in the midst of what it is doing: a seek or pause made here precedes the next fetch.
    consumer.on('consumer.group_join', ({ payload }) => this.#joined(payload.memberAssignment));
    consumer.on('consumer.rebalancing', () => this.lose());
    consumer.on('consumer.fetch_start', ({ payload }) => void this.#fetchedIn.set(payload.nodeId, this.#current));
    consumer.on('consumer.fetch', ({ payload }) => {
      if (this.#fetchedIn.get(payload.nodeId) !== this.#current) this.#dropUntilNextMacrotask();
    });
  }

  /** Resolves once the handler knows its first assignment. */
  get announced(): Promise<void> {
    return this.#announced.promise;
  }

  get owned(): readonly TopicPartition[] {
    return this.#owned;
  }

  owns(at: TopicPartition): boolean {
    return this.#owned.some(({ topic, partition }) => partition === at.partition && topic === at.topic);
  }

  /** The generation a batch that arrives now belongs to; null when it is of an older one. */
  ofArrival(): number | null {
    return this.#staleFetch ? null : this.#current;
  }

  /** False once the group has joined again: positions are those of the new generation. */
  isCurrent(generation: number): boolean {
    return generation === this.#current;
  }

  /** False once the generation is over, or known to be ending. */
  stands(generation: number): boolean {
    return generation === this.#current && !this.#toldRevoked;
  }

  /** Called when `join` is about to resolve: the first assignment is announced right after. */
  open(): void {
    setImmediate(() => {
      this.#open = true;
      this.#announce();
      this.#announced.resolve();
    });
  }

  /** The generation is ending: the handler hears of it once. */
  lose(): void {
    if (this.#toldRevoked) return;
    this.#toldRevoked = true;
    this.#handler.revoked();
  }

  #joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    this.lose();
    this.#current++;
    this.#owned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic: topic.slice(this.#prefix.length), partition })),
    );
    if (this.#open) this.#announce();
  }

  #announce(): void {
    this.#toldRevoked = false;
    this.#handler.assigned(this.#owned);
  }

  #dropUntilNextMacrotask(): void {
    this.#staleFetch = true;
    setImmediate(() => {
      this.#staleFetch = false;
    });
  }
}
