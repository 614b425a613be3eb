import { describe, expect, test } from 'vitest';
import { flushAll } from '../../processors/runtime/flush.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import type { OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import { newSweep, sweepBlock, type SweepCursor } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { fold, logOf, noHeartbeat, process } from '../harness/counting-partition.ts';
import { SILENCE_MS } from '../harness/counting-processor.ts';
import { CollectingEmitter, LIMITS, memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';

const UNTIL = 160;
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** One key a record, due one after the other from 150 on; stored, and nothing cached: as after a restart. */
async function restarted(limits: Partial<typeof LIMITS> = {}) {
  const first = KEYS.map((key, offset) => numberRecord(offset, key, 1, 100 + offset));
  const later = [numberRecord(6, 'c', 1, 200), numberRecord(7, 'z', 1, 201), numberRecord(8, 'y', 1, 202)];
  const log = logOf([...first, ...later]);
  const store = createMemoryStore();
  const loading = memoryPorts({ log, store });
  const loader = process(loading);
  await takeOver(loader, loading);
  await fold(loader, loading, first);
  await flushAll(loader, loading);
  const emitter = new CollectingEmitter();
  const ports = memoryPorts({ log, store, emitter, limits: { ...LIMITS, ...limits } });
  const partition = process(ports);
  await takeOver(partition, ports);
  emitter.sent.length = 0;
  return { partition, ports, emitter, later };
}

async function sweepOn(partition: OwnedPartition, cursor: SweepCursor, ports: PipelinePorts): Promise<void> {
  while (await sweepBlock(partition, UNTIL, cursor, ports, noHeartbeat));
}

/** The silences published so far, `key@instant`. */
function silences(emitter: CollectingEmitter): string[] {
  return emitter.sent
    .filter(({ value }) => (JSON.parse(String(value)) as { what: string }).what === 'silent')
    .map(({ key, timestamp }) => `${String(key)}@${timestamp}`);
}

const EACH_ONCE = KEYS.map((key, index) => `${key}@${100 + index + SILENCE_MS}`);

describe('a sweep through more keys than fit into a block', () => {
  test('asks for the next page while a block is written', async () => {
    const { partition, ports, emitter } = await restarted();
    const effects: string[] = [];
    const documents = ports.store.documents('counting.v1');
    const journal = ports.store.journal('counting.v1');
    const store: PipelinePorts['store'] = {
      ...ports.store,
      documents: () => ({
        load: (keys) => documents.load(keys),
        outdated: (...asked) => documents.outdated(...asked),
        countOutdated: (...asked) => documents.countOutdated(...asked),
        store: (writes) => documents.store(writes),
        due: (...asked) => {
          effects.push('page');
          return documents.due(...asked);
        },
      }),
      journal: () => ({
        headers: (at) => journal.headers(at),
        blocks: (at, from, to) => journal.blocks(at, from, to),
        ledgers: (at, from, to) => journal.ledgers(at, from, to),
        write: async (at, block) => {
          effects.push('write');
          await journal.write(at, block);
          effects.push('written');
        },
      }),
    };
    await sweepOn(partition, newSweep(4), { ...ports, store });
    expect(effects).toEqual(['page', 'page', 'write', 'written', 'write', 'written']);
    expect(silences(emitter)).toEqual(EACH_ONCE);
  });

  test('drops the page that was asked for when a batch goes between', async () => {
    const { partition, ports, emitter, later } = await restarted({ cachedKeysMax: 1 });
    const cursor = newSweep(2);
    expect(await sweepBlock(partition, UNTIL, cursor, ports, noHeartbeat)).toBe(true);
    // The page ahead holds c as it was. The batch applies its deadline; then it is stored and forgotten.
    for (const record of later) {
      await fold(partition, ports, [record]);
      await flushAll(partition, ports);
    }
    expect([...partition.cache.keys()]).not.toContain('c');
    await sweepOn(partition, cursor, ports);
    expect(silences(emitter).toSorted()).toEqual(EACH_ONCE);
  });

  test('never forgets a key between the asking for a page and its use', async () => {
    const { partition, ports, emitter } = await restarted({ cachedKeysMax: 1 });
    // A key whose stored deadline is the last, and whose cached one, stored nowhere yet, is the first.
    const documents = ports.store.documents('counting.v1');
    const [stored] = await documents.load(['f']);
    if (stored === undefined) throw new Error('f is stored');
    await documents.store([{ ...stored, seq: stored.seq + 1, due: UNTIL, partition: 0, summary: { at: 0 } }]);
    partition.cache.clear();
    await fold(partition, ports, [numberRecord(6, 'f', 1, 105)]);
    const f = partition.cache.get('f');
    if (f === undefined) throw new Error('f was folded');
    f.due = 149;
    partition.dueHeap.push(149, 'f');
    emitter.sent.length = 0;
    const cursor = newSweep(2);
    for (let block = 0; block < 2; block++) {
      expect(await sweepBlock(partition, UNTIL, cursor, ports, noHeartbeat)).toBe(true);
    }
    // Asked for while f was not stored, used when it is.
    await flushAll(partition, ports);
    await sweepOn(partition, cursor, ports);
    expect(silences(emitter)).toEqual(['f@149', ...EACH_ONCE.slice(0, -1)]);
  });

  test('takes no more keys than a block has bytes for', async () => {
    const { partition, ports, emitter } = await restarted({ blockBytesMax: 1 });
    const before = partition.head;
    await sweepOn(partition, newSweep(), ports);
    expect(partition.head - before).toBe(KEYS.length);
    expect(silences(emitter)).toEqual(EACH_ONCE);
  });
});
