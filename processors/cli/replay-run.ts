import { TOPICS } from '../../topics/catalog.ts';
import { createProcessors, encodedTopics, topicDirectory } from '../catalog.ts';
import type { Definitions } from '../core/definitions.ts';
import { ByteReader } from '../core/packing.ts';
import type { Processor } from '../core/processor.ts';
import type { CustomerProcessor } from '../customer/processor.ts';
import { embedServices } from '../runtime/embed.ts';
import { InProcess } from '../runtime/in-process.ts';
import type { OwnedPartition } from '../runtime/owned-partition.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import type { LogRecord, StoredState } from '../runtime/ports.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { openInput, readInteractions, type ReplayLine } from './replay-input.ts';
import { ReplayOutput } from './replay-output.ts';
import { SILENT_LOG } from './silent-log.ts';

/** Lines folded as one block. */
const BLOCK_LINES = 500;
const INPUT = 'interactions.v1';

export interface ReplayOptions {
  readonly file: string;
  readonly to: string;
  readonly definitions: Definitions;
  /** Inclusive, ms since the epoch; null: the largest record time. */
  readonly until: number | null;
  /** Called after each block with the lines read so far. */
  readonly progress?: (lines: number) => void;
  /** Called for a line that is no interaction, with its number in the file. */
  readonly refused?: (line: number, fault: string) => void;
}

export interface ReplaySummary {
  readonly records: number;
  readonly applied: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, number>>;
  readonly customers: number;
  readonly afterUntil: number;
}

/** Folds a file by the processors and the runtime of production, in record time, and writes everything that comes out. */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  await using input = await openInput(options.file);
  const clock = { now: () => 0 };
  await using services = await embedServices({ topics: TOPICS, partitions: 1, clock, keepRecords: 0 });
  const processors = createProcessors(options.definitions);
  await services.codec.prepare([INPUT, ...encodedTopics(processors)]);
  await using output = new ReplayOutput(options.to, services.codec);
  const topics = endTopics(processors);
  await output.open(topics);
  const meter = new OutcomeMeter();
  const ports = {
    ...services,
    clock,
    meter,
    logger: SILENT_LOG,
    topics: topicDirectory,
    limits: LIMITS,
    owned: new Set<OwnedPartition>(),
  };
  const chain = new InProcess(processors, ports, (record) => {
    output.add(record);
  });
  await chain.open();

  const counts = { records: 0, afterUntil: 0 };
  let latest = 0;
  let block: Omit<LogRecord, 'offset'>[] = [];
  const fold = async (): Promise<void> => {
    await chain.feed(INPUT, block);
    block = [];
    await output.write();
    options.progress?.(counts.records + counts.afterUntil);
  };
  for await (const line of readInteractions(input)) {
    if (options.until !== null && line.timestamp > options.until) {
      counts.afterUntil += 1;
      continue;
    }
    counts.records += 1;
    latest = Math.max(latest, line.timestamp);
    if ('fault' in line) options.refused?.(line.number, line.fault);
    block.push(toRecord(line, (value) => services.codec.encode(INPUT, value)));
    if (block.length === BLOCK_LINES) await fold();
  }
  await fold();

  const until = options.until ?? latest;
  await chain.end(until);
  let customers = 0;
  for (const processor of processors) {
    if (processor.kind !== 'stateful') continue;
    const documents = services.store.documents(storeName(processor));
    const stored = [...documents.all()].sort(byKey);
    await chain.publishHeld(processor, stored, until);
    if (!isCustomer(processor)) continue;
    customers = stored.length;
    for (const { key } of stored) {
      const [document] = await documents.load([key]);
      if (document === undefined) continue;
      output.profile(key, processor.profileView(processor.state.unpack(new ByteReader(document.state)), until));
      if (output.gathered >= BLOCK_LINES) await output.write();
    }
  }
  const outcomes = meter.finalOutcomes(processors.map(({ name }) => name));
  const outputs = Object.fromEntries(topics.map((topic) => [topic, output.counts.get(topic) ?? 0]));
  const summary = orderSummary({ ...counts, ...outcomes, outputs, customers });
  await output.close(summary);
  return summary;
}

/** The topics that come out: written by one of the processors and read by none. */
function endTopics(processors: readonly Processor[]): string[] {
  const read = new Set(processors.flatMap(({ inputs }) => inputs));
  return processors.flatMap(({ outputs }) => outputs).filter((topic) => !read.has(topic));
}

/** The processor whose documents have a profile. */
function isCustomer(processor: Processor): processor is CustomerProcessor {
  return 'profileView' in processor;
}

const MIB = 1 << 20;
/** A replay has the machine to itself: everything may be cached, and blocks are 500 lines whatever they weigh. */
const LIMITS = {
  blockBytesMax: Number.POSITIVE_INFINITY,
  ringBytesMax: 64 * MIB,
  dirtyDocumentsMax: 300_000,
  dirtyBytesMax: 256 * MIB,
  dirtyMsMax: Number.POSITIVE_INFINITY,
  cachedKeysMax: 300_000,
};

function toRecord(line: ReplayLine, encode: (value: object) => Buffer): Omit<LogRecord, 'offset'> {
  const value = 'fault' in line ? line.bytes : encode(line.interaction);
  return { key: null, value, timestamp: line.timestamp, headers: {} };
}

function byKey(a: StoredState, b: StoredState): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** The summary's fields in the order in which they are written. */
function orderSummary(summary: ReplaySummary): ReplaySummary {
  const { records, applied, skipped, rejected, outputs, customers, afterUntil } = summary;
  return { records, applied, skipped, rejected, outputs, customers, afterUntil };
}
