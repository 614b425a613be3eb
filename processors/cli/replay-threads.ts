import { Worker } from 'node:worker_threads';
import type { Definitions } from '../core/definitions.ts';
import { ByteWriter } from '../core/packing.ts';
import type { InProcess } from '../runtime/in-process.ts';
import type { Meter } from '../runtime/meter.ts';
import type { OutgoingRecord } from '../runtime/ports.ts';
import type { FoldedLines, FoldOptions } from './replay-chain.ts';
import { TRAITS, type ReplaySink } from './replay-output.ts';
import { packRecord, unpackRecords } from './replay-records.ts';

/** How many messages are on their way to, or wait in, another thread. */
export const IN_FLIGHT = 4;
/** Outputs are handed over in parcels of about so many bytes. */
const PARCEL_BYTES = 256 * 1024;

export interface DoorTask {
  readonly file: string;
  readonly definitions: Definitions;
  readonly until: number | null;
}

/** What the thread that reads says: what the stateless processors made of some lines, and last what it read in all. */
export type DoorReport =
  | {
      readonly records: Uint8Array;
      /** Lines read so far. */
      readonly lines: number;
      readonly refused: readonly (readonly [line: number, fault: string])[];
      readonly outcomes: readonly Parameters<Meter['outcome']>[];
    }
  | { readonly folded: FoldedLines };

export interface OutputTask {
  readonly folder: string;
  readonly topics: readonly string[];
}

/** What the thread that writes is told. */
export type OutputOrder =
  { readonly records: Uint8Array; readonly profiles: Uint8Array } | { readonly summary: object };

/** As `foldLines`, of which another thread does the first half, some blocks ahead; `chain` goes on from there. */
export async function readInThread(
  task: DoorTask,
  chain: InProcess,
  meter: Meter,
  { folded, refused }: FoldOptions,
): Promise<FoldedLines> {
  await using thread = new Thread<DoorReport>('./replay-door-thread.ts', task);
  for (;;) {
    const report = await thread.next();
    if ('folded' in report) return report.folded;
    thread.post(null);
    for (const counted of report.outcomes) meter.outcome(...counted);
    for (const [line, fault] of report.refused) refused(line, fault);
    await chain.goOn([...unpackRecords(report.records)]);
    await folded(report.lines);
  }
}

/** As `ReplayOutput`, in a thread of its own: it decodes the records, makes lines of them and writes the files. */
export class OutputInThread implements ReplaySink {
  readonly #thread: Thread<null>;
  readonly #writer = new ByteWriter(2 * PARCEL_BYTES);
  readonly #profiles = new ByteWriter(PARCEL_BYTES);
  /** Orders that it has not told of. */
  #pending = 0;

  constructor(task: OutputTask) {
    this.#thread = new Thread('./replay-output-thread.ts', task);
  }

  add(record: OutgoingRecord): void {
    packRecord(this.#writer, record);
  }

  profile(key: string, traits: Buffer): void {
    packRecord(this.#profiles, { topic: TRAITS, key: Buffer.from(key), value: traits, timestamp: 0, headers: {} });
  }

  async write(): Promise<void> {
    if (this.#writer.length + this.#profiles.length >= PARCEL_BYTES) await this.#send();
  }

  async close(summary: object): Promise<void> {
    await this.#send();
    this.#thread.post({ summary });
    this.#pending += 1;
    await this.#settle(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }

  async #send(): Promise<void> {
    const records = new Uint8Array(this.#writer.view());
    const profiles = new Uint8Array(this.#profiles.view());
    this.#thread.post({ records, profiles }, [records.buffer, profiles.buffer]);
    this.#writer.reset();
    this.#profiles.reset();
    this.#pending += 1;
    await this.#settle(IN_FLIGHT);
  }

  /** Waits until at most so many orders are not done. */
  async #settle(most: number): Promise<void> {
    for (; this.#pending > most; this.#pending--) await this.#thread.next();
  }
}

/** A thread of this folder, what it says in order, and what it failed with. */
class Thread<Message> implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #said: Message[] = [];
  #wake: (() => void) | null = null;
  #failure: Error | null = null;

  constructor(file: string, workerData: object) {
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData });
    this.#worker.on('message', (message: Message) => {
      this.#said.push(message);
      this.#wake?.();
    });
    const fail = (error: Error): void => {
      this.#failure ??= error;
      this.#wake?.();
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', (code) => fail(new Error(`${file} ended with ${code}`)));
  }

  post(message: object | null, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** What it says next; rejects with what it failed with. */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#said.shift();
      if (message !== undefined) return message;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
