import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { PipelineError } from '../../core/errors.ts';
import type { GroupHandler, Membership, TopicPartition } from '../ports.ts';
import { Generations } from './generations.ts';
import type { KafkaClient } from './kafka-client.ts';
import { isCoordinatorError, isGroupError, rebalanceInProgress, toPipelineError } from './kafka-errors.ts';
import { consumerOf, type GroupToJoin } from './kafka-group.ts';
import { toLogBatch, unreadableOf } from './kafka-records.ts';
import { Pauses } from './pauses.ts';
import { Turns } from './turns.ts';

/** How long records wait that were asked for again without a pause or seek: kafkajs would fetch them in a tight loop. */
const AGAIN_AFTER_MS = 100;

/** How often a first join is tried while the coordinator gets ready, about half a minute in all. kafkajs asks only once. */
const JOINS_MAX = 60;
const JOIN_AGAIN_AFTER_MS = 500;

/** How long a member that kafkajs gave up tries to come back, once the brokers or a coordinator are lost. */
const COME_BACK_WITHIN_MS = 120_000;

/** Joins, and resolves once the first assignment is there; the handler hears of it only after that. */
export async function joinGroup(client: KafkaClient, options: GroupToJoin, handler: GroupHandler): Promise<Membership> {
  for (let tries = 1; ; tries++) {
    const member = new KafkaMember(client, options, handler);
    try {
      await member.start();
      return member;
    } catch (error) {
      if (tries === JOINS_MAX || !isCoordinatorError(error)) throw error;
    }
    await wait(JOIN_AGAIN_AFTER_MS);
  }
}

class KafkaMember implements Membership {
  readonly #consumer: Consumer;
  readonly #options: GroupToJoin;
  readonly #handler: GroupHandler;
  readonly #generations: Generations;
  readonly #pauses: Pauses;
  readonly #turns: Turns;
  readonly #inHand = new Set<Promise<void>>();
  #state: 'starting' | 'member' | 'lost' | 'leaving' | 'left' = 'starting';
  #crash: Error | undefined;
  /** Why kafkajs gave up the join under way, which ends in an event and not in a rejection. */
  #refused: PipelineError | undefined;
  #leave: Promise<void> | undefined;
  /** kafkajs has let go of the group, and may tell why much later, when its connections are closed. */
  #isStopped = false;
  /** Runs from the end of a generation until the group is joined again. */
  #overdue: NodeJS.Timeout | undefined;

  constructor(client: KafkaClient, options: GroupToJoin, handler: GroupHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#turns = new Turns(options.concurrency);
    this.#consumer = consumerOf(client, options);
    this.#generations = new Generations(this.#consumer, options.prefix, {
      assigned: (partitions) => {
        this.#assigned(partitions);
      },
      revoked: () => {
        this.#expectToJoin();
        handler.revoked();
      },
    });
    this.#pauses = new Pauses(this.#consumer, options.prefix);
    this.#consumer.on('consumer.stop', () => {
      this.#isStopped = true;
      this.#pauses.stop();
    });
    this.#consumer.on('consumer.crash', ({ payload }) => {
      this.#gaveUp(toPipelineError(this.#action, payload.error));
    });
  }

  async start(): Promise<void> {
    const { prefix, topics } = this.#options;
    try {
      await this.#consumer.connect();
      // fromBeginning also decides where kafkajs goes when an offset is out of range.
      await this.#consumer.subscribe({ topics: topics.map((topic) => prefix + topic), fromBeginning: true });
      await this.#run();
    } catch (error) {
      this.#state = 'left';
      // Why the join failed is what matters; that a broken connection does not close either says nothing more.
      await this.#consumer.disconnect().catch(() => undefined);
      throw toPipelineError(this.#action, error);
    }
    this.#state = 'member';
    this.#generations.open();
  }

  async #run(): Promise<void> {
    this.#refused = undefined;
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      // Batches must not queue inside kafkajs, where they would outlive their generation unseen: `Turns` queues them.
      partitionsConsumedConcurrently: Math.max(1, this.#options.partitions),
      eachBatch: (payload) => this.#receive(payload),
    });
    // Its events have set what TypeScript believes unset.
    const refused = this.#refused as PipelineError | undefined;
    if (refused !== undefined) throw refused;
  }

  async commit(at: TopicPartition, offset: number, metadata: string): Promise<void> {
    // kafkajs answers a commit of a stopped consumer with success, and a broker takes one for another member's partition.
    const isStopped = this.#crash !== undefined || this.#state === 'left' || this.#state === 'lost';
    if (isStopped || !this.#generations.owns(at)) {
      throw new PipelineError('rebalancing', `${at.topic}/${at.partition} is not this member's`, { retriable: true });
    }
    const topic = this.#options.prefix + at.topic;
    try {
      await this.#consumer.commitOffsets([{ topic, partition: at.partition, offset: String(offset), metadata }]);
    } catch (error) {
      throw toPipelineError('commit', error);
    }
  }

  seek(at: TopicPartition, offset: number): void {
    // kafkajs would keep a seek for a partition of another member until that partition comes here.
    if (!this.#alive || !this.#generations.owns(at)) return;
    const topic = this.#options.prefix + at.topic;
    this.#consumer.seek({ topic, partition: at.partition, offset: String(offset) });
  }

  pause(at: TopicPartition): void {
    if (this.#alive) this.#pauses.pause(at);
    else this.#pauses.note(at, true);
  }

  resume(at: TopicPartition): void {
    if (this.#alive) this.#pauses.resume(at);
    else this.#pauses.note(at, false);
  }

  leave(): Promise<void> {
    this.#leave ??= this.#goAway();
    return this.#leave;
  }

  /** What is being tried, for an error: the whole names, as an operator would look for them. */
  get #action(): string {
    const { prefix, group, topics } = this.#options;
    return `read ${topics.map((topic) => prefix + topic).join(', ')} as group ${prefix}${group}`;
  }

  /** Whether kafkajs still takes orders: it throws when a stopped consumer is paused. */
  get #alive(): boolean {
    return this.#state === 'member' && this.#crash === undefined && !this.#isStopped;
  }

  // kafkajs commits nothing once it stops, and says nothing: the batches in hand must be done before.
  async #goAway(): Promise<void> {
    if (this.#alive) for (const at of this.#generations.owned) this.#pauses.pause(at);
    if (this.#state === 'member') this.#state = 'leaving';
    this.#pauses.stop();
    await Promise.allSettled(this.#inHand);
    this.#state = 'left';
    clearTimeout(this.#overdue);
    await this.#consumer.disconnect().catch((error: unknown) => {
      // Whom the group does not know any more has left it.
      if (!isGroupError(error)) throw toPipelineError('leave the group', error);
    });
  }

  /**
   * A crash of kafkajs: it has disconnected. What waiting can mend, as when the only broker is restarted or a coordinator is
   * not found, is no reason to end the process of a member that has joined before.
   */
  #gaveUp(error: PipelineError): void {
    this.#refused = error;
    if (this.#state !== 'member' || !error.retriable || this.#crash !== undefined) {
      if (this.#state === 'member') this.#crashed(error);
      return;
    }
    this.#state = 'lost';
    this.#pauses.stop();
    this.#generations.lose();
    void this.#comeBack(error);
  }

  /**
   * A rejoin that failed may leave kafkajs fetching without a generation, and it joins again only when it sees an error: an idle
   * member sees none, so it begins anew when no rebalance can still be under way.
   */
  #expectToJoin(): void {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const beginAnew = async (): Promise<void> => {
      if (!this.#alive) return;
      // What does not stop is closed when it comes back.
      await this.#consumer.stop().catch(() => undefined);
      this.#gaveUp(new PipelineError('log_unavailable', 'the group was not joined again', { retriable: true }));
    };
    clearTimeout(this.#overdue);
    this.#overdue = setTimeout(() => void beginAnew(), sessionTimeoutMs + rebalanceTimeoutMs).unref();
  }

  async #comeBack(reason: PipelineError): Promise<void> {
    const until = performance.now() + COME_BACK_WITHIN_MS;
    let failure = reason;
    while (this.#state === 'lost') {
      if (!failure.retriable || performance.now() > until) return this.#crashed(failure);
      await wait(JOIN_AGAIN_AFTER_MS, undefined, { ref: false });
      try {
        await this.#consumer.connect();
        await this.#run();
      } catch (error) {
        failure = toPipelineError('join again', error);
      }
    }
    // It was told to leave meanwhile: what has joined since must not stay.
    if (this.#state === 'left') await this.#consumer.disconnect().catch(() => undefined);
  }

  /** After each join: a consumer that began anew knows of no pause. */
  #assigned(partitions: readonly TopicPartition[]): void {
    this.#isStopped = false;
    clearTimeout(this.#overdue);
    if (this.#state === 'lost') {
      this.#state = 'member';
      this.#pauses.repeat();
    }
    this.#handler.assigned(partitions);
  }

  #crashed(error: PipelineError): void {
    if (this.#crash !== undefined) return;
    this.#crash = error;
    this.#pauses.stop();
    this.#handler.crashed(error);
  }

  /** One batch from kafkajs. To return without resolving its offset means: fetch these records again. */
  async #receive(payload: EachBatchPayload): Promise<void> {
    const generation = this.#generations.ofArrival();
    if (generation === null) return;
    await this.#generations.announced;
    const giveBack = await this.#turns.take();
    const folding = this.#fold(payload, generation).finally(giveBack);
    this.#inHand.add(folding);
    try {
      await folding;
    } finally {
      this.#inHand.delete(folding);
    }
  }

  async #fold(payload: EachBatchPayload, generation: number): Promise<void> {
    const { partition } = payload.batch;
    const topic = payload.batch.topic.slice(this.#options.prefix.length);
    const at = { topic, partition };
    if (!this.#alive || !this.#generations.isCurrent(generation)) return;
    // The generation is over, and yet kafkajs goes on with it: its rejoin failed. It tries again only if it sees its own error.
    if (!this.#generations.stands(generation)) throw rebalanceInProgress();
    if (payload.isStale() || this.#pauses.has(at)) return;
    const unreadable = unreadableOf(payload.batch);
    if (unreadable !== undefined) {
      this.#pauses.rest(at, AGAIN_AFTER_MS);
      return this.#handler.unreadable(at, unreadable);
    }

    let failedHeartbeat: unknown;
    const heartbeat = async (): Promise<void> => {
      if (!this.#generations.stands(generation)) {
        throw new PipelineError('rebalancing', 'the group is rebalancing', { retriable: true });
      }
      try {
        await payload.heartbeat();
      } catch (error) {
        failedHeartbeat = error;
        if (isGroupError(error)) this.#generations.lose();
        throw toPipelineError('heartbeat', error);
      }
    };
    let outcome: 'done' | 'again';
    try {
      outcome = await this.#handler.onBatch(toLogBatch(topic, payload.batch), heartbeat);
    } catch (error) {
      this.#crashed(toPipelineError('handle a batch', error));
      // Not awaited: it waits for this very batch.
      void this.#consumer.disconnect().catch(() => undefined);
      return;
    }
    // A rebalance in between has set the positions anew: they are not this batch's to move.
    if (this.#generations.isCurrent(generation)) {
      if (outcome === 'done') payload.resolveOffset(payload.batch.lastOffset());
      else if (this.#alive && !payload.isStale() && !this.#pauses.has(at)) this.#pauses.rest(at, AGAIN_AFTER_MS);
    }
    // kafkajs joins again only if it sees its own error.
    if (failedHeartbeat !== undefined) throw failedHeartbeat as Error;
  }
}
