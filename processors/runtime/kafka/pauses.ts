import type { Consumer } from 'kafkajs';
import type { TopicPartition } from '../ports.ts';

const nameOf = (at: TopicPartition): string => `${at.topic}/${at.partition}`;

/**
 * Which partitions are not fetched: those the handler paused, and those that rest for a moment because their records were
 * asked for again. kafkajs knows one kind of pause only.
 */
export class Pauses {
  readonly #consumer: Consumer;
  readonly #prefix: string;
  readonly #byHandler = new Map<string, TopicPartition>();
  readonly #resting = new Map<string, NodeJS.Timeout>();

  constructor(consumer: Consumer, prefix: string) {
    this.#consumer = consumer;
    this.#prefix = prefix;
  }

  has(at: TopicPartition): boolean {
    return this.#byHandler.has(nameOf(at));
  }

  pause(at: TopicPartition): void {
    this.#byHandler.set(nameOf(at), at);
    this.#consumer.pause([this.#named(at)]);
  }

  resume(at: TopicPartition): void {
    this.#byHandler.delete(nameOf(at));
    if (!this.#resting.has(nameOf(at))) this.#consumer.resume([this.#named(at)]);
  }

  /** Remembers what the handler wants while kafkajs takes no orders, for `repeat`. */
  note(at: TopicPartition, isPaused: boolean): void {
    if (isPaused) this.#byHandler.set(nameOf(at), at);
    else this.#byHandler.delete(nameOf(at));
  }

  /** Tells a consumer that began anew what the handler paused. */
  repeat(): void {
    for (const at of this.#byHandler.values()) this.#consumer.pause([this.#named(at)]);
  }

  /** Fetches nothing of the partition for `milliseconds`, without holding up the others. */
  rest(at: TopicPartition, milliseconds: number): void {
    const name = nameOf(at);
    clearTimeout(this.#resting.get(name));
    this.#consumer.pause([this.#named(at)]);
    const wakeUp = setTimeout(() => {
      this.#resting.delete(name);
      if (!this.#byHandler.has(name)) this.#consumer.resume([this.#named(at)]);
    }, milliseconds);
    this.#resting.set(name, wakeUp);
  }

  /** Wakes nothing up any more: kafkajs throws when a stopped consumer is resumed. */
  stop(): void {
    for (const timer of this.#resting.values()) clearTimeout(timer);
    this.#resting.clear();
  }

  #named({ topic, partition }: TopicPartition): { topic: string; partitions: number[] } {
    return { topic: this.#prefix + topic, partitions: [partition] };
  }
}
