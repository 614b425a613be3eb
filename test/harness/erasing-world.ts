import { carryOut, type EraseOptions } from '../../processors/cli/erase-work.ts';
import { scanStores, scanTopics } from '../../processors/cli/erasure-scan.ts';
import { Sought } from '../../processors/cli/erasure-subjects.ts';
import type { ErasureWorld } from '../../processors/cli/erasure-world.ts';
import { createProcessors, encodedTopics, topicDirectory } from '../../processors/catalog.ts';
import type { CustomerProcessor } from '../../processors/customer/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { consume } from '../../processors/runtime/consume.ts';
import type { Consumption } from '../../processors/runtime/consumption.ts';
import { embedServices, type EmbeddedServices } from '../../processors/runtime/embed.ts';
import type { ErasureReceipt, ErasureStore } from '../../processors/runtime/erasure-store.ts';
import { createMemoryErasures } from '../../processors/runtime/memory/erasure-store.ts';
import type { Emitter, StoredState } from '../../processors/runtime/ports.ts';
import { ownGoals, upstreamLag } from '../../processors/runtime/upstream.ts';
import type { Command, Interaction } from '../../schemas/types.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { interaction } from '../processors/intake-fixture.ts';
import { LIMITS, memoryPorts } from './runtime-fixture.ts';
import { waitUntil } from './wait-until.ts';

export const ERASURE_KEY = 'what-receipts-are-hashed-with-0001';
const SOON = { withinMs: 20_000 };
const definitions = await loadDefinitions(shippedDefinitions);

/** The whole pipeline in memory, at work, and what the commands about erasures need of it. */
export class ErasingWorld implements ErasureWorld {
  readonly processors = createProcessors(definitions);
  readonly customer: CustomerProcessor;
  readonly erasures: ErasureStore;
  readonly forgotten: string[] = [];
  /** Before anything is sent by the commands: what else happens just then. */
  beforeOrder: () => Promise<void> = () => Promise.resolve();
  readonly #services: EmbeddedServices;
  readonly #members = new Map<string, Consumption>();
  #told = 0;

  private constructor(services: EmbeddedServices) {
    this.#services = services;
    this.customer = this.processors.find(({ name }) => name === 'customer') as unknown as CustomerProcessor;
    this.erasures = createMemoryErasures(services.store);
  }

  /** `names`: the processors that are at work. */
  static async open(names = ['intake', 'customer', 'touchpoint', 'brand', 'experiment']): Promise<ErasingWorld> {
    const options = { topics: TOPICS, partitions: 3, clock: { now: Date.now }, keepRecords: Number.POSITIVE_INFINITY };
    const services = await embedServices(options);
    const world = new ErasingWorld(services);
    await services.codec.prepare(['interactions.v1', 'commands.v1', ...encodedTopics(world.processors)]);
    for (const name of names) await world.start(name);
    return world;
  }

  get log() {
    return this.#services.log;
  }
  get codec() {
    return this.#services.codec;
  }
  get store() {
    return this.#services.store;
  }
  get emitter(): Emitter {
    return {
      send: async (records) => {
        await this.beforeOrder();
        await this.#services.emitter.send(records);
      },
      close: async () => undefined,
    };
  }

  async start(name: string): Promise<void> {
    const processor = this.processors.find((each) => each.name === name);
    if (processor === undefined) throw new Error(`no processor ${name}`);
    const { log, emitter, store, codec } = this.#services;
    const limits = { ...LIMITS, dirtyMsMax: 20 };
    const ports = { log, emitter, store, codec, topics: topicDirectory, limits, clock: { now: Date.now } };
    this.#members.set(name, await consume(processor, memoryPorts(ports)));
  }

  async stop(name: string): Promise<void> {
    await this.#members.get(name)?.stop();
    this.#members.delete(name);
  }

  /** One after the other, each a millisecond later. */
  async tell(at: number, ...changes: readonly Partial<Interaction>[]): Promise<void> {
    const topic = 'interactions.v1';
    const records = changes.map((change, index) => {
      const occurredAt = at + index;
      const value = interaction({ brandId: 'demo', eventId: `e-${this.#told++}`, userId: null, occurredAt, ...change });
      const key = Buffer.from(value.userId ?? value.anonymousId ?? '');
      return { topic, key, value: this.codec.encode(topic, value), timestamp: occurredAt, headers: {} };
    });
    await this.#services.emitter.send(records);
  }

  async command(change: Partial<Command>): Promise<void> {
    const topic = 'commands.v1';
    const own = { commandId: `c-${this.#told++}`, brandId: 'demo', issuedAt: Date.now(), issuedBy: 'mika' };
    const command = { ...own, kind: 'UNKNOWN', subject: null, target: null, reason: null, ...change };
    const key = Buffer.from(`demo|${change.subject ?? ''}`);
    const value = this.codec.encode(topic, command);
    await this.#services.emitter.send([{ topic, key, value, timestamp: own.issuedAt, headers: {} }]);
  }

  /** A record that is not encoded: what a topic gets from whoever does not know its schema. */
  async put(topic: string, key: string, value: Buffer): Promise<void> {
    await this.#services.emitter.send([{ topic, key: Buffer.from(key), value, timestamp: Date.now(), headers: {} }]);
  }

  /** Until whoever is at work has folded everything. */
  async settled(): Promise<void> {
    const lag = async (): Promise<boolean> => {
      for (const processor of this.processors.filter(({ name }) => this.#members.has(name))) {
        if ((await upstreamLag(this.log, await ownGoals(this.log, processor))) !== null) return true;
      }
      return false;
    };
    // What one folds another may have to fold.
    await waitUntil('everything is folded', async () => ((await lag()) || (await lag()) ? undefined : true), SOON);
  }

  async erase(subjects: readonly string[], options: Partial<EraseOptions> = {}): Promise<ErasureReceipt> {
    const { receipt } = await carryOut(this, 'demo', subjects, {
      ...{ erasureKey: ERASURE_KEY, by: 'mika', note: '', timeoutMs: 10_000, now: Date.now },
      ...{ progress: () => undefined, ...options },
    });
    return receipt;
  }

  /** What is found of these in journals and documents, and in the topics, by place; nothing where nothing is. */
  async found(
    ...subjects: readonly string[]
  ): Promise<{ stores: Record<string, number>; topics: Record<string, number> }> {
    const sought = new Sought('demo', subjects);
    const told = (places: readonly { readonly name: string; readonly found: number }[]): Record<string, number> =>
      Object.fromEntries(places.filter(({ found }) => found > 0).map(({ name, found }) => [name, found]));
    const settings = { purgeAfterMs: null, now: Date.now() };
    const topics = await scanTopics(this, sought, settings, () => undefined);
    return { stores: told(await scanStores(this, sought, () => undefined)), topics: told(topics) };
  }

  async *states(processor: string, prefix: string): AsyncIterable<StoredState> {
    for await (const key of this.erasures.keys(processor, prefix)) {
      yield* await this.store.documents(processor).load([key]);
    }
  }

  async forgetGroup(group: string): Promise<void> {
    this.forgotten.push(group);
  }

  async settings(): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const of = (cleanup: string) => new Map([['cleanup.policy', cleanup]]);
    return new Map(TOPICS.map(({ name, cleanup }) => [name, of(cleanup)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#members.keys()]) await this.stop(name);
    await this.#services[Symbol.asyncDispose]();
  }
}
