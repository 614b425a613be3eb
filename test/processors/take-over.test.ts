import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { flushAll } from '../../processors/runtime/flush.ts';
import { ActiveDefinitions } from '../../processors/runtime/definition-generations.ts';
import { MemoryGenerations } from '../../processors/runtime/memory/definition-generations.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import type { Store } from '../../processors/runtime/ports.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { countOf, fold, logOf, process, SOURCE } from '../harness/counting-partition.ts';
import { CollectingEmitter, memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';

describe('a take-over', () => {
  const records = Array.from({ length: 300 }, (_each, offset) => numberRecord(offset, `b|u:${offset % 5}`, 1, offset));

  test('stores the oldest block before its slot is claimed', async () => {
    const once = records.map((record) => ({ ...record, key: Buffer.from(`b|once:${record.offset}`) }));
    const ports = memoryPorts({ log: logOf(once) });
    const first = process(ports);
    await takeOver(first, ports);
    for (const record of once.slice(0, 254)) await fold(first, ports, [record]);
    // Nothing was flushed. Each claim goes into the slot of the oldest block.
    for (let owner = 0; owner < 4; owner++) await takeOver(process(ports), ports);
    const last = process(ports);
    await takeOver(last, ports);
    await flushAll(last, ports);
    for (let offset = 0; offset < 254; offset++) expect(await countOf(ports, `b|once:${offset}`)).toBe(1);
  });

  test('keeps its cache when nobody else was there, and forgets it when somebody was', async () => {
    const ports = memoryPorts({ log: logOf(records) });
    const [mine, rival] = [process(ports), process(ports)];
    await takeOver(mine, ports);
    await fold(mine, ports, records.slice(0, 5));
    await takeOver(mine, ports);
    expect(mine.cache.size).toBe(5);
    await takeOver(rival, ports);
    await fold(rival, ports, records.slice(5, 7));
    await expect(fold(mine, ports, records.slice(5, 7))).rejects.toMatchObject({ code: 'ownership_lost' });
    await takeOver(mine, ports);
    expect(mine.next).toBe(7);
    await fold(mine, ports, records.slice(7, 10));
    await flushAll(mine, ports);
    expect(await countOf(ports, 'b|u:0')).toBe(2);
  });

  test('publishes again what was journaled and not acknowledged, before anything else', async () => {
    const emitter = new CollectingEmitter();
    const store = createMemoryStore();
    const log = logOf(records);
    const failing = memoryPorts({ log, store });
    failing.emitter.send = async () => {
      throw new PipelineError('log_unavailable', 'no answer', { retriable: true });
    };
    const first = process(failing);
    await takeOver(first, failing);
    await expect(fold(first, failing, records.slice(0, 2))).rejects.toMatchObject({ code: 'log_unavailable' });
    const ports = memoryPorts({ log, store, emitter });
    await takeOver(process(ports), ports);
    expect(emitter.sent.map((record) => String(record.headers['position']))).toEqual([
      `${SOURCE}:1.0`,
      `${SOURCE}:1.1`,
    ]);
  });

  test('does not publish again what the group committed as published', async () => {
    const emitter = new CollectingEmitter();
    const log = logOf(records);
    const store = createMemoryStore();
    const before = memoryPorts({ log, store });
    const first = process(before);
    await takeOver(first, before);
    await fold(first, before, records.slice(0, 2));
    await fold(first, before, records.slice(2, 4));
    log.commit = { partition: 0, offset: 2, metadata: 'seq=1' };
    const ports = memoryPorts({ log, store, emitter });
    await takeOver(process(ports), ports);
    expect(emitter.sent.map((record) => String(record.headers['position']))).toEqual([
      `${SOURCE}:2.0`,
      `${SOURCE}:2.1`,
    ]);
  });

  test('stops at a database that is older than what was committed', async () => {
    const log = logOf(records);
    log.commit = { partition: 0, offset: 4, metadata: 'seq=4' };
    const ports = memoryPorts({ log });
    await expect(takeOver(process(ports), ports)).rejects.toMatchObject({ code: 'store_behind', retriable: false });
  });

  test('is not misled by a rival who folds and commits while it looks', async () => {
    const log = logOf(records);
    const store = createMemoryStore();
    const rivalPorts = memoryPorts({ log, store });
    const rival = process(rivalPorts);
    const journal = store.journal('counting.v1');
    let isFirst = true;
    const watched: Store = {
      ...store,
      journal: () => ({
        blocks: (at, from, to) => journal.blocks(at, from, to),
        ledgers: (at, from, to) => journal.ledgers(at, from, to),
        write: (at, block) => journal.write(at, block),
        headers: async (at) => {
          const headers = await journal.headers(at);
          if (isFirst) {
            isFirst = false;
            await takeOver(rival, rivalPorts);
            await fold(rival, rivalPorts, records.slice(0, 3));
            log.commit = { partition: 0, offset: 3, metadata: `seq=${rival.emittedTo}` };
          }
          return headers;
        },
      }),
    };
    const ports = memoryPorts({ log, store: watched });
    const sleeper = process(ports);
    await takeOver(sleeper, ports);
    expect(sleeper.next).toBe(3);
  });

  test('is refused to whoever asked before newer definitions came into use, and claims after those who brought them folded', async () => {
    const generations = new MemoryGenerations();
    const older = new ActiveDefinitions(generations, 'older');
    await older.claim(1);
    const log = logOf(records);
    const ports = memoryPorts({ log });
    const newer = new ActiveDefinitions(generations, 'newer');
    const rival = process(ports);
    let asked = 0;
    // A pause of the older process behind its question: meanwhile the newer one comes, takes the partition over and folds.
    const mayOwn = async (): Promise<void> => {
      await older.refuseOthers();
      if (asked++ > 0) return;
      await newer.claim(2);
      const rivalPorts = { ...ports, mayOwn: () => newer.refuseOthers() };
      await takeOver(rival, rivalPorts);
      await fold(rival, rivalPorts, records.slice(0, 3));
    };
    const stale = process(ports);
    await expect(takeOver(stale, { ...ports, mayOwn })).rejects.toMatchObject({
      ...{ code: 'ownership_lost', retriable: true },
    });
    expect([asked, stale.mustTakeOver]).toEqual([1, true]);
    // The newer one takes it again, and goes on where it was.
    await takeOver(rival, { ...ports, mayOwn: () => newer.refuseOthers() });
    expect([rival.mustTakeOver, rival.next]).toEqual([false, 3]);
  });

  test('stops at a log that was created anew, and at one that lost records to retention', async () => {
    const log = logOf(records);
    const ports = memoryPorts({ log });
    const first = process(ports);
    await takeOver(first, ports);
    await fold(first, ports, records.slice(0, 9));
    log.start = 10;
    await expect(takeOver(process(ports), ports)).rejects.toMatchObject({ code: 'input_lost', retriable: false });
    log.start = 0;
    log.records.length = 3;
    await expect(takeOver(process(ports), ports)).rejects.toMatchObject({ code: 'input_lost', retriable: false });
  });

  test('of a partition that was never folded starts where the log begins', async () => {
    const log = logOf(records);
    log.start = 20;
    const ports = memoryPorts({ log });
    const partition = process(ports);
    await takeOver(partition, ports);
    expect(partition.next).toBe(20);
  });
});
