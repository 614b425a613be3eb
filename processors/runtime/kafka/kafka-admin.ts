import type { Admin } from 'kafkajs';
import type { KafkaClient } from './kafka-client.ts';
import { toPipelineError } from './kafka-errors.ts';

/** One admin client for everything that asks the cluster, connected when first needed. */
export class KafkaAdmin {
  readonly #client: KafkaClient;
  #admin: Promise<Admin> | undefined;

  constructor(client: KafkaClient) {
    this.#client = client;
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
    const admin = this.#client.prompt.admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      this.#admin = undefined;
      // Were its own failure thrown from here, nobody would learn why the brokers could not be reached.
      await admin.disconnect().catch(() => undefined);
      throw toPipelineError('reach the brokers', error);
    }
  }
}
