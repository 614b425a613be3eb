import { PipelineError } from '../../core/errors.ts';
import type { Instant } from '../../core/processor.ts';
import type {
  CommittedOffset,
  Emitter,
  EventLog,
  GroupHandler,
  Membership,
  OffsetRange,
  TopicPartition,
} from '../ports.ts';
import { MemoryEmitter } from './event-log-emitter.ts';
import { MemoryGroup } from './event-log-group.ts';
import { MemoryTopics, type MemoryTopicOptions } from './event-log-topics.ts';

export interface MemoryLogOptions {
  readonly topics: readonly MemoryTopicOptions[];
  /** How many of the newest records a partition keeps beyond what its readers still need. Default: all. */
  readonly keepRecords?: number;
  /** The largest batch, in records and in bytes of keys and values. */
  readonly batchRecords?: number;
  readonly batchBytes?: number;
  /** How many partitions a member is handed at once. */
  readonly concurrency?: number;
}

const DEFAULT_BATCH_RECORDS = 2_000;
const DEFAULT_BATCH_BYTES = 512 * 1024;
const DEFAULT_CONCURRENCY = 4;

/**
 * An event log in memory: topics with partitions, groups with members, generations, positions and commits. It keeps
 * nothing beyond the process. Never kinder than Kafka: the same contract tests run on both.
 */
export class MemoryEventLog implements EventLog {
  readonly #topics: MemoryTopics;
  readonly #options: MemoryLogOptions;
  readonly #groups = new Map<string, MemoryGroup>();

  constructor(options: MemoryLogOptions) {
    this.#topics = new MemoryTopics(options.topics, options.keepRecords ?? Number.POSITIVE_INFINITY);
    this.#options = options;
  }

  emitter(): Emitter {
    return new MemoryEmitter(this.#topics);
  }

  async join(group: string, topics: readonly string[], handler: GroupHandler): Promise<Membership> {
    await Promise.resolve();
    return this.#group(group).join(topics, handler);
  }

  async ranges(topic: string): Promise<OffsetRange[]> {
    await Promise.resolve();
    return this.#topics.of(topic).partitions.map(({ start, end }, partition) => ({ partition, start, end }));
  }

  async offsetsAt(topic: string, time: Instant): Promise<{ partition: number; offset: number }[]> {
    await Promise.resolve();
    return this.#topics.of(topic).partitions.map((log, partition) => ({ partition, offset: log.offsetAt(time) }));
  }

  async committed(group: string, topic: string): Promise<CommittedOffset[]> {
    await Promise.resolve();
    return this.#topics.of(topic).partitions.map((log, partition) => {
      const commit = log.committed.get(group);
      return { partition, offset: commit?.offset ?? null, metadata: commit?.metadata ?? '' };
    });
  }

  async members(group: string): Promise<number> {
    await Promise.resolve();
    return this.#groups.get(group)?.size ?? 0;
  }

  async deleteBefore(topic: string, offsets: readonly { partition: number; offset: number }[]): Promise<void> {
    await Promise.resolve();
    for (const { partition, offset } of offsets) {
      if (offset > this.#topics.partition(topic, partition).end) throw beyondTheEnd(topic, partition, offset);
    }
    for (const { partition, offset } of offsets) this.#topics.partition(topic, partition).deleteBefore(offset);
  }

  /** For tests: ends the session of the member of `group` that owns `at`, as a broker does to one that stops heartbeating. */
  evict(group: string, at: TopicPartition): void {
    this.#group(group).evict(at);
  }

  /** For tests: deletes the topic and creates it anew, under the feet of whoever reads it. */
  renew(topic: string): void {
    for (const partition of this.#topics.of(topic).partitions) partition.renew();
  }

  /** For tests: forgets what `group` committed, as a broker does when a group was idle for long. */
  forgetCommits(group: string, topic: string): void {
    for (const { committed } of this.#topics.of(topic).partitions) committed.delete(group);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => group.close()));
  }

  #group(name: string): MemoryGroup {
    let group = this.#groups.get(name);
    if (group === undefined) {
      const { batchRecords, batchBytes, concurrency } = this.#options;
      const limits = {
        batchRecords: batchRecords ?? DEFAULT_BATCH_RECORDS,
        batchBytes: batchBytes ?? DEFAULT_BATCH_BYTES,
        concurrency: concurrency ?? DEFAULT_CONCURRENCY,
      };
      group = new MemoryGroup(name, this.#topics, limits);
      this.#groups.set(name, group);
    }
    return group;
  }
}

function beyondTheEnd(topic: string, partition: number, offset: number): PipelineError {
  const message = `could not delete records of ${topic}/${partition}: ${offset} is beyond its end`;
  return new PipelineError('log_unavailable', message, { retriable: false });
}
