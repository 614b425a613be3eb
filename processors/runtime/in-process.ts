import type { Instant, Processor } from '../core/processor.ts';
import { flushAll, flushOnce } from './flush.ts';
import { Fold, newDraft } from './fold.ts';
import { cacheState } from './cached-keys.ts';
import { ownPartition, type OwnedPartition } from './owned-partition.ts';
import type { PipelinePorts } from './pipeline-ports.ts';
import type { Emitter, EventLog, LogRecord, OutgoingRecord, StoredState } from './ports.ts';
import { runBatch } from './run-batch.ts';
import { runStateless } from './run-stateless.ts';
import { newSweep, sweepBlock } from './sweep-due.ts';
import { takeOver } from './take-over.ts';
import { publish, withinBlock, writeBlock } from './write-block.ts';

/** How many keys one block of the end takes. */
const KEYS_PER_BLOCK = 256;
const PARTITION = 0;

/**
 * A chain of processors folded step by step in this process, without groups: one partition a topic, `record` time, the same
 * runtime. What is read by a later processor of the chain is handed on; everything else goes to `onOutput`, in order.
 * What happens depends on the input alone, so the same input gives the same output, byte for byte.
 */
export class InProcess {
  readonly #ports: PipelinePorts;
  readonly #processors: readonly Processor[];
  readonly #partitions = new Map<Processor, OwnedPartition>();
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

  /** Folds records of an input topic, one block a processor, and whatever follows from them. */
  async feed(topic: string, records: readonly Omit<LogRecord, 'offset'>[]): Promise<void> {
    for (const record of records) this.#append(topic, record);
    for (const processor of this.#processors) {
      for (const input of processor.inputs) await this.#foldWaiting(processor, input);
    }
    for (const partition of this.#partitions.values()) await flushOnce(partition, this.#ports, 'idle');
  }

  /** Lets time pass for every key up to `until`, then publishes what was held back, and stores every document. */
  async end(until: Instant): Promise<void> {
    for (const partition of this.#partitions.values()) {
      const cursor = newSweep();
      while (await sweepBlock(partition, until, cursor, this.#ports, noHeartbeat));
    }
    await this.store();
  }

  /** Stores every document. */
  async store(): Promise<void> {
    for (const partition of this.#partitions.values()) await flushAll(partition, this.#ports);
  }

  /** Publishes as of `until` what the keys of a stateful processor hold back. `documents`: all of them, in order of key. */
  async publishHeld(processor: Processor, documents: readonly StoredState[], until: Instant): Promise<void> {
    const partition = this.#partitions.get(processor);
    if (partition === undefined) return;
    const fold = new Fold(partition, this.#ports);
    for (let from = 0; from < documents.length; from += KEYS_PER_BLOCK) {
      await withinBlock(partition, async (nonce) => {
        const draft = newDraft();
        for (const stored of documents.slice(from, from + KEYS_PER_BLOCK)) {
          fold.atEnd(partition.cache.get(stored.key) ?? cacheState(partition, stored), until, draft);
        }
        if (draft.outputs.length === 0) return;
        const seq = await writeBlock(partition, draft, partition.next, nonce, this.#ports);
        await publish(partition, seq, draft.outputs, this.#ports);
      });
      await flushAll(partition, this.#ports);
    }
  }

  async #foldWaiting(processor: Processor, topic: string): Promise<void> {
    const records = this.#waiting.get(topic) ?? [];
    if (records.length === 0) return;
    this.#waiting.set(topic, []);
    const next = (records.at(-1)?.offset ?? -1) + 1;
    const batch = { topic, partition: PARTITION, records, next, logEnd: this.#ends.get(topic) ?? next };
    const partition = this.#partitions.get(processor);
    if (partition !== undefined) await runBatch(partition, batch, this.#ports, noHeartbeat);
    else if (processor.kind === 'stateless') await runStateless(processor, batch, this.#ports);
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
