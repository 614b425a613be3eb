import { createProcessors, encodedTopics, topicDirectory } from '../../processors/catalog.ts';
import { subjectKey } from '../../processors/core/identity.ts';
import type { AnyStateful, StatelessProcessor } from '../../processors/core/processor.ts';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import { embedServices } from '../../processors/runtime/embed.ts';
import { flushOnce } from '../../processors/runtime/flush.ts';
import { ownPartition } from '../../processors/runtime/owned-partition.ts';
import { partitionOfKey } from '../../processors/runtime/partitioner.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import { FIRST_EPOCH } from '../../processors/runtime/position.ts';
import type { LogRecord, Store } from '../../processors/runtime/ports.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { runStateless } from '../../processors/runtime/run-stateless.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { FixedLog, memoryPorts } from '../harness/runtime-fixture.ts';
import { answer } from './child-process.ts';
import { interleavedSessions, type SessionEvents } from './events.ts';

export interface FoldTask {
  readonly processor: 'customer' | 'intake';
  readonly definitions: string;
  readonly sessions: SessionEvents;
}

export interface FoldReport {
  readonly cpuMicrosPerEvent: number;
  /** Of the later half alone: what is compiled by then stays so, and most customers were seen before. */
  readonly laterCpuMicrosPerEvent: number;
  readonly outputsPerEvent: number;
  readonly documentsPerEvent: number;
}

const PARTITIONS = 4;
/** As many as a fetch brings in the stage. */
const BATCH_RECORDS = 1_667;
/** So many events are made and encoded at a time, off the clock. */
const CHUNK_EVENTS = 4 * PARTITIONS * BATCH_RECORDS;

/** The fold alone: codec, processor and runtime, on a world that takes everything and does nothing. */
answer(async ({ processor: name, definitions: folder, sessions }: FoldTask): Promise<FoldReport> => {
  const clock = { now: Date.now };
  await using services = await embedServices({ topics: TOPICS, partitions: 1, clock, keepRecords: 0 });
  const processors = createProcessors(await loadDefinitions(folder));
  const processor = processors.find((each) => each.name === name);
  if (processor === undefined) throw new Error(`no processor ${name}`);
  const [input = ''] = processor.inputs;
  await services.codec.prepare([input, ...encodedTopics(processors)]);
  const counts = { outputs: 0, documents: 0 };
  const ports = memoryPorts({
    codec: services.codec,
    clock,
    log: new FixedLog(),
    store: forgetfulStore(counts),
    emitter: {
      send: async (records) => {
        counts.outputs += records.length;
      },
      close: async () => undefined,
    },
    topics: topicDirectory,
  });
  const fold =
    processor.kind === 'stateful'
      ? await statefulFold(processor, input, ports)
      : statelessFold(processor, input, ports);

  const spent: number[] = [];
  for (const chunk of chunksOf(sessions, (event, subject) =>
    services.codec.encode(
      input,
      name === 'intake' ? event : { brandId: event.brandId, subject, kind: 'INTERACTION', interaction: event },
    ),
  )) {
    const before = process.cpuUsage();
    await fold(chunk);
    const { user, system } = process.cpuUsage(before);
    spent.push(user + system);
  }
  const later = spent.slice(Math.floor(spent.length / 2));
  const laterEvents = sessions.events - (spent.length - later.length) * CHUNK_EVENTS;
  return {
    cpuMicrosPerEvent: sum(spent) / sessions.events,
    laterCpuMicrosPerEvent: sum(later) / laterEvents,
    outputsPerEvent: counts.outputs / sessions.events,
    documentsPerEvent: counts.documents / sessions.events,
  };
});

type Chunk = readonly (readonly LogRecord[])[];

/** Batches as they come off a fetch, partition by partition. */
function* chunksOf(
  sessions: SessionEvents,
  encode: (
    event: ReturnType<typeof interleavedSessions> extends Generator<infer Event> ? Event : never,
    subject: string,
  ) => Buffer,
): Generator<Chunk> {
  const nexts = new Array<number>(PARTITIONS).fill(0);
  let records: LogRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  let count = 0;
  for (const event of interleavedSessions(sessions)) {
    const subject = `u:${event.userId}`;
    const key = Buffer.from(subjectKey(event.brandId, subject));
    const partition = partitionOfKey(key, PARTITIONS);
    const offset = nexts[partition] ?? 0;
    nexts[partition] = offset + 1;
    // Four sources, each of them in order in any one partition.
    const position = Buffer.from(`kizuna.intake.v1@1/interactions.v1/${count % 4}:${count}.0`);
    records[partition]?.push({
      offset,
      timestamp: event.occurredAt,
      key,
      value: encode(event, subject),
      headers: { position },
    });
    count += 1;
    if (count % CHUNK_EVENTS !== 0 && count !== sessions.events) continue;
    yield records;
    records = records.map(() => []);
  }
}

async function statefulFold(
  processor: AnyStateful,
  topic: string,
  ports: PipelinePorts,
): Promise<(chunk: Chunk) => Promise<void>> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) =>
    ownPartition(processor, { topic, partition }),
  );
  for (const partition of partitions) {
    ports.owned.add(partition);
    await takeOver(partition, { ...ports, log: committedNothing(partition.at.partition) });
  }
  return async (chunk) => {
    for (let from = 0; chunk.some((records) => records.length > from); from += BATCH_RECORDS) {
      for (const [index, partition] of partitions.entries()) {
        const records = chunk[index]?.slice(from, from + BATCH_RECORDS) ?? [];
        if (records.length === 0) continue;
        const next = (records.at(-1)?.offset ?? -1) + 1;
        await runBatch(partition, { ...partition.at, records, next, logEnd: next }, ports, async () => undefined);
        await flushOnce(partition, ports, 'idle');
      }
    }
  };
}

function statelessFold(
  processor: StatelessProcessor,
  topic: string,
  ports: PipelinePorts,
): (chunk: Chunk) => Promise<void> {
  return async (chunk) => {
    for (const [partition, all] of chunk.entries()) {
      for (let from = 0; from < all.length; from += BATCH_RECORDS) {
        const records = all.slice(from, from + BATCH_RECORDS);
        const next = (records.at(-1)?.offset ?? -1) + 1;
        await runStateless(processor, { topic, partition, records, next, logEnd: next }, ports, FIRST_EPOCH);
      }
    }
  };
}

function committedNothing(partition: number): FixedLog {
  const log = new FixedLog();
  log.commit = { partition, offset: null, metadata: '' };
  return log;
}

/** Takes everything and finds nothing: whatever is folded must stay cached. */
function forgetfulStore(counts: { documents: number }): Store {
  return {
    journal: () => ({
      headers: async () => [],
      blocks: async () => [],
      ledgers: async () => [],
      write: async () => undefined,
    }),
    documents: () => ({
      load: async () => [],
      due: async () => [],
      outdated: async () => [],
      countOutdated: async () => 0,
      store: async (writes) => {
        counts.documents += writes.length;
        return writes.map(() => true);
      },
    }),
    inputMarks: () => ({ read: async () => null, raise: async () => undefined }),
    generations: { list: async () => [], newest: async () => null, add: async () => true },
    marks: { load: async () => null, store: async () => undefined },
    ping: async () => undefined,
    close: async () => undefined,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
