import { PipelineError } from '../../core/errors.ts';
import { MemoryPartition } from './event-log-partition.ts';

/** What the log in memory needs to know of a topic. */
export interface MemoryTopicOptions {
  readonly name: string;
  readonly partitions: number;
  /** Groups that will read it: nothing they have not committed is trimmed, even before they join. */
  readonly readers?: readonly string[];
  /** A larger record is refused, as a broker does. Default 1 MiB. */
  readonly maxMessageBytes?: number;
}

export interface MemoryTopic {
  readonly name: string;
  readonly partitions: readonly MemoryPartition[];
  readonly maxMessageBytes: number;
  /** Groups known so far: those announced and those that joined. */
  readonly readers: Set<string>;
  /** How many of the newest records each partition keeps beyond what the readers still need. */
  readonly keepRecords: number;
}

const DEFAULT_MAX_MESSAGE_BYTES = 1024 * 1024;

/** The topics, and word to whoever waits for records. */
export class MemoryTopics {
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #watchers = new Set<() => void>();

  constructor(topics: readonly MemoryTopicOptions[], keepRecords: number) {
    for (const topic of topics) {
      this.#topics.set(topic.name, {
        name: topic.name,
        partitions: Array.from({ length: topic.partitions }, () => new MemoryPartition()),
        maxMessageBytes: topic.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
        readers: new Set(topic.readers),
        keepRecords,
      });
    }
  }

  /** Throws `log_unavailable`, not retriable, for a topic that does not exist. */
  of(name: string): MemoryTopic {
    const topic = this.#topics.get(name);
    if (topic === undefined) {
      throw new PipelineError('log_unavailable', `topic ${name} does not exist`, { retriable: false });
    }
    return topic;
  }

  partition(name: string, partition: number): MemoryPartition {
    const found = this.of(name).partitions[partition];
    if (found === undefined) {
      throw new PipelineError('log_unavailable', `topic ${name} has no partition ${partition}`, { retriable: false });
    }
    return found;
  }

  /** Calls `onRecords` after each append until the answer is called. */
  watch(onRecords: () => void): () => void {
    this.#watchers.add(onRecords);
    return () => this.#watchers.delete(onRecords);
  }

  appended(): void {
    for (const onRecords of this.#watchers) onRecords();
  }
}
