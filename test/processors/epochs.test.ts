import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { flushAll } from '../../processors/runtime/flush.ts';
import type { Standing } from '../../processors/runtime/loss.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import type { Block, Store } from '../../processors/runtime/ports.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { AT, countOf, fold, logOf, process, SOURCE } from '../harness/counting-partition.ts';
import { CollectingEmitter, memoryPorts, numberRecord, type FixedLog } from '../harness/runtime-fixture.ts';

const SECOND = SOURCE.replace('@1', '@2');
const UPSTREAM = 'kizuna.upstream.v1@1/origin.v1/0';
const records = Array.from({ length: 40 }, (_each, offset) =>
  numberRecord(offset, `b|u:${offset % 5}`, 1, offset, `${UPSTREAM}:${offset}.0`),
);

/** What an operator says to a loss: go on. */
function accept(seen: Standing[]): (standing: Standing) => void {
  return (standing) => void seen.push(standing);
}

/** The store as it is now, for a database that is restored to this moment later. */
async function copyOf(store: Store, keys: readonly string[]): Promise<Store> {
  const copy = createMemoryStore();
  const journal = store.journal('counting.v1');
  for (const block of await journal.blocks(AT, 0, 255)) await copy.journal('counting.v1').write(AT, block);
  const documents = await store.documents('counting.v1').load(keys);
  await copy.documents('counting.v1').store(documents.map((each) => ({ ...each, partition: 0, summary: {} })));
  return copy;
}

const positionsOf = (emitter: CollectingEmitter): string[] =>
  emitter.sent.map((record) => String(record.headers['position']));

/** Folds ten records, keeps a copy of the store, folds ten more and commits: then the copy is all there is. */
async function restored(): Promise<{ log: FixedLog; store: Store }> {
  const log = logOf(records.slice(0, 20));
  const ports = memoryPorts({ log });
  const owner = process(ports);
  await takeOver(owner, ports);
  await fold(owner, ports, records.slice(0, 10));
  await flushAll(owner, ports);
  const store = await copyOf(ports.store, ['b|u:0', 'b|u:1', 'b|u:2', 'b|u:3', 'b|u:4']);
  await fold(owner, ports, records.slice(10, 15));
  await fold(owner, ports, records.slice(15, 20));
  log.commit = { partition: 0, offset: 20, metadata: `seq=${owner.emittedTo} epoch=1` };
  return { log, store };
}

describe('a database that was restored to an older state', () => {
  test('stops the process until the loss is accepted; then its input is folded again under the next epoch', async () => {
    const { log, store } = await restored();
    const emitter = new CollectingEmitter();
    const ports = memoryPorts({ log, store, emitter });
    await expect(takeOver(process(ports), ports)).rejects.toMatchObject({ code: 'store_behind', retriable: false });
    const seen: Standing[] = [];
    await takeOver(process(ports), ports, accept(seen));
    expect(seen).toMatchObject([{ epoch: 2, next: 10, losses: [{ code: 'store_behind', missing: 2 }] }]);

    const next = process(ports);
    await takeOver(next, ports);
    // What was not known to be acknowledged came once more, as what it was.
    expect(new Set(positionsOf(emitter))).toEqual(
      new Set(Array.from({ length: 10 }, (_each, at) => `${SOURCE}:1.${at}`)),
    );
    emitter.sent.length = 0;
    expect(next).toMatchObject({ epoch: 2, next: 10 });
    await fold(next, ports, records.slice(10, 20));
    await flushAll(next, ports);
    expect(new Set(positionsOf(emitter).map((position) => position.replace(/:.*/, '')))).toEqual(new Set([SECOND]));
    for (const key of ['b|u:0', 'b|u:1', 'b|u:2', 'b|u:3', 'b|u:4']) expect(await countOf(ports, key)).toBe(4);
  });

  test('is accepted once: the commit of the epoch before counts no more, neither as a loss nor as published', async () => {
    const { log, store } = await restored();
    log.commit = { partition: 0, offset: 20, metadata: 'seq=9 epoch=1' };
    const ports = memoryPorts({ log, store });
    await takeOver(process(ports), ports, accept([]));
    const seen: Standing[] = [];
    await takeOver(process(ports), ports, accept(seen));
    expect(seen).toEqual([]);

    // The blocks up to 9 of the lost state were committed as published. Those of the new epoch are other ones.
    const failing = memoryPorts({ log, store });
    const owner = process(failing);
    await takeOver(owner, failing);
    failing.emitter.send = () => Promise.reject(new PipelineError('log_unavailable', 'no answer', { retriable: true }));
    await expect(fold(owner, failing, records.slice(10, 12))).rejects.toMatchObject({ code: 'log_unavailable' });
    const emitter = new CollectingEmitter();
    await takeOver(process(ports), { ...ports, emitter });
    expect(positionsOf(emitter)).toEqual([`${SECOND}:${owner.head}.0`, `${SECOND}:${owner.head}.1`]);
  });

  test('to before a loss was accepted is behind again, whatever the numbers of its blocks say', async () => {
    const { log, store } = await restored();
    const ports = memoryPorts({ log, store });
    const before = await copyOf(store, []);
    const owner = process(ports);
    await takeOver(owner, ports, accept([]));
    await fold(owner, ports, records.slice(10, 20));
    log.commit = { partition: 0, offset: 20, metadata: `seq=1 epoch=2` };
    const again = memoryPorts({ log, store: before });
    await expect(takeOver(process(again), again)).rejects.toMatchObject({ code: 'store_behind' });
    const seen: Standing[] = [];
    await takeOver(process(again), again, accept(seen));
    expect(seen).toMatchObject([{ epoch: 3 }]);
  });

  test('publishes what was not known to be acknowledged under the epoch in which it was written', async () => {
    const log = logOf(records);
    const store = createMemoryStore();
    const failing = memoryPorts({ log, store });
    failing.emitter.send = () => Promise.reject(new PipelineError('log_unavailable', 'no answer', { retriable: true }));
    const owner = process(failing);
    await takeOver(owner, failing);
    await expect(fold(owner, failing, records.slice(0, 1))).rejects.toMatchObject({ code: 'log_unavailable' });
    log.commit = { partition: 0, offset: 9, metadata: 'seq=9 epoch=1' };
    const emitter = new CollectingEmitter();
    const ports = memoryPorts({ log, store, emitter });
    await takeOver(process(ports), ports, accept([]));
    expect(positionsOf(emitter)).toEqual([`${SOURCE}:1.0`]);
  });
});

describe('an input that lost records', () => {
  async function folded(): Promise<{ log: FixedLog; store: Store }> {
    const log = logOf(records.slice(0, 10));
    const ports = memoryPorts({ log });
    const owner = process(ports);
    await takeOver(owner, ports);
    await fold(owner, ports, records.slice(0, 10));
    await flushAll(owner, ports);
    log.commit = { partition: 0, offset: 10, metadata: `seq=${owner.emittedTo} epoch=1` };
    return { log, store: ports.store };
  }

  test('to retention goes on where the log begins', async () => {
    const { log, store } = await folded();
    log.records.push(...records.slice(10, 30));
    log.start = 17;
    const ports = memoryPorts({ log, store });
    const seen: Standing[] = [];
    const owner = process(ports);
    await takeOver(owner, ports, accept(seen));
    expect(seen).toMatchObject([{ losses: [{ code: 'input_lost', missing: 7 }] }]);
    await takeOver(process(ports), ports);
    expect(owner).toMatchObject({ epoch: 2, next: 17 });
  });

  test('by being created anew is folded from its beginning, and what upstream wrote before is still told', async () => {
    const { log, store } = await folded();
    // Somebody copied the newest records back, and the writer went on.
    const again = [...records.slice(6, 9), ...records.slice(10, 13)];
    log.records.length = 0;
    log.records.push(...again.map((record, offset) => ({ ...record, offset })));
    log.commit = { partition: 0, offset: null, metadata: '' };
    const ports = memoryPorts({ log, store });
    const owner = process(ports);
    await expect(takeOver(owner, ports)).rejects.toMatchObject({ code: 'input_lost' });
    await takeOver(owner, ports, accept([]));
    expect(owner).toMatchObject({ epoch: 2, next: 0 });
    await fold(owner, ports, log.records);
    await flushAll(owner, ports);
    const counts = await Promise.all([0, 1, 2, 3, 4].map((key) => countOf(ports, `b|u:${key}`)));
    expect(counts).toEqual([3, 3, 3, 2, 2]);
  });

  test('and a database that is older at the same time are accepted together', async () => {
    const { log, store } = await restored();
    log.start = 12;
    const ports = memoryPorts({ log, store });
    const seen: Standing[] = [];
    await takeOver(process(ports), ports, accept(seen));
    expect(seen[0]?.losses.map(({ code }) => code)).toEqual(['store_behind', 'input_lost']);
    const owner = process(ports);
    await takeOver(owner, ports);
    expect(owner).toMatchObject({ epoch: 2, next: 12 });
  });
});

test('an owner from before a loss was accepted is shut out', async () => {
  const { log, store } = await restored();
  const early = memoryPorts({ log: logOf(records), store });
  const sleeper = process(early);
  await takeOver(sleeper, early);
  const ports = memoryPorts({ log, store });
  log.commit = { partition: 0, offset: 20, metadata: 'seq=9 epoch=1' };
  await takeOver(process(ports), ports, accept([]));
  await expect(fold(sleeper, early, records.slice(10, 20))).rejects.toMatchObject({ code: 'ownership_lost' });
  const blocks: Block[] = await store.journal('counting.v1').blocks(AT, 0, 255);
  expect(blocks.at(-1)).toMatchObject({ epoch: 2, next: 10 });
});
