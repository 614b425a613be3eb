import { PipelineError } from '../../core/errors.ts';
import type { GroupHandler, Membership, TopicPartition } from '../ports.ts';
import { MemoryMember, type DeliveryLimits } from './event-log-member.ts';
import type { MemoryTopics } from './event-log-topics.ts';

/** What a broker takes with a commit by default (offset.metadata.max.bytes). */
const LONGEST_METADATA_BYTES = 4_096;

/**
 * One consumer group: eager rebalances, a generation for each. A rebalance waits for the batches in hand of every member,
 * which learn of it by their heartbeat; a member that never gives its batch up holds the group until it is evicted.
 */
export class MemoryGroup {
  readonly #name: string;
  readonly #log: MemoryTopics;
  readonly #limits: DeliveryLimits;
  #members: MemoryMember[] = [];
  #generation = 0;
  #rebalancing = false;

  constructor(name: string, log: MemoryTopics, limits: DeliveryLimits) {
    this.#name = name;
    this.#log = log;
    this.#limits = limits;
  }

  get size(): number {
    return this.#members.length;
  }

  join(topics: readonly string[], handler: GroupHandler): Membership {
    for (const topic of topics) this.#log.of(topic).readers.add(this.#name);
    const member = new MemoryMember(this.#log, this.#limits, topics, handler, () => this.#idle(member));
    const unwatch = this.#log.watch(() => member.wake());
    this.#enter(member);
    let left: Promise<void> | undefined;
    return {
      commit: (at, offset, metadata) => this.#commit(member, at, offset, metadata),
      seek: (at, offset) => member.seek(at, offset),
      pause: (at) => member.pause(at),
      resume: (at) => member.resume(at),
      leave: () => {
        left ??= this.#leave(member).finally(unwatch);
        return left;
      },
    };
  }

  /** Shuts out the member that owns `at`, as a broker does whose session timeout has passed. It joins again by itself. */
  evict(at: TopicPartition): void {
    const member = this.#members.find((each) => each.owns(at));
    if (member === undefined) throw new RangeError(`nobody owns ${at.topic}/${at.partition}`);
    member.standing = 'evicted';
    this.#remove(member);
    if (member.idle) this.#idle(member);
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#leave(member)));
  }

  // --- rebalance ---

  #enter(member: MemoryMember): void {
    member.standing = 'joining';
    this.#members.push(member);
    this.#rebalance();
  }

  #remove(member: MemoryMember): void {
    this.#members = this.#members.filter((each) => each !== member);
    this.#rebalance();
  }

  #rebalance(): void {
    for (const member of this.#members) {
      if (member.standing === 'assigned') member.standing = 'rebalancing';
    }
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    setImmediate(() => this.#assignWhenIdle());
  }

  #idle(member: MemoryMember): void {
    if (member.standing === 'evicted') {
      member.tellRevoked();
      this.#enter(member);
    } else if (member.standing === 'gone') {
      this.#remove(member);
    }
    if (this.#rebalancing) setImmediate(() => this.#assignWhenIdle());
  }

  #assignWhenIdle(): void {
    if (!this.#rebalancing || this.#members.some((member) => !member.idle)) return;
    this.#rebalancing = false;
    this.#generation++;
    for (const member of this.#members) member.tellRevoked();
    const shares = this.#shares();
    for (const member of this.#members) member.assign(this.#generation, shares.get(member) ?? []);
  }

  /** Partition i of a topic goes to subscriber i modulo their number, starting where the group committed. */
  #shares(): Map<MemoryMember, (TopicPartition & { position: number })[]> {
    const shares = new Map(this.#members.map((member) => [member, [] as (TopicPartition & { position: number })[]]));
    const topics = new Set(this.#members.flatMap((member) => member.topics));
    for (const topic of topics) {
      const subscribers = this.#members.filter((member) => member.topics.includes(topic));
      this.#log.of(topic).partitions.forEach((log, partition) => {
        const subscriber = subscribers[partition % subscribers.length];
        const position = log.committed.get(this.#name)?.offset ?? log.start;
        if (subscriber !== undefined) shares.get(subscriber)?.push({ topic, partition, position });
      });
    }
    return shares;
  }

  // --- what a member does ---

  async #commit(member: MemoryMember, at: TopicPartition, offset: number, metadata: string): Promise<void> {
    await Promise.resolve();
    // During a rebalance the old generation still stands, so that a batch in hand can commit: brokers do the same.
    const current = this.#members.includes(member) && member.generation === this.#generation && member.owns(at);
    if (!current) {
      throw new PipelineError('rebalancing', `${at.topic}/${at.partition} is not this member's`, { retriable: true });
    }
    if (Buffer.byteLength(metadata) > LONGEST_METADATA_BYTES) {
      throw new PipelineError('log_unavailable', 'the commit metadata is too large', { retriable: false });
    }
    const partition = this.#log.partition(at.topic, at.partition);
    partition.committed.set(this.#name, { offset, metadata });
    const { keepRecords, readers } = this.#log.of(at.topic);
    partition.trim(keepRecords, readers);
  }

  async #leave(member: MemoryMember): Promise<void> {
    member.leaving = true;
    await member.whenIdle();
    member.standing = 'gone';
    if (this.#members.includes(member)) this.#remove(member);
  }
}
