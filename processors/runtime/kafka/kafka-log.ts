import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../../core/errors.ts';
import type { Instant } from '../../core/processor.ts';
import type { CommittedOffset, EventLog, GroupHandler, Membership, OffsetRange } from '../ports.ts';
import type { KafkaAdmin } from './kafka-admin.ts';
import type { KafkaClient } from './kafka-client.ts';
import { toPipelineError } from './kafka-errors.ts';
import type { KafkaGroupOptions } from './kafka-group.ts';
import { joinGroup } from './kafka-membership.ts';
import type { PartitionCounts } from './partition-counts.ts';

export interface KafkaLogOptions extends KafkaGroupOptions {
  /** Before the name of every topic and group. */
  readonly prefix: string;
}

/** Kafka as the event log. Owns nothing but its memberships: client and admin are closed by who made them. */
export class KafkaEventLog implements EventLog {
  readonly #client: KafkaClient;
  readonly #admin: KafkaAdmin;
  readonly #counts: PartitionCounts;
  readonly #options: KafkaLogOptions;
  readonly #memberships = new Set<Membership>();

  constructor(client: KafkaClient, admin: KafkaAdmin, counts: PartitionCounts, options: KafkaLogOptions) {
    this.#client = client;
    this.#admin = admin;
    this.#counts = counts;
    this.#options = options;
  }

  async join(group: string, topics: readonly string[], handler: GroupHandler): Promise<Membership> {
    await this.#counts.learn(topics.map((topic) => ({ topic })));
    const partitions = topics.reduce((sum, topic) => sum + this.#counts.known(topic), 0);
    const { prefix } = this.#options;
    const membership = await joinGroup(this.#client, { ...this.#options, group, topics, partitions, prefix }, handler);
    this.#memberships.add(membership);
    return membership;
  }

  async ranges(topic: string): Promise<OffsetRange[]> {
    await this.#counts.learn([{ topic }]);
    const offsets = await this.#ask(`read offsets of ${this.#options.prefix}${topic}`, (admin) =>
      admin.fetchTopicOffsets(this.#options.prefix + topic),
    );
    return this.#whole(topic, offsets)
      .map(({ partition, low, high }) => ({ partition, start: Number(low), end: Number(high) }))
      .toSorted(byPartition);
  }

  async offsetsAt(topic: string, time: Instant): Promise<{ partition: number; offset: number }[]> {
    await this.#counts.learn([{ topic }]);
    const offsets = await this.#ask(`read offsets of ${this.#options.prefix}${topic} by time`, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(this.#options.prefix + topic, time),
    );
    return this.#whole(topic, offsets)
      .map(({ partition, offset }) => ({ partition, offset: Number(offset) }))
      .toSorted(byPartition);
  }

  async committed(group: string, topic: string): Promise<CommittedOffset[]> {
    await this.#counts.learn([{ topic }]);
    const { prefix } = this.#options;
    const [answer] = await this.#ask(`read what group ${prefix}${group} committed of ${prefix}${topic}`, (admin) =>
      admin.fetchOffsets({ groupId: prefix + group, topics: [prefix + topic] }),
    );
    return this.#whole(topic, answer?.partitions ?? [])
      .map(({ partition, offset, metadata }) => {
        const at = Number(offset);
        return { partition, offset: at < 0 ? null : at, metadata: metadata ?? '' };
      })
      .toSorted(byPartition);
  }

  async members(group: string): Promise<number> {
    const { groups } = await this.#ask(`describe group ${this.#options.prefix}${group}`, (admin) =>
      admin.describeGroups([this.#options.prefix + group]),
    );
    return groups[0]?.members.length ?? 0;
  }

  async deleteBefore(topic: string, offsets: readonly { partition: number; offset: number }[]): Promise<void> {
    // Asked each time: kafkajs looks for the leaders among the topics that it knows, and warns of what is gone already.
    const ranges = await this.ranges(topic);
    const partitions: { partition: number; offset: string }[] = [];
    for (const { partition, offset } of offsets) {
      const { start, end } = ranges.find((each) => each.partition === partition) ?? { start: 0, end: -1 };
      if (offset > end) {
        const message = `could not delete records of ${topic}/${partition}: ${offset} is beyond its end`;
        throw new PipelineError('log_unavailable', message, { retriable: false });
      }
      if (offset > start) partitions.push({ partition, offset: String(offset) });
    }
    if (partitions.length === 0) return;
    await this.#ask(`delete records of ${this.#options.prefix}${topic}`, (admin) =>
      admin.deleteTopicRecords({ topic: this.#options.prefix + topic, partitions }).catch(throwFirst),
    );
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#memberships, (membership) => membership.leave()));
    this.#memberships.clear();
  }

  /** An answer without some of the partitions would pass for one about a smaller topic. */
  #whole<Row>(topic: string, rows: readonly Row[]): readonly Row[] {
    if (rows.length === this.#counts.known(topic)) return rows;
    const message = `the answer about ${topic} lacks partitions`;
    throw new PipelineError('log_unavailable', message, { retriable: true });
  }

  /**
   * Asks again for a while when the answer may be better then: leaders of a new topic, coordinators that load. Likewise
   * when kafkajs trips over itself: an older answer about metadata can take a topic from under a question about offsets.
   */
  async #ask<Answer>(action: string, question: (admin: ConnectedAdmin) => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await question(await this.#admin.connected());
      } catch (error) {
        const known = toPipelineError(action, error);
        // A question has no generation, and a TypeError comes from kafkajs: both can be asked again.
        const failure =
          known.code === 'rebalancing' || known.code === 'invariant_broken'
            ? new PipelineError('log_unavailable', known.message, { retriable: true, cause: error })
            : known;
        if (!failure.retriable || attempt >= ATTEMPTS) throw failure;
        await wait(ATTEMPT_EVERY_MS * attempt);
      }
    }
  }
}

/** kafkajs puts what a broker said about each partition beside its own error. */
function throwFirst(error: unknown): never {
  const refused: readonly { error?: unknown }[] =
    error instanceof Error && 'partitions' in error && Array.isArray(error.partitions) ? error.partitions : [];
  throw refused.find((each) => each.error !== undefined)?.error ?? error;
}

const ATTEMPTS = 5;
const ATTEMPT_EVERY_MS = 100;

type ConnectedAdmin = Awaited<ReturnType<KafkaAdmin['connected']>>;

const byPartition = (a: { readonly partition: number }, b: { readonly partition: number }): number =>
  a.partition - b.partition;
