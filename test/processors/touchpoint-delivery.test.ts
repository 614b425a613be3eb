import { expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { touchpointKey } from '../../processors/core/touchpoint-key.ts';
import { createMemoryStore, type MemoryStore } from '../../processors/runtime/memory/store.ts';
import { flushAll } from '../../processors/runtime/flush.ts';
import { ownPartition, type OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { LogRecord, OutgoingRecord, Store } from '../../processors/runtime/ports.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { newSweep, sweepBlock } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { createTouchpoint } from '../../processors/touchpoint/processor.ts';
import type { TouchpointEvent } from '../../schemas/types.ts';
import { logOf, noHeartbeat } from '../harness/counting-partition.ts';
import { definitionsWith, TOUCHPOINTS } from '../harness/definition-sets.ts';
import { CollectingEmitter, memoryPorts } from '../harness/runtime-fixture.ts';
import { DAY, HOUR, T, touchpointEvent } from './touchpoint-fixture.ts';

const AT = { topic: 'touchpoint-events.v1', partition: 0 };
const END = T + 20 * DAY;
const BATCH = 20;
const settings = { ...TOUCHPOINTS, baselineAnswers: 20, subgroupAnswers: 1 };
const definitions = { ...definitionsWith({}), defaultTouchpoints: settings };

/** Answers of ten customers that become bad, each to the touchpoint and to the case; operators resolve; all of it written twice. */
function input(): LogRecord[] {
  const records: LogRecord[] = [];
  const write = (last: string, changes: Partial<TouchpointEvent>, at: number, n: number, index: number): void => {
    const key = Buffer.from(touchpointKey('acme', 'checkout', last));
    const value = Buffer.from(JSON.stringify(touchpointEvent({ ...changes, occurredAt: at })));
    const headers = { position: Buffer.from(`kizuna.upstream.v1@1/interactions.v1/0:${n}.${index}`) };
    records.push({ offset: records.length, timestamp: at, key, value, headers });
  };
  for (let n = 0; n < 80; n++) {
    const at = T + n * 2 * HOUR;
    const subject = `u:${n % 10}`;
    const answer = { subject, eventId: `e-${n}`, value: n < 40 ? 8 + (n % 3) : n % 4 === 3 ? 9 : 1 };
    for (let time = 0; time < (n % 7 === 0 ? 2 : 1); time++) {
      write('WEB', answer, at, 2 * n, 1);
      write(subject, answer, at, 2 * n, 2);
    }
    const command = { subject, kind: 'CASE_RESOLVE', eventId: `c-${n}`, caseId: `checkout|${subject}|1` } as const;
    if (n % 5 === 0) write(subject, command, at + HOUR, 2 * n + 1, 0);
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
  const partition: OwnedPartition = ownPartition(createTouchpoint(definitions), AT);
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
  const processor = createTouchpoint(definitions);
  return [...store.documents('touchpoint.v1').all()]
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
  expect(topics).toEqual(new Set(['touchpoint-scores.v1', 'touchpoint-alerts.v1', 'cases.v1']));
  for (const change of ['RAISED', 'OPENED', 'RESOLVED', 'VERIFIED', 'REOPENED', 'OVERDUE']) {
    expect(
      outputs.some((line) => line.includes(`"change":"${change}"`)),
      change,
    ).toBe(true);
  }
  expect(whole.points).toBeGreaterThan(40);
  for (let nth = 1; nth <= whole.points; nth++) {
    const crashed = await fold(nth, records);
    expect(crashed.crashes).toBe(1);
    expect(unique(crashed.sent).sort(), `crash at ${nth}`).toEqual(outputs);
    expect(await documents(crashed), `crash at ${nth}`).toEqual(await documents(whole));
  }
});

test('what is skipped leaves no document behind where nothing is remembered, and nothing is lost where something is', async () => {
  const subject = 'u:1';
  const write = (last: string, changes: Partial<TouchpointEvent>, offset: number): LogRecord => {
    const value = Buffer.from(JSON.stringify(touchpointEvent({ subject, ...changes })));
    const key = Buffer.from(touchpointKey('acme', 'checkout', last));
    return { offset, timestamp: T + offset, key, value, headers: {} };
  };
  const madeUp = { kind: 'CASE_RESOLVE', caseId: 'checkout|u:7|1', subject: 'u:7' } as const;
  const records = [
    write('u:7', madeUp, 0),
    write('u:7', { ...madeUp, eventId: 'again' }, 1),
    write('APP', { occurredAt: T - 400 * DAY }, 2),
    write('STORE', { kind: 'UNKNOWN' }, 3),
    // A content answer opens no case, and must not be forgotten: the older complaint after it opens none either.
    write('u:1', { value: 9 }, 4),
    write('u:1', { ...madeUp, caseId: 'checkout|u:1|1', subject }, 5),
    write('u:1', { value: 0, occurredAt: T - HOUR }, 6),
    // Skipped at first, then born, in one batch and under the same key.
    write('u:2', { ...madeUp, caseId: 'checkout|u:2|1', subject: 'u:2' }, 7),
    write('u:2', { value: 0, subject: 'u:2' }, 8),
  ];
  const { store } = await fold(Number.POSITIVE_INFINITY, records);
  const stored = [...store.documents('touchpoint.v1').all()].map(({ key, state }) => {
    return [key, createTouchpoint(definitions).state.summarize(new ByteReader(state))['state']];
  });
  expect(stored.toSorted()).toEqual([
    ['acme|checkout|u:1', null],
    ['acme|checkout|u:2', 'OPEN'],
  ]);
});
