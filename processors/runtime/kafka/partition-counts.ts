import { PipelineError } from '../../core/errors.ts';
import type { KafkaAdmin } from './kafka-admin.ts';
import { toPipelineError, brokerErrorType } from './kafka-errors.ts';

/** How many partitions each topic has, asked once: a count never changes (topics/plan.ts refuses it). */
export class PartitionCounts {
  readonly #admin: KafkaAdmin;
  readonly #prefix: string;
  readonly #counts = new Map<string, number>();

  constructor(admin: KafkaAdmin, prefix: string) {
    this.#admin = admin;
    this.#prefix = prefix;
  }

  /** Learns the count of every topic named. Rejects, not retriable, for a topic that does not exist. */
  async learn(records: readonly { readonly topic: string }[]): Promise<void> {
    let unknown: Set<string> | undefined;
    for (const { topic } of records) {
      if (!this.#counts.has(topic)) (unknown ??= new Set()).add(topic);
    }
    if (unknown === undefined) return;
    for (const topic of unknown) this.#counts.set(topic, await this.#ask(topic));
  }

  known(topic: string): number {
    const count = this.#counts.get(topic);
    if (count === undefined) throw new RangeError(`the partitions of ${topic} were never asked for`);
    return count;
  }

  async #ask(topic: string): Promise<number> {
    try {
      const admin = await this.#admin.connected();
      const { topics } = await admin.fetchTopicMetadata({ topics: [this.#prefix + topic] });
      const count = topics[0]?.partitions.length ?? 0;
      if (count > 0) return count;
    } catch (error) {
      if (brokerErrorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') {
        throw toPipelineError(`read about topic ${this.#prefix}${topic}`, error);
      }
    }
    throw new PipelineError('log_unavailable', `topic ${this.#prefix}${topic} does not exist`, { retriable: false });
  }
}
