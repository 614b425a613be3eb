import type { FileHandle } from 'node:fs/promises';
import { TOPICS } from '../../topics/catalog.ts';
import { createProcessors, encodedTopics, topicDirectory } from '../catalog.ts';
import type { Definitions } from '../core/definitions.ts';
import type { Instant, Processor } from '../core/processor.ts';
import { embedServices, type EmbeddedServices } from '../runtime/embed.ts';
import { InProcess } from '../runtime/in-process.ts';
import type { OwnedPartition } from '../runtime/owned-partition.ts';
import type { Meter } from '../runtime/meter.ts';
import type { LogRecord, OutgoingRecord } from '../runtime/ports.ts';
import { readInteractions, type ReplayLine } from './replay-input.ts';
import { SILENT_LOG } from './silent-log.ts';

/** Lines folded as one block. */
const BLOCK_LINES = 500;
const INPUT = 'interactions.v1';

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

/** The processors and the runtime of production over lines of a file, in memory and in record time. */
export interface ReplayChain extends AsyncDisposable {
  readonly services: EmbeddedServices;
  readonly processors: readonly Processor[];
  readonly chain: InProcess;
}

/** `part`: the processors of one kind alone; the stateless ones come first. */
export async function openReplayChain(
  definitions: Definitions,
  meter: Meter,
  onOutput: (record: OutgoingRecord) => void,
  part?: Processor['kind'],
): Promise<ReplayChain> {
  await using stack = new AsyncDisposableStack();
  const clock = { now: () => 0 };
  const services = stack.use(await embedServices({ topics: TOPICS, partitions: 1, clock, keepRecords: 0 }));
  const processors = createProcessors(definitions);
  await services.codec.prepare([INPUT, ...encodedTopics(processors)]);
  const world = { logger: SILENT_LOG, topics: topicDirectory, limits: LIMITS, owned: new Set<OwnedPartition>() };
  const own = processors.filter(({ kind }) => part === undefined || kind === part);
  const chain = new InProcess(own, { ...services, clock, meter, ...world }, onOutput);
  await chain.open();
  const opened = stack.move();
  return { services, processors, chain, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

export interface FoldOptions {
  /** Inclusive, ms since the epoch; null: everything. */
  readonly until: Instant | null;
  /** Called after each block with the lines read so far. */
  readonly folded: (lines: number) => Promise<void> | void;
  /** Called for a line that is no interaction, with its number in the file. */
  readonly refused: (line: number, fault: string) => void;
}

/** How many lines were folded, how many come after `until`, and the largest record time among those folded. */
export interface FoldedLines {
  readonly records: number;
  readonly afterUntil: number;
  readonly latest: Instant;
}

/** Folds the lines of a file in its order; the file is closed at the end. */
export async function foldLines(
  { chain, services }: ReplayChain,
  input: FileHandle,
  { until, folded, refused }: FoldOptions,
): Promise<FoldedLines> {
  const counts = { records: 0, afterUntil: 0, latest: 0 };
  let block: Omit<LogRecord, 'offset'>[] = [];
  const fold = async (): Promise<void> => {
    await chain.feed(INPUT, block);
    block = [];
    await folded(counts.records + counts.afterUntil);
  };
  const encode = (value: object): Buffer => services.codec.encode(INPUT, value);
  for await (const lines of readInteractions(input)) {
    for (const line of lines) {
      if (until !== null && line.timestamp > until) {
        counts.afterUntil += 1;
        continue;
      }
      counts.records += 1;
      counts.latest = Math.max(counts.latest, line.timestamp);
      if ('fault' in line) refused(line.number, line.fault);
      block.push(toRecord(line, encode));
      if (block.length === BLOCK_LINES) await fold();
    }
  }
  await fold();
  return counts;
}

function toRecord(line: ReplayLine, encode: (value: object) => Buffer): Omit<LogRecord, 'offset'> {
  const value = 'fault' in line ? line.bytes : encode(line.interaction);
  return { key: null, value, timestamp: line.timestamp, headers: {} };
}
