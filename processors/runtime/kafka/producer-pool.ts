import { setTimeout as wait } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import type { Log } from '../ports.ts';
import type { KafkaClient } from './kafka-client.ts';

const CLOSE_WITHIN_MS = 5_000;

/**
 * Idempotent producers, each lent to one send at a time: when a request fails kafkajs rolls its sequence numbers back, and
 * a queued send would take them, which loses a batch. They connect when first needed (an idle one costs CPU), the most
 * recently used first.
 */
export class ProducerPool {
  readonly #client: KafkaClient;
  readonly #size: number;
  readonly #log: Log;
  readonly #idle: Producer[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new Set<Promise<void>>();
  #open = 0;

  constructor(client: KafkaClient, size: number, log: Log) {
    this.#client = client;
    this.#size = size;
    this.#log = log;
  }

  async lend(): Promise<Producer> {
    for (;;) {
      const producer = this.#idle.pop();
      if (producer !== undefined) return producer;
      if (this.#open < this.#size) return this.#connect();
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  giveBack(producer: Producer): void {
    this.#idle.push(producer);
    this.#waiting.shift()?.();
  }

  /** Closes a producer that failed, in the background: it may take as long as its broker is away. */
  discard(producer: Producer): void {
    this.#open--;
    this.#waiting.shift()?.();
    const closing = producer
      .disconnect()
      .catch((error: unknown) => this.#log.debug('A failed producer did not close cleanly', { error: String(error) }))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Only once nothing is lent any more. What does not close soon is left to the end of the process. */
  async close(): Promise<void> {
    for (const producer of this.#idle.splice(0)) this.discard(producer);
    await Promise.race([Promise.all(this.#closing), wait(CLOSE_WITHIN_MS, undefined, { ref: false })]);
  }

  async #connect(): Promise<Producer> {
    this.#open++;
    const producer = this.#client.prompt.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Every message names its partition, so no partitioner is ever asked; naming one keeps kafkajs quiet.
      createPartitioner: () => refuseToChoose,
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.discard(producer);
      throw error;
    }
  }
}

function refuseToChoose(): never {
  throw new Error('a message without a partition reached kafkajs');
}
