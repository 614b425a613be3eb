import { expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { createMemoryStore, type MemoryStore } from '../../processors/runtime/memory/store.ts';
import { flushAll } from '../../processors/runtime/flush.ts';
import { ownPartition, type OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { LogRecord, OutgoingRecord, Store } from '../../processors/runtime/ports.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { newSweep, sweepBlock } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { createExperiment } from '../../processors/experiment/processor.ts';
import { logOf, noHeartbeat } from '../harness/counting-partition.ts';
import { experiment, withExperiments } from '../harness/experiments.ts';
import { CollectingEmitter, memoryPorts } from '../harness/runtime-fixture.ts';
import { experimentEvent, MINUTE, T, unit } from './experiment-fixture.ts';

const AT = { topic: 'experiment-events.v1', partition: 0 };
const END = T + 90 * MINUTE;
const BATCH = 15;
const definitions = withExperiments([experiment(), experiment({ id: 'link' })]);

/** Units of two experiments that come, change, and now and then go; some of it written twice. */
function input(): LogRecord[] {
  const records: LogRecord[] = [];
  for (let n = 0; n < 90; n++) {
    const experimentId = n % 3 === 0 ? 'link' : 'button';
    const of = (revenue: number) =>
      unit(n % 2 === 0 ? 'A' : 'B', { ordered: revenue > 0 ? 1 : 0, revenue, complaints: 0 });
    const steps = [null, of(0), ...(n % 4 === 0 ? [of(1000 + n)] : []), ...(n % 10 === 0 ? [null] : [])];
    for (const [step, after] of steps.entries()) {
      if (step === 0) continue;
      const before = steps[step - 1] ?? null;
      const occurredAt = T + n * MINUTE + step * 7000;
      const value = Buffer.from(
        JSON.stringify(experimentEvent({ experimentId, subject: `u:${n}`, before, after, occurredAt })),
      );
      const headers = { position: Buffer.from(`kizuna.upstream.v1@1/customer-events.v1/0:${n}.${step}`) };
      for (let time = 0; time < (n % 7 === 0 ? 2 : 1); time++) {
        records.push({
          offset: records.length,
          timestamp: occurredAt,
          key: Buffer.from(`acme|${experimentId}`),
          value,
          headers,
        });
      }
    }
  }
  return records;
}

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

interface World {
  readonly store: MemoryStore;
  readonly sent: OutgoingRecord[];
  /** Points where it could have crashed. */
  points: number;
  crashes: number;
}

/** Folds everything in batches and lets time pass to the end, beginning anew as another process whenever it crashed. */
async function fold(crashAt: number, records: readonly LogRecord[]): Promise<World> {
  const store = createMemoryStore();
  const world: World = { store, sent: [], points: 0, crashes: 0 };
  const log = logOf(records);
  const crash = new Crash(crashAt);
  for (let tries = 0; tries < 3; tries++) {
    try {
      await live(memoryPorts({ log, ...crashing(world, crash) }), records);
      world.points = crash.points;
      return world;
    } catch (error) {
      if (!(error instanceof PipelineError) || !error.retriable) throw error;
      world.crashes += 1;
    }
  }
  throw new Error('crashed more than once');
}

async function live(ports: PipelinePorts, records: readonly LogRecord[]): Promise<void> {
  const partition: OwnedPartition = ownPartition(createExperiment(definitions), AT);
  ports.owned.add(partition);
  await takeOver(partition, ports);
  for (let from = 0; from < records.length; from += BATCH) {
    const batch = records.slice(from, from + BATCH);
    const next = from + batch.length;
    await runBatch(partition, { ...AT, records: batch, next, logEnd: records.length }, ports, noHeartbeat);
  }
  const cursor = newSweep();
  while (await sweepBlock(partition, END, cursor, ports, noHeartbeat));
  await flushAll(partition, ports);
}

function crashing({ store, sent }: World, crash: Crash): { store: Store; emitter: CollectingEmitter } {
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
function unique(sent: readonly OutgoingRecord[]): string[] {
  const byPosition = new Map<string, string>();
  for (const { topic, key, value, timestamp, headers } of sent) {
    byPosition.set(String(headers['position']), [topic, key, timestamp, value].join(' '));
  }
  return [...byPosition.values()];
}

async function documents({ store }: World): Promise<string[]> {
  const processor = createExperiment(definitions);
  return [...store.documents('experiment.v1').all()]
    .map(({ key, due, state }) =>
      JSON.stringify([key, due, processor.state.summarize(new ByteReader(state)), state.toString('base64')]),
    )
    .sort();
}

test('a crash before or after any durable effect, and repeats from upstream, leave the same documents and outputs', async () => {
  const records = input();
  const whole = await fold(Number.POSITIVE_INFINITY, records);
  const outputs = unique(whole.sent).sort();
  const topics = new Set(outputs.map((line) => line.split(' ')[0]));
  expect(topics).toEqual(new Set(['experiment-results.v1']));
  expect(whole.points).toBeGreaterThan(30);
  for (let nth = 1; nth <= whole.points; nth++) {
    const crashed = await fold(nth, records);
    expect(crashed.crashes).toBe(1);
    expect(unique(crashed.sent).sort(), `crash at ${nth}`).toEqual(outputs);
    expect(await documents(crashed), `crash at ${nth}`).toEqual(await documents(whole));
  }
});
