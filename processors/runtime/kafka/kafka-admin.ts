import type { Admin, Kafka } from 'kafkajs';
import { toPipelineError } from './kafka-errors.ts';

const ADMIN_RETRY = { retries: 5, initialRetryTime: 300, maxRetryTime: 5_000 };

/** One admin client for everything that asks the cluster, connected when first needed. */
export class KafkaAdmin {
  readonly #kafka: Kafka;
  #admin: Promise<Admin> | undefined;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  connected(): Promise<Admin> {
    this.#admin ??= this.#connect();
    return this.#admin;
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    // A client that never connected has nothing to close.
    await (await admin?.catch(() => undefined))?.disconnect();
  }

  async #connect(): Promise<Admin> {
    const admin = this.#kafka.admin({ retry: ADMIN_RETRY });
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      this.#admin = undefined;
      await admin.disconnect();
      throw toPipelineError('reach the brokers', error);
    }
  }
}
