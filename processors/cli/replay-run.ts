import type { Definitions } from '../core/definitions.ts';
import type { Processor } from '../core/processor.ts';
import type { CustomerProcessor } from '../customer/processor.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { BLOCK_LINES, foldLines, openReplayChain } from './replay-chain.ts';
import { openInput } from './replay-input.ts';
import { ReplayOutput } from './replay-output.ts';

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
  const meter = new OutcomeMeter();
  await using world = await openReplayChain(options.definitions, meter, (record) => {
    output.add(record);
  });
  const { services, processors, chain } = world;
  await using output = new ReplayOutput(options.to, services.codec);
  const topics = endTopics(processors);
  await output.open(topics);

  const { latest, ...counts } = await foldLines(world, input, {
    until: options.until,
    folded: async (lines) => {
      await output.write();
      options.progress?.(lines);
    },
    refused: (line, fault) => options.refused?.(line, fault),
  });

  const until = options.until ?? latest;
  await chain.end(until);
  let customers = 0;
  for (const processor of processors) {
    if (processor.kind !== 'stateful') continue;
    const keys = chain.keys(processor, services.store.documents(storeName(processor)).keys());
    await chain.publishHeld(processor, keys, until);
    if (!isCustomer(processor)) continue;
    customers = keys.length;
    for await (const { key, state } of chain.states(processor, keys)) {
      // A key of this processor has a state of this processor.
      output.profile(key, processor.profileView(state as Parameters<typeof processor.profileView>[0], until));
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

/** The summary's fields in the order in which they are written. */
function orderSummary(summary: ReplaySummary): ReplaySummary {
  const { records, applied, skipped, rejected, outputs, customers, afterUntil } = summary;
  return { records, applied, skipped, rejected, outputs, customers, afterUntil };
}
