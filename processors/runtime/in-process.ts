import type { Instant, Processor } from '../core/processor.ts';
import { flushAll } from './flush.ts';
import { Fold, newDraft } from './fold.ts';
import { cacheState, evict } from './cached-keys.ts';
import { ownPartition, type CachedKey, type OwnedPartition } from './owned-partition.ts';
import { storeName, type PipelinePorts } from './pipeline-ports.ts';
import type { Emitter, EventLog, LogRecord, OutgoingRecord } from './ports.ts';
import { FIRST_EPOCH } from './position.ts';
import { runBatch } from './run-batch.ts';
import { runStateless } from './run-stateless.ts';
import { SaidLately } from './said-lately.ts';
import { newSweep, sweepBlock } from './sweep-due.ts';
import { takeOver } from './take-over.ts';
import { awaitRoom, publish, withinBlock, writeBlock } from './write-block.ts';

/**
 * How many keys are taken at once at the end. It decides which of what is held back shares a block, and so the positions that
 * a replay writes: another number is another output.
 */
const KEYS_AT_THE_END = 256;
const PARTITION = 0;

/**
 * A chain of processors folded step by step in this process, without groups: one partition a topic, `record` time, the same
 * runtime. What is read by a later processor of the chain, or by the same again, is handed on; everything else goes to `onOutput`, in order.
 * What happens depends on the input alone, so the same input gives the same output, byte for byte.
 */
export class InProcess {
  readonly #ports: PipelinePorts;
  readonly #processors: readonly Processor[];
  readonly #partitions = new Map<Processor, OwnedPartition>();
  readonly #said = new SaidLately();
  readonly #waiting = new Map<string, LogRecord[]>();
  readonly #ends = new Map<string, number>();

  constructor(
    processors: readonly Processor[],
    ports: Omit<PipelinePorts, 'log' | 'emitter'>,
    onOutput: (record: OutgoingRecord) => void,
  ) {
    this.#processors = processors;
    for (const topic of processors.flatMap((processor) => processor.inputs)) this.#waiting.set(topic, []);
    this.#ports = { ...ports, log: this.#log(), emitter: this.#emitter(onOutput) };
    for (const processor of processors) {
      if (processor.kind !== 'stateful') continue;
      const at = { topic: processor.inputs[0] ?? '', partition: PARTITION };
      const partition = ownPartition(processor, at);
      this.#partitions.set(processor, partition);
      this.#ports.owned.add(partition);
    }
  }

  /** Before the first batch. */
  async open(): Promise<void> {
    for (const partition of this.#partitions.values()) await takeOver(partition, this.#ports);
  }

  /**
   * Folds records of an input topic, one block a processor, and whatever follows from them. Documents are stored when a
   * bound asks for it, not behind each block: nobody reads them meanwhile.
   */
  async feed(topic: string, records: readonly Omit<LogRecord, 'offset'>[]): Promise<void> {
    for (const record of records) this.#append(topic, record);
    await this.#foldAll();
  }

  /** Goes on with what an earlier part of the chain, folded elsewhere, published. */
  async goOn(records: readonly OutgoingRecord[]): Promise<void> {
    await this.#ports.emitter.send(records);
    await this.#foldAll();
  }

  /** Lets time pass for every key up to `until`. */
  async end(until: Instant): Promise<void> {
    for (const processor of this.#processors) {
      // What an earlier one published at the end.
      for (const input of processor.inputs) while (await this.#foldWaiting(processor, input));
      const partition = this.#partitions.get(processor);
      if (partition === undefined) continue;
      const cursor = newSweep();
      while (await sweepBlock(partition, until, cursor, this.#ports, noHeartbeat));
    }
  }

  /** Stores every document, for whoever reads them from the store. */
  async store(): Promise<void> {
    for (const partition of this.#partitions.values()) await flushAll(partition, this.#ports);
  }

  /** Publishes as of `until` what `keys` of a stateful processor hold back, in this order. */
  async publishHeld(processor: Processor, keys: readonly string[], until: Instant): Promise<void> {
    const partition = this.#partitions.get(processor);
    if (partition === undefined) return;
    const fold = new Fold(partition, this.#ports);
    for (let from = 0; from < keys.length; from += KEYS_AT_THE_END) {
      await awaitRoom(partition, this.#ports, noHeartbeat);
      const block = await this.#load(partition, keys.slice(from, from + KEYS_AT_THE_END));
      await withinBlock(partition, async (nonce) => {
        const draft = newDraft();
        for (const key of block) fold.atEnd(key, until, draft);
        if (draft.outputs.length === 0) return;
        const seq = await writeBlock(partition, draft, partition, nonce, this.#ports);
        await publish(partition, seq, draft.outputs, this.#ports);
      });
    }
  }

  /** The states of `keys` of a stateful processor, in this order, as they are now. Not to be changed. */
  async *states(processor: Processor, keys: readonly string[]): AsyncGenerator<{ key: string; state: unknown }> {
    const partition = this.#partitions.get(processor);
    if (partition === undefined) return;
    for (let from = 0; from < keys.length; from += KEYS_AT_THE_END) {
      yield* await this.#load(partition, keys.slice(from, from + KEYS_AT_THE_END));
      evict(partition, this.#ports.limits.cachedKeysMax);
    }
  }

  /** Every key that a stateful processor cached or stored, in order. */
  keys(processor: Processor, stored: Iterable<string>): string[] {
    const cached = this.#partitions.get(processor)?.cache.keys() ?? [];
    return [...new Set([...stored, ...cached])].sort();
  }

  async #load(partition: OwnedPartition, names: readonly string[]): Promise<CachedKey[]> {
    const missing = names.filter((name) => !partition.cache.has(name));
    if (missing.length > 0) {
      const documents = this.#ports.store.documents(storeName(partition.processor));
      for (const stored of await documents.load(missing)) cacheState(partition, stored);
    }
    return names.flatMap((name) => partition.cache.get(name) ?? []);
  }

  async #foldAll(): Promise<void> {
    for (const processor of this.#processors) {
      for (const input of processor.inputs) {
        // What a processor writes to its own input is a block of its own behind the one it was written in.
        while (await this.#foldWaiting(processor, input));
      }
    }
  }

  /** Answers whether there was anything. */
  async #foldWaiting(processor: Processor, topic: string): Promise<boolean> {
    const records = this.#waiting.get(topic) ?? [];
    if (records.length === 0) return false;
    this.#waiting.set(topic, []);
    const next = (records.at(-1)?.offset ?? -1) + 1;
    const batch = { topic, partition: PARTITION, records, next, logEnd: this.#ends.get(topic) ?? next };
    const partition = this.#partitions.get(processor);
    if (partition !== undefined) await runBatch(partition, batch, this.#ports, noHeartbeat);
    else if (processor.kind === 'stateless') {
      await runStateless(processor, batch, this.#ports, FIRST_EPOCH, this.#said);
    }
    return true;
  }

  #append(topic: string, record: Omit<LogRecord, 'offset'>): void {
    const offset = this.#ends.get(topic) ?? 0;
    this.#ends.set(topic, offset + 1);
    this.#waiting.get(topic)?.push({ ...record, offset });
  }

  #emitter(onOutput: (record: OutgoingRecord) => void): Emitter {
    return {
      send: async (records) => {
        for (const record of records) {
          if (this.#waiting.has(record.topic)) this.#append(record.topic, record);
          else onOutput(record);
        }
      },
      close: async () => undefined,
    };
  }

  #log(): EventLog {
    const range = (topic: string): { partition: number; start: number; end: number } => {
      return { partition: PARTITION, start: 0, end: this.#ends.get(topic) ?? 0 };
    };
    return {
      join: () => Promise.reject(new Error('a chain in process has no groups')),
      ranges: async (topic) => [range(topic)],
      offsetsAt: async (topic) => [{ partition: PARTITION, offset: range(topic).end }],
      committed: async () => [],
      members: async () => 1,
      deleteBefore: async () => undefined,
      close: async () => undefined,
    };
  }
}

async function noHeartbeat(): Promise<void> {
  // Nobody waits for a heartbeat.
}
