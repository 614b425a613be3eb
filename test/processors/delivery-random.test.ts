import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { flushAll, flushOnce } from '../../processors/runtime/flush.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { ownPartition, type OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { Emitter, Journal, LogRecord, OutgoingRecord, Store } from '../../processors/runtime/ports.ts';
import { isRepeat, parsePosition } from '../../processors/runtime/position.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { newSweep, sweepBlock, type SweepCursor } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { counting, type Counted, SILENCE_MS } from '../harness/counting-processor.ts';
import { FixedLog, LIMITS, memoryPorts, numberRecord, RecordingMeter } from '../harness/runtime-fixture.ts';

/**
 * The real runtime under random crashes, rival owners, lost answers and half-sent batches: whatever happens, the documents
 * and the outputs deduplicated by position equal an offline fold of the input.
 */
const AT = { topic: 'numbers.v1', partition: 0 };
const END_MS = 1_000_000;

function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Input as a stateless upstream that crashed and repeated itself would have left it. */
function makeInput(random: () => number, count: number): LogRecord[] {
  const records: LogRecord[] = [];
  const source = 'kizuna.upstream.v1@1/origin.v1/0';
  for (let n = 0; n < count; n++) {
    const key = `b|u:${Math.floor(random() * 7)}`;
    const amount = random() < 0.05 ? 0 : random() < 0.05 ? -1 : 1 + Math.floor(random() * 9);
    const record = numberRecord(records.length, key, amount, n * 10, `${source}:${n}.0`);
    records.push(record);
    if (random() < 0.1) {
      const again = records.slice(-1 - Math.floor(random() * 3));
      for (const repeat of again) records.push({ ...repeat, offset: records.length });
    }
  }
  return records;
}

/** What must come out: a plain fold in order, every deadline at its time, repeats left out. */
function expected(records: readonly LogRecord[]): { documents: Map<string, Counted>; outputs: Map<string, string[]> } {
  const documents = new Map<string, Counted>();
  const outputs = new Map<string, string[]>();
  let last = -1;
  const collect = (
    key: string,
    applied: { outputs: readonly ({ value: object | null; timestamp: number } | null)[] },
  ): void => {
    const lines = applied.outputs.flatMap((output) =>
      output === null ? [] : [`${output.timestamp} ${JSON.stringify(output.value)}`],
    );
    outputs.set(key, [...(outputs.get(key) ?? []), ...lines]);
  };
  const due = (state: Counted, until: number): void => {
    while (state.due <= until) collect(state.key, counting.onDue(state, state.due));
  };
  for (const record of records) {
    const position = parsePosition(record.headers['position']);
    if (position === null || position.n <= last) continue;
    last = position.n;
    const key = record.key?.toString() ?? '';
    const { amount } = JSON.parse(record.value?.toString() ?? '') as { amount: number };
    if (amount < 0) {
      const known = documents.get(key);
      if (known !== undefined) due(known, record.timestamp);
      continue;
    }
    const state = documents.get(key) ?? counting.initial(key);
    documents.set(key, state);
    const now = Math.max(record.timestamp, state.clock);
    due(state, now);
    const outcome = counting.onRecord(state, { amount }, now);
    counting.advance(state, now);
    if (outcome.kind === 'apply') collect(key, outcome);
  }
  for (const state of documents.values()) due(state, END_MS);
  return { documents, outputs };
}

class World {
  readonly random: () => number;
  readonly store = createMemoryStore();
  readonly log = new FixedLog();
  readonly arrived: OutgoingRecord[] = [];
  readonly meter = new RecordingMeter();
  trouble = true;

  constructor(seed: number, records: number) {
    this.random = randomOf(seed);
    this.log.records.push(...makeInput(this.random, records / 2 + Math.floor((this.random() * records) / 2)));
  }

  ports(): PipelinePorts {
    const ports = memoryPorts({
      log: this.log,
      store: this.#flakyStore(),
      emitter: this.#flakyEmitter(),
      meter: this.meter,
      // Few enough that keys are forgotten and read again all the time.
      limits: { ...LIMITS, cachedKeysMax: 2 },
    });
    return { ...ports, clock: { now: () => END_MS } };
  }

  /** A few turns of the event loop, so that rivals interleave everywhere. */
  async #dawdle(): Promise<void> {
    for (let turns = Math.floor(this.random() * 4); turns > 0; turns--) await Promise.resolve();
    if (this.random() < 0.1) await new Promise(setImmediate);
  }

  #fails(chance: number): boolean {
    return this.trouble && this.random() < chance;
  }

  #flakyStore(): Store {
    const lost = (): never => {
      throw new PipelineError('store_unavailable', 'the answer was lost', { retriable: true });
    };
    const wrap = (journal: Journal): Journal => ({
      headers: async (at) => {
        await this.#dawdle();
        return journal.headers(at);
      },
      blocks: async (at, from, to) => {
        await this.#dawdle();
        return journal.blocks(at, from, to);
      },
      ledgers: async (at, from, to) => {
        await this.#dawdle();
        return journal.ledgers(at, from, to);
      },
      write: async (at, block) => {
        await this.#dawdle();
        if (this.#fails(0.05)) lost();
        await journal.write(at, block);
        await this.#dawdle();
        if (this.#fails(0.05)) lost();
      },
    });
    const documents = this.store.documents('counting.v1');
    return {
      journal: (name) => wrap(this.store.journal(name)),
      documents: () => ({
        load: async (keys) => {
          await this.#dawdle();
          return documents.load(keys);
        },
        due: (partition, until, after, limit) => documents.due(partition, until, after, limit),
        outdated: (...asked) => documents.outdated(...asked),
        countOutdated: (...asked) => documents.countOutdated(...asked),
        store: async (writes) => {
          await this.#dawdle();
          const answers = await documents.store(writes);
          await this.#dawdle();
          return answers.map((answer) => answer && !this.#fails(0.1));
        },
      }),
      generations: this.store.generations,
      marks: this.store.marks,
      inputMarks: (name) => this.store.inputMarks(name),
      ping: () => this.store.ping(),
      close: () => this.store.close(),
    };
  }

  #flakyEmitter(): Emitter {
    return {
      send: async (records) => {
        await this.#dawdle();
        const some = this.#fails(0.1) ? Math.floor(this.random() * records.length) : records.length;
        for (const record of records.slice(0, some)) this.arrived.push({ ...record, headers: { ...record.headers } });
        await this.#dawdle();
        if (some < records.length || this.#fails(0.05)) {
          throw new PipelineError('log_unavailable', 'the request timed out', { retriable: true });
        }
      },
      close: async () => undefined,
    };
  }
}

/** One process at work on the partition, until its luck runs out. Crash = it is simply dropped, wherever it is. */
async function live(world: World, steps: number): Promise<void> {
  const ports = world.ports();
  const partition = ownPartition(counting, AT);
  ports.owned.add(partition);
  for (let step = 0; step < steps; step++) {
    try {
      if (partition.mustTakeOver) await takeOver(partition, ports);
      await act(world, partition, ports);
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      if (error.code !== 'ownership_lost' && !error.retriable) throw error;
      partition.mustTakeOver = true;
    }
  }
}

/** The sweeps under way. */
const SWEEPS = new WeakMap<OwnedPartition, { readonly until: number; readonly cursor: SweepCursor }>();

async function act(world: World, partition: OwnedPartition, ports: PipelinePorts): Promise<void> {
  const dice = world.random();
  const from = Math.max(0, partition.next - Math.floor(world.random() * 3));
  const records = world.log.records.slice(from, partition.next + 1 + Math.floor(world.random() * 5));
  const newest = records.at(-1);
  if (dice < 0.6 && newest !== undefined && newest.offset >= partition.next) {
    const batch = { ...AT, records, next: newest.offset + 1, logEnd: world.log.records.length };
    await runBatch(partition, batch, ports, async () => undefined);
    // A commit that comes late, or not at all, is the rule.
    const { next, emittedTo } = partition;
    if (world.random() < 0.5) world.log.commit = { partition: 0, offset: next, metadata: `seq=${emittedTo}` };
  } else if (dice < 0.75) {
    // Only what is certain to have passed: a record older than the deadline may still come otherwise.
    const folded = world.log.records[partition.next - 1]?.timestamp ?? 0;
    // One that is under way may go on: batches, flushes and takes-over have come between its blocks.
    let sweep = SWEEPS.get(partition);
    if (sweep === undefined || world.random() < 0.3) {
      sweep = { until: folded, cursor: newSweep(2) };
      SWEEPS.set(partition, sweep);
    }
    const { until, cursor } = sweep;
    // What failed is begun anew, as a member does.
    SWEEPS.delete(partition);
    if (await sweepBlock(partition, until, cursor, ports, async () => undefined)) SWEEPS.set(partition, sweep);
  } else {
    const flushing = flushOnce(partition, ports, world.random() < 0.5 ? 'idle' : 'all');
    // Mostly it runs beside the batches that follow, as in production.
    if (world.random() < 0.3) await flushing;
  }
}

async function finish(world: World): Promise<void> {
  world.trouble = false;
  const ports = world.ports();
  const partition = ownPartition(counting, AT);
  ports.owned.add(partition);
  await takeOver(partition, ports);
  const records = world.log.records.slice(partition.next);
  await runBatch(
    partition,
    { ...AT, records, next: world.log.records.length, logEnd: world.log.records.length },
    ports,
    async () => undefined,
  );
  const cursor = newSweep();
  while (await sweepBlock(partition, END_MS, cursor, ports, async () => undefined));
  expect(await flushAll(partition, ports)).toBe(true);
}

/** What a reader that keeps the last position of each source makes of what arrived. */
function deduplicate(arrived: readonly OutgoingRecord[]): Map<string, string[]> {
  const outputs = new Map<string, string[]>();
  let last: { n: number; index: number } | undefined;
  for (const record of arrived) {
    const position = parsePosition(record.headers['position']);
    if (position === null) throw new Error('an output without a position');
    if (isRepeat(last, position)) continue;
    last = position;
    if (record.topic !== 'counts.v1') continue;
    const key = record.key?.toString() ?? '';
    outputs.set(key, [...(outputs.get(key) ?? []), `${record.timestamp} ${record.value?.toString() ?? ''}`]);
  }
  return outputs;
}

async function check(seed: number, records = 120, steps = 40): Promise<void> {
  const world = new World(seed, records);
  const lives = 1 + Math.floor(world.random() * 6);
  const rivals: Promise<void>[] = [];
  for (let each = 0; each < lives; each++) {
    const one = live(world, 10 + Math.floor(world.random() * steps));
    rivals.push(one);
    if (world.random() < 0.5) await one;
  }
  await Promise.all(rivals);
  await finish(world);
  const { documents, outputs } = expected(world.log.records);
  const stored = new Map<string, Counted>();
  const keys = Array.from({ length: 7 }, (_each, index) => `b|u:${index}`);
  for (const each of await world.store.documents('counting.v1').load(keys)) {
    stored.set(each.key, counting.state.unpack(new ByteReader(each.state)));
  }
  expect(stored).toEqual(documents);
  expect(deduplicate(world.arrived)).toEqual(outputs);
}

describe('delivery under crashes, rivals and lost answers', () => {
  for (let block = 0; block < 10; block++) {
    test(`documents and deduplicated outputs equal an offline fold, seeds ${block * 60}–${block * 60 + 59}`, async () => {
      for (let seed = block * 60; seed < block * 60 + 60; seed++) {
        try {
          await check(seed);
        } catch (error) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
      }
    });
  }

  test('the same when the ring of the journal has gone round more than twice', async () => {
    for (let seed = 1_000; seed < 1_012; seed++) await check(seed, 3_000, 1_000);
  });

  test('the silence of a key is part of what is compared', () => {
    const records = [numberRecord(0, 'b|u:1', 5, 0, 'kizuna.upstream.v1@1/origin.v1/0:0.0')];
    expect(expected(records).outputs.get('b|u:1')).toHaveLength(2);
    expect(expected(records).documents.get('b|u:1')?.clock).toBe(SILENCE_MS);
  });
});
