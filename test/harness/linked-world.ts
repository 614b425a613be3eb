import { createProcessors, encodedTopics, topicDirectory } from '../../processors/catalog.ts';
import type { Definitions } from '../../processors/core/definitions.ts';
import { PipelineError } from '../../processors/core/errors.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import type { AnyStateful, Instant, Processor, StatelessProcessor } from '../../processors/core/processor.ts';
import type { CustomerProcessor } from '../../processors/customer/processor.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import { embedServices, type EmbeddedServices } from '../../processors/runtime/embed.ts';
import { flushAll, flushOnce } from '../../processors/runtime/flush.ts';
import { ownPartition, type OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import { partitionOfKey } from '../../processors/runtime/partitioner.ts';
import { storeName, type PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { Emitter, EventLog, Journal, LogRecord, OutgoingRecord, Store } from '../../processors/runtime/ports.ts';
import { FIRST_EPOCH, isRepeat, parsePosition } from '../../processors/runtime/position.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { runStateless } from '../../processors/runtime/run-stateless.ts';
import { SaidLately } from '../../processors/runtime/said-lately.ts';
import { newSweep, sweepBlock } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import type { Command, Interaction } from '../../schemas/types.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { LIMITS, memoryPorts, RecordingMeter } from './runtime-fixture.ts';

const INPUTS = ['interactions.v1', 'commands.v1'] as const;
const EVENTS = 'customer-events.v1';
const noHeartbeat = async (): Promise<void> => undefined;

export interface WorldOptions {
  readonly definitions: Definitions;
  readonly partitions: number;
  /** 0 ≤ x < 1: decides which partition folds how much next, what is delivered again, and what fails. */
  readonly random: () => number;
  /** The probability that a write or a send fails, before or after it took effect. */
  readonly faults?: number;
}

/**
 * Intake and customers over several partitions in memory, by the very runtime, folded in an order that chance decides: batches
 * of any size, delivered again, with crashes that lose everything a process remembers, and answers lost on their way.
 */
export class LinkedWorld {
  readonly meter = new RecordingMeter();
  /** By topic: everything published, by partition and as it arrived, repeats included. */
  readonly #topics = new Map<string, LogRecord[][]>();
  readonly #options: WorldOptions;
  readonly #services: EmbeddedServices;
  readonly #intake: StatelessProcessor;
  readonly customer: CustomerProcessor;
  readonly #committed = new Map<string, number>();
  #owned: OwnedPartition[] = [];
  #said = new SaidLately();
  #ports: PipelinePorts;
  #trouble = true;

  private constructor(options: WorldOptions, services: EmbeddedServices) {
    const processors = processorsOf(options.definitions);
    this.#options = options;
    this.#services = services;
    this.#intake = processors.find(({ name }) => name === 'intake') as StatelessProcessor;
    this.customer = processors.find(({ name }) => name === 'customer') as AnyStateful as CustomerProcessor;
    this.#ports = this.#newPorts();
    this.restart();
  }

  static async open(options: WorldOptions): Promise<LinkedWorld> {
    const services = await embedServices({ topics: TOPICS, partitions: 1, clock: { now: () => 0 }, keepRecords: 0 });
    await services.codec.prepare([...INPUTS, ...encodedTopics(processorsOf(options.definitions))]);
    return new LinkedWorld(options, services);
  }

  tell(interaction: Interaction, timestamp: Instant): void {
    this.#append(INPUTS[0], interaction.eventId, interaction, timestamp);
  }

  command(command: Command): void {
    this.#append(INPUTS[1], command.commandId, command, command.issuedAt);
  }

  /** A new process, which knows nothing but what the log and the store hold. */
  restart(): void {
    this.#said = new SaidLately();
    this.#ports = this.#newPorts();
    this.#owned = Array.from({ length: this.#options.partitions }, (_each, partition) => {
      const owned = ownPartition(this.customer, { topic: EVENTS, partition });
      this.#ports.owned.add(owned);
      return owned;
    });
  }

  /** Folds everything, in whatever order. */
  async drain(): Promise<void> {
    const { random, partitions } = this.#options;
    while (!this.#isDrained()) {
      const partition = Math.floor(random() * partitions);
      try {
        const dice = random();
        if (dice < 0.3) await this.#foldInput(random() < 0.1 ? INPUTS[1] : INPUTS[0], partition);
        else if (dice < 0.95) await this.#foldCustomers(partition);
        else if (this.#fails(0.5)) this.restart();
        else await this.#flushSome(partition);
      } catch (error) {
        if (!(error instanceof PipelineError) || !error.retriable) throw error;
        if (random() < 0.5) this.restart();
        else for (const owned of this.#owned) owned.mustTakeOver = true;
      }
    }
  }

  /** Lets time pass up to `until` everywhere, and stores everything. Nothing fails any more. */
  async end(until: Instant): Promise<void> {
    this.#trouble = false;
    for (const owned of this.#owned) {
      if (owned.mustTakeOver) await takeOver(owned, this.#ports);
      const cursor = newSweep();
      while (await sweepBlock(owned, until, cursor, this.#ports, noHeartbeat));
      await flushAll(owned, this.#ports);
    }
  }

  /** Every stored customer, by key. */
  states(): Map<string, CustomerState> {
    const stored = [...this.#services.store.documents(storeName(this.customer)).all()];
    stored.sort((a, b) => (a.key < b.key ? -1 : 1));
    return new Map(stored.map(({ key, state }) => [key, this.customer.state.unpack(new ByteReader(state))]));
  }

  /** What was published to a topic, repeats dropped by their position, in order within each key. */
  published(topic: string): { readonly key: string; readonly value: object | null; readonly timestamp: Instant }[] {
    const lines = [];
    for (const records of this.#topics.get(topic) ?? []) {
      const last = new Map<string, { n: number; index: number }>();
      for (const { key, value, timestamp, headers } of records) {
        const position = parsePosition(headers['position']);
        if (position === null) throw new Error(`${topic}: a record without a position`);
        if (isRepeat(last.get(position.source), position)) continue;
        last.set(position.source, position);
        const decoded = value === null ? null : this.#services.codec.decode(topic, value);
        if (typeof decoded === 'string') throw new Error(decoded);
        lines.push({ key: key?.toString() ?? '', value: decoded, timestamp });
      }
    }
    return lines;
  }

  #append(topic: string, key: string, value: object, timestamp: Instant): void {
    const record = { topic, key: Buffer.from(key), value: this.#services.codec.encode(topic, value), timestamp };
    this.#arrive({ ...record, headers: {} });
  }

  #arrive({ topic, key, value, timestamp, headers }: OutgoingRecord): void {
    const partition = partitionOfKey(key ?? Buffer.alloc(0), this.#options.partitions);
    const records = this.#records(topic, partition);
    const texts = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
    records.push({ offset: records.length, key, value, timestamp, headers: Object.fromEntries(texts) });
  }

  #records(topic: string, partition: number): LogRecord[] {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = Array.from({ length: this.#options.partitions }, () => []);
      this.#topics.set(topic, partitions);
    }
    return partitions[partition] ?? [];
  }

  #isDrained(): boolean {
    const partitions = Array.from({ length: this.#options.partitions }, (_each, partition) => partition);
    return partitions.every(
      (partition) =>
        INPUTS.every((topic) => this.#next(topic, partition) === this.#records(topic, partition).length) &&
        this.#owned[partition]?.mustTakeOver === false &&
        this.#owned[partition].next === this.#records(EVENTS, partition).length,
    );
  }

  #next(topic: string, partition: number): number {
    return this.#committed.get(`${topic}/${partition}`) ?? 0;
  }

  /** Some records from `next` on, often with a few before it once more. */
  #batch(topic: string, partition: number, next: number) {
    const { random } = this.#options;
    const all = this.#records(topic, partition);
    const from = Math.max(0, next - (random() < 0.2 ? Math.floor(random() * 4) : 0));
    const records = all.slice(from, next + 1 + Math.floor(random() ** 2 * 40));
    return { topic, partition, records, next: (records.at(-1)?.offset ?? -1) + 1, logEnd: all.length };
  }

  async #foldInput(topic: (typeof INPUTS)[number], partition: number): Promise<void> {
    const batch = this.#batch(topic, partition, this.#next(topic, partition));
    if (batch.next <= this.#next(topic, partition)) return;
    await runStateless(this.#intake, batch, this.#ports, FIRST_EPOCH, this.#said);
    // A commit that was lost lets the batch come again.
    if (!this.#fails()) this.#committed.set(`${topic}/${partition}`, batch.next);
  }

  async #foldCustomers(partition: number): Promise<void> {
    const owned = this.#owned[partition];
    if (owned === undefined) return;
    if (owned.mustTakeOver) await takeOver(owned, this.#ports);
    const batch = this.#batch(EVENTS, partition, owned.next);
    if (batch.next > owned.next) await runBatch(owned, batch, this.#ports, noHeartbeat);
  }

  async #flushSome(partition: number): Promise<void> {
    const owned = this.#owned[partition];
    if (owned !== undefined && !owned.mustTakeOver) await flushOnce(owned, this.#ports, 'all');
  }

  #fails(chance = this.#options.faults ?? 0): boolean {
    return this.#trouble && (this.#options.faults ?? 0) > 0 && this.#options.random() < chance;
  }

  #newPorts(): PipelinePorts {
    const { codec, store } = this.#services;
    return memoryPorts({
      log: this.#log(),
      emitter: this.#emitter(),
      store: this.#flaky(store),
      codec,
      meter: this.meter,
      topics: topicDirectory,
      // Few enough that customers are forgotten and read again all the time.
      limits: { ...LIMITS, cachedKeysMax: 8 },
      owned: new Set(),
    });
  }

  #emitter(): Emitter {
    return {
      send: async (records) => {
        const arriving = this.#fails() ? Math.floor(this.#options.random() * records.length) : records.length;
        for (const record of records.slice(0, arriving)) this.#arrive(record);
        if (arriving < records.length || this.#fails()) throw lost('log_unavailable');
      },
      close: async () => undefined,
    };
  }

  #flaky(store: Store): Store {
    const wrap = (journal: Journal): Journal => ({
      headers: (at) => journal.headers(at),
      blocks: (at, from, to) => journal.blocks(at, from, to),
      ledgers: (at, from, to) => journal.ledgers(at, from, to),
      write: async (at, block) => {
        if (this.#fails()) throw lost('store_unavailable');
        await journal.write(at, block);
        if (this.#fails()) throw lost('store_unavailable');
      },
    });
    return {
      journal: (name) => wrap(store.journal(name)),
      documents: (name) => store.documents(name),
      inputMarks: (name) => store.inputMarks(name),
      generations: store.generations,
      marks: store.marks,
      ping: () => store.ping(),
      close: () => store.close(),
    };
  }

  #log(): EventLog {
    const ranges = (topic: string) =>
      Array.from({ length: this.#options.partitions }, (_each, partition) => ({
        partition,
        start: 0,
        end: this.#records(topic, partition).length,
      }));
    return {
      // Only for a look at whether the log still holds some record: each partition is given from where it is sought.
      join: async (_group, [topic = ''], handler) => {
        const from = new Map<number, number>();
        setImmediate(() => {
          handler.assigned(ranges(topic).map(({ partition }) => ({ topic, partition })));
          for (const { partition, end } of ranges(topic)) {
            const records = this.#records(topic, partition).slice(from.get(partition));
            void handler.onBatch({ topic, partition, records, next: end, logEnd: end }, noHeartbeat);
          }
        });
        return {
          seek: ({ partition }, offset) => void from.set(partition, offset),
          commit: async () => undefined,
          pause: () => undefined,
          resume: () => undefined,
          leave: async () => undefined,
        };
      },
      ranges: async (topic) => ranges(topic),
      offsetsAt: async (topic) => ranges(topic).map(({ partition, end }) => ({ partition, offset: end })),
      committed: async (_group, topic) =>
        ranges(topic).map(({ partition }) => ({ partition, offset: null, metadata: '' })),
      members: async () => 1,
      deleteBefore: async () => undefined,
      close: async () => undefined,
    };
  }
}

// To make them takes longer than a test does.
const made = new WeakMap<Definitions, readonly Processor[]>();

function processorsOf(definitions: Definitions): readonly Processor[] {
  const known = made.get(definitions) ?? createProcessors(definitions);
  made.set(definitions, known);
  return known;
}

function lost(code: 'log_unavailable' | 'store_unavailable'): PipelineError {
  return new PipelineError(code, 'the answer was lost', { retriable: true });
}
