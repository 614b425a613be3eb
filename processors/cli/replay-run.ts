import { topicOf } from '../../topics/catalog.ts';
import type { Definitions } from '../core/definitions.ts';
import type { Processor } from '../core/processor.ts';
import type { CustomerProcessor } from '../customer/processor.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { foldLines, openReplayChain, type ReplayChain } from './replay-chain.ts';
import { openInput } from './replay-input.ts';
import { ReplayOutput, TRAITS, type ReplaySink } from './replay-output.ts';
import { OutputInThread, readInThread } from './replay-threads.ts';

/** From this size on reading and writing have threads of their own: to start them takes as long as some thousand lines. */
const THREADS_FROM_BYTES = 8 << 20;
/** Profiles written at once. */
const PROFILES_AT_ONCE = 500;

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
  /** Whether reading and writing have threads of their own. Default: for a large file. What comes out is the same. */
  readonly threads?: boolean;
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
  const threads = options.threads ?? (await input.stat()).size >= THREADS_FROM_BYTES;
  const meter = new OutcomeMeter();
  const written = new Map<string, number>();
  const { definitions } = options;
  await using world = await openReplayChain(
    definitions,
    meter,
    (record) => {
      if (topicOf(record.topic).schema !== null) written.set(record.topic, (written.get(record.topic) ?? 0) + 1);
      output.add(record);
    },
    threads ? 'stateful' : undefined,
  );
  const { processors, services, chain } = world;
  const topics = endTopics(processors);
  await using output: ReplaySink = threads
    ? new OutputInThread({ folder: options.to, topics })
    : await ReplayOutput.open(options.to, topics, services.codec);
  const folding = {
    until: options.until,
    folded: async (lines: number): Promise<void> => {
      await output.write();
      options.progress?.(lines);
    },
    refused: (line: number, fault: string): void => options.refused?.(line, fault),
  };
  const read = threads
    ? readInThread({ file: options.file, definitions, until: options.until }, chain, meter, folding)
    : foldLines(world, input, folding);
  const { latest, ...counts } = await read;
  const customers = await finish(world, output, options.until ?? latest);
  const path = processors.filter((each) => each.kind === 'stateless' || isCustomer(each));
  const outcomes = meter.finalOutcomes(path.map(({ name }) => name));
  const outputs = Object.fromEntries(topics.map((topic) => [topic, written.get(topic) ?? 0]));
  const summary = orderSummary({ ...counts, ...outcomes, outputs, customers });
  await output.close(summary);
  return summary;
}

/** Lets time pass up to `until`, publishes what was held back, and adds the profiles. Answers how many customers there are. */
async function finish(
  { services, processors, chain }: ReplayChain,
  output: ReplaySink,
  until: number,
): Promise<number> {
  await chain.end(until);
  let customers = 0;
  for (const processor of processors) {
    if (processor.kind !== 'stateful') continue;
    const keys = chain.keys(processor, services.store.documents(storeName(processor)).keys());
    await chain.publishHeld(processor, keys, until);
    if (!isCustomer(processor)) continue;
    let waiting = 0;
    for await (const { key, state } of chain.states(processor, keys)) {
      // A key of this processor has a state of this processor.
      const customer = state as Parameters<typeof processor.traits>[0];
      // What is known of an identifier that is linked is in another document.
      if (processor.links(customer).redirect !== null) continue;
      customers += 1;
      output.profile(key, services.codec.encode(TRAITS, processor.traits(customer, until)));
      waiting = (waiting + 1) % PROFILES_AT_ONCE;
      if (waiting === 0) await output.write();
    }
  }
  return customers;
}

/** The topics that come out: written by one of the processors and read by none. */
function endTopics(processors: readonly Processor[]): string[] {
  const read = new Set(processors.flatMap(({ inputs }) => inputs));
  return processors.flatMap(({ outputs }) => outputs).filter((topic) => !read.has(topic));
}

/** The processor whose documents have a profile. */
function isCustomer(processor: Processor): processor is CustomerProcessor {
  return 'traits' in processor;
}

/** The summary's fields in the order in which they are written. */
function orderSummary(summary: ReplaySummary): ReplaySummary {
  const { records, applied, skipped, rejected, outputs, customers, afterUntil } = summary;
  return { records, applied, skipped, rejected, outputs, customers, afterUntil };
}
