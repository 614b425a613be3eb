import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { flushAll, flushOnce } from '../../processors/runtime/flush.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { ownPartition, type OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { LogRecord, Store } from '../../processors/runtime/ports.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { newSweep, sweepBlock } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { counting } from '../harness/counting-processor.ts';
import {
  CollectingEmitter,
  FixedLog,
  LIMITS,
  memoryPorts,
  numberRecord,
  RecordingMeter,
} from '../harness/runtime-fixture.ts';

const AT = { topic: 'numbers.v1', partition: 0 };
const SOURCE = 'kizuna.counting.v1@1/numbers.v1/0';
const noHeartbeat = async (): Promise<void> => undefined;

function process(ports: PipelinePorts): OwnedPartition {
  const partition = ownPartition(counting, AT, SOURCE);
  ports.owned.add(partition);
  return partition;
}

async function fold(partition: OwnedPartition, ports: PipelinePorts, records: readonly LogRecord[]): Promise<void> {
  const next = (records.at(-1)?.offset ?? -1) + 1;
  await runBatch(partition, { ...AT, records, next, logEnd: next }, ports, noHeartbeat);
}

/** A log that really holds the records, so that a take-over finds its end. */
function logOf(records: readonly LogRecord[]): FixedLog {
  const log = new FixedLog();
  log.records.push(...records);
  return log;
}

async function countOf(ports: PipelinePorts, key: string): Promise<number | undefined> {
  const [stored] = await ports.store.documents('counting.v1').load([key]);
  return stored === undefined ? undefined : counting.state.unpack(new ByteReader(stored.state)).count;
}

describe('a batch', () => {
  const records = [
    numberRecord(0, 'b|u:1', 3, 100),
    numberRecord(1, 'b|u:2', -1, 101),
    numberRecord(2, 'b|u:1', 0, 102),
  ];

  test('is journaled, then published, then flushed, in this order and nowhere else', async () => {
    const effects: string[] = [];
    const plain = memoryPorts({ log: logOf(records) });
    const ports = memoryPorts({ log: plain.log, store: watched(plain.store, effects) });
    ports.emitter.send = async (sent) => {
      effects.push(...sent.map((record) => `send ${record.topic} ${String(record.headers['position'])}`));
    };
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, records);
    await flushAll(partition, ports);
    expect(effects).toEqual([
      'journal 0',
      'load b|u:1 b|u:2',
      'journal 1',
      `send counts.v1 ${SOURCE}:1.0`,
      `send numbers.v1.kizuna.counting.v1.dlq ${SOURCE}:1.1`,
      'store b|u:1',
    ]);
  });

  test('counts every record once, whatever its outcome', async () => {
    const meter = new RecordingMeter();
    const ports = memoryPorts({ log: logOf(records), meter });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, records);
    await fold(partition, ports, records);
    expect(Object.fromEntries(meter.outcomes)).toEqual({
      applied: 1,
      'rejected.invalid_order': 1,
      'skipped.unknown_type': 1,
      replayed: 3,
    });
    expect(meter.consumedRecords).toBe(meter.counted);
    expect(meter.dead).toEqual(['numbers.v1:invalid_order']);
  });

  test('sends what it refuses to the dead letters with the same bytes and the reason', async () => {
    const emitter = new CollectingEmitter();
    const bad = {
      ...numberRecord(0, 'b|u:9', 1, 100),
      value: Buffer.from([1, 2, 3]),
      headers: { trace: Buffer.from('t') },
    };
    const ports = memoryPorts({ log: logOf([bad]), emitter });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, [bad]);
    const [letter] = emitter.sent;
    expect(letter?.value).toEqual(Buffer.from([1, 2, 3]));
    expect(letter?.key).toEqual(Buffer.from('b|u:9'));
    expect(letter?.headers).toMatchObject({ 'dlq.code': 'undecodable', 'dlq.stage': 'decode', 'dlq.offset': '0' });
    expect(letter?.headers['dlq.header.trace']?.toString()).toBe('t');
  });

  test('that would make too large a block is split, and no record is lost between the parts', async () => {
    const many = Array.from({ length: 50 }, (_each, offset) => numberRecord(offset, `b|u:${offset}`, 1, 100));
    const ports = memoryPorts({ log: logOf(many), limits: { ...LIMITS, blockBytesMax: 2_000 } });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, many);
    expect(partition.head).toBeGreaterThan(5);
    expect(partition.next).toBe(50);
    expect(partition.cache.size).toBe(50);
  });

  test('behind a gap of the log is input_lost; behind a transaction marker it is folded', async () => {
    const late = [numberRecord(7, 'b|u:1', 1, 100)];
    const log = logOf(Array.from({ length: 8 }, (_each, offset) => numberRecord(offset, 'b|u:1', 1, 100)));
    const ports = memoryPorts({ log });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, late);
    expect(partition.next).toBe(8);
    log.start = 9;
    await expect(fold(partition, ports, [numberRecord(10, 'b|u:1', 1, 100)])).rejects.toMatchObject({
      code: 'input_lost',
    });
  });
});

describe('a take-over', () => {
  const records = Array.from({ length: 300 }, (_each, offset) => numberRecord(offset, `b|u:${offset % 5}`, 1, offset));

  test('stores the oldest block before its slot is claimed', async () => {
    const ports = memoryPorts({ log: logOf(records) });
    const first = process(ports);
    await takeOver(first, ports);
    for (const record of records.slice(0, 254))
      await fold(first, ports, [{ ...record, key: Buffer.from(`b|once:${record.offset}`) }]);
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

describe('a flush', () => {
  test('that a newer block overtook leaves the key dirty from the block after the one stored', async () => {
    const records = [0, 1, 2].map((offset) => numberRecord(offset, 'b|u:1', 1, offset));
    const plain = memoryPorts({ log: logOf(records) });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const documents = plain.store.documents('counting.v1');
    const slow: Store = {
      ...plain.store,
      documents: () => ({
        load: (keys) => documents.load(keys),
        due: (partition, until, after, limit) => documents.due(partition, until, after, limit),
        store: async (writes) => {
          await held;
          return documents.store(writes);
        },
      }),
    };
    const ports = memoryPorts({ log: plain.log, store: slow });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, records.slice(0, 1));
    const flushing = flushOnce(partition, ports, 'all');
    await fold(partition, ports, records.slice(1, 2));
    await fold(partition, ports, records.slice(2, 3));
    release();
    expect(await flushing).toBe(1);
    expect(partition.flushedTo).toBe(1);
    expect(partition.dirty.size).toBe(1);
    expect(await flushOnce(partition, ports, 'all')).toBe(1);
    expect(partition.flushedTo).toBe(partition.head);
  });
});

describe('a sweep', () => {
  test('applies each deadline at its own time, of cached keys and of stored ones alike', async () => {
    const records = Array.from({ length: 600 }, (_each, offset) => numberRecord(offset, `b|u:${offset}`, 1, offset));
    const store = createMemoryStore();
    const log = logOf(records);
    const first = memoryPorts({ log, store });
    const loader = process(first);
    await takeOver(loader, first);
    await fold(loader, first, records);
    await flushAll(loader, first);

    const emitter = new CollectingEmitter();
    const ports = memoryPorts({ log, store, emitter });
    const partition = process(ports);
    await takeOver(partition, ports);
    // The last block's outputs came again: its acknowledgement stood in no block.
    emitter.sent.length = 0;
    const cursor = newSweep();
    while (await sweepBlock(partition, 499, cursor, ports, noHeartbeat));
    expect(emitter.sent).toHaveLength(450);
    expect(emitter.sent.map((record) => record.timestamp)).toEqual(Array.from({ length: 450 }, (_each, at) => at + 50));
    expect(partition.next).toBe(600);
  });
});

function watched(store: Store, effects: string[]): Store {
  const documents = store.documents('counting.v1');
  const journal = store.journal('counting.v1');
  return {
    ...store,
    journal: () => ({
      headers: (at) => journal.headers(at),
      blocks: (at, from, to) => journal.blocks(at, from, to),
      write: async (at, block) => {
        await journal.write(at, block);
        effects.push(`journal ${block.seq}`);
      },
    }),
    documents: () => ({
      load: async (keys) => {
        effects.push(`load ${keys.join(' ')}`);
        return documents.load(keys);
      },
      due: (partition, until, after, limit) => documents.due(partition, until, after, limit),
      store: async (writes) => {
        effects.push(`store ${writes.map((write) => write.key).join(' ')}`);
        return documents.store(writes);
      },
    }),
  };
}
