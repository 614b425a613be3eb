import { PipelineError } from '../../processors/core/errors.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import type { AnyStateful, Instant } from '../../processors/core/processor.ts';
import { backfillBlock } from '../../processors/runtime/backfill.ts';
import { flushAll } from '../../processors/runtime/flush.ts';
import { createMemoryStore, type MemoryStore } from '../../processors/runtime/memory/store.ts';
import { ownPartition } from '../../processors/runtime/owned-partition.ts';
import { storeName, type PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { LogRecord, OutgoingRecord, Store, TopicPartition } from '../../processors/runtime/ports.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { newSweep, sweepBlock } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { logOf, noHeartbeat } from './counting-partition.ts';
import { CollectingEmitter, memoryPorts } from './runtime-fixture.ts';

/** Throws, once, at the `nth` point: one before each durable effect, and one after it, where the answer is lost. */
class Crash {
  points = 0;
  readonly #nth: number;
  constructor(nth: number) {
    this.#nth = nth;
  }
  async around<Result>(effect: () => Promise<Result>): Promise<Result> {
    this.#pass();
    const result = await effect();
    this.#pass();
    return result;
  }
  #pass(): void {
    this.points += 1;
    if (this.points === this.#nth) throw new PipelineError('store_unavailable', 'killed', { retriable: true });
  }
}

/** What is left of a world in which a processor folded everything, whatever happened on the way. */
export interface CrashedWorld {
  readonly store: MemoryStore;
  readonly sent: OutgoingRecord[];
  /** Points where it could have crashed. */
  points: number;
  crashes: number;
  /** Nobody runs with the definitions of before any more. */
  isChanged: boolean;
}

/** A stateful processor, with what it folds, up to when, and how many records at a time. */
export interface Folding {
  readonly create: () => AnyStateful;
  readonly at: TopicPartition;
  readonly records: readonly LogRecord[];
  readonly end: Instant;
  readonly batchRecords: number;
  /** Then the same processor under other definitions, until all that is stored is evaluated anew; half of it is stored when it starts. */
  readonly changed?: () => AnyStateful;
}

/** Folds everything in batches and lets time pass to the end, beginning anew as another process whenever it crashed. */
export async function foldWithCrash(folding: Folding, crashAt: number): Promise<CrashedWorld> {
  const store = createMemoryStore();
  const world: CrashedWorld = { store, sent: [], points: 0, crashes: 0, isChanged: false };
  const log = logOf(folding.records);
  const crash = new Crash(crashAt);
  for (let tries = 0; tries < 3; tries++) {
    try {
      await live(memoryPorts({ log, ...crashing(world, crash) }), folding, world);
      world.points = crash.points;
      return world;
    } catch (error) {
      if (!(error instanceof PipelineError) || !error.retriable) throw error;
      world.crashes += 1;
    }
  }
  throw new Error('crashed more than once');
}

async function live(ports: PipelinePorts, folding: Folding, world: CrashedWorld): Promise<void> {
  const { changed } = folding;
  if (!world.isChanged) await foldAll(ports, folding);
  if (changed === undefined) return;
  world.isChanged = true;
  await evaluateAnew(changed(), ports, folding);
}

async function foldAll(ports: PipelinePorts, folding: Folding): Promise<void> {
  const { create, at, records, end, batchRecords, changed } = folding;
  const partition = ownPartition(create(), at);
  ports.owned.add(partition);
  await takeOver(partition, ports);
  for (let from = 0; from < records.length; from += batchRecords) {
    const batch = records.slice(from, from + batchRecords);
    const next = from + batch.length;
    await runBatch(partition, { ...at, records: batch, next, logEnd: records.length }, ports, noHeartbeat);
    if (changed !== undefined && from < records.length / 2) await flushAll(partition, ports);
  }
  const cursor = newSweep();
  while (await sweepBlock(partition, end, cursor, ports, noHeartbeat));
  if (changed === undefined) await flushAll(partition, ports);
}

async function evaluateAnew(processor: AnyStateful, ports: PipelinePorts, { at, end }: Folding): Promise<void> {
  const partition = ownPartition(processor, at);
  ports.owned.clear();
  ports.owned.add(partition);
  await takeOver(partition, ports);
  while (!partition.backfill.isDone) {
    await backfillBlock(partition, end, ports, noHeartbeat);
    await flushAll(partition, ports);
  }
}

function crashing({ store, sent }: CrashedWorld, crash: Crash): { store: Store; emitter: CollectingEmitter } {
  const emitter = new CollectingEmitter();
  emitter.send = (records) =>
    crash.around(async () => void sent.push(...records.map((each) => ({ ...each, headers: { ...each.headers } }))));
  const journal: Store['journal'] = (name) => {
    const inner = store.journal(name);
    return {
      headers: (at) => inner.headers(at),
      blocks: (at, from, to) => inner.blocks(at, from, to),
      ledgers: (at, from, to) => inner.ledgers(at, from, to),
      write: (at, block) => crash.around(() => inner.write(at, block)),
    };
  };
  return { store: { ...store, journal }, emitter };
}

/** What a careful reader keeps, by position. */
export function uniqueByPosition(sent: readonly OutgoingRecord[]): string[] {
  const byPosition = new Map<string, string>();
  for (const { topic, key, value, timestamp, headers } of sent) {
    byPosition.set(String(headers['position']), [topic, key, timestamp, value].join(' '));
  }
  return [...byPosition.values()];
}

/** Every document, as text. */
export function documentsOf({ create }: Folding, { store }: CrashedWorld): string[] {
  const processor = create();
  return [...store.documents(storeName(processor)).all()]
    .map(({ key, due, state }) =>
      JSON.stringify([key, due, processor.state.summarize(new ByteReader(state)), state.toString('base64')]),
    )
    .sort();
}
