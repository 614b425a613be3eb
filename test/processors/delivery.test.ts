import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { flushAll, flushOnce } from '../../processors/runtime/flush.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';

import type { Store } from '../../processors/runtime/ports.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { newSweep, sweepBlock } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { countOf, fold, logOf, noHeartbeat, process, SOURCE } from '../harness/counting-partition.ts';
import { counting } from '../harness/counting-processor.ts';
import { CollectingEmitter, LIMITS, memoryPorts, numberRecord, RecordingMeter } from '../harness/runtime-fixture.ts';

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

describe('a batch of nothing but a transaction marker', () => {
  test('moves the next offset, once', async () => {
    const log = logOf([numberRecord(0, 'b|u:1', 1, 100)]);
    const ports = memoryPorts({ log });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, [numberRecord(0, 'b|u:1', 1, 100)]);
    const behind = { ...partition.at, records: [], next: 2, logEnd: 2 };
    await runBatch(partition, behind, ports, noHeartbeat);
    const { head } = partition;
    expect(partition.next).toBe(2);
    await runBatch(partition, behind, ports, noHeartbeat);
    expect([partition.next, partition.head]).toEqual([2, head]);
  });
});

describe('a fold that throws', () => {
  test('leaves nothing for the next turn to make durable', async () => {
    const records = [
      numberRecord(0, 'b|u:1', 3, 100, 'kizuna.upstream.v1@1/origin.v1/0:0.0'),
      numberRecord(1, 'b|u:1', 4, 101),
    ];
    const ports = memoryPorts({ log: logOf(records) });
    const partition = process(ports);
    await takeOver(partition, ports);
    const { onRecord } = counting;
    const broken: typeof counting = {
      ...counting,
      onRecord(state, record, now) {
        if (record.amount === 4) throw new Error('a bug in a rule');
        return onRecord(state, record, now);
      },
    };
    const buggy = { ...partition, processor: broken };
    ports.owned.add(buggy);
    await expect(fold(buggy, ports, records)).rejects.toThrow('a bug in a rule');
    expect(buggy.mustTakeOver).toBe(true);
    await takeOver(buggy, ports);
    expect(buggy.next).toBe(0);
    const mended = { ...buggy, processor: counting };
    await fold(mended, ports, records);
    await flushAll(mended, ports);
    expect(await countOf(ports, 'b|u:1')).toBe(2);
  });
});

describe('a batch whose outputs could not be sent', () => {
  test('is counted by its outcomes once it is durable, and as replayed when it comes again', async () => {
    const records = [numberRecord(0, 'b|u:1', 3, 100), numberRecord(1, 'b|u:2', -1, 101)];
    const meter = new RecordingMeter();
    const ports = memoryPorts({ log: logOf(records), meter });
    const partition = process(ports);
    await takeOver(partition, ports);
    const { send } = ports.emitter;
    ports.emitter.send = async () => {
      throw new PipelineError('log_unavailable', 'no answer', { retriable: true });
    };
    await expect(fold(partition, ports, records)).rejects.toMatchObject({ code: 'log_unavailable' });
    ports.emitter.send = send;
    await takeOver(partition, ports);
    await fold(partition, ports, records);
    expect(Object.fromEntries(meter.outcomes)).toEqual({ applied: 1, 'rejected.invalid_order': 1, replayed: 2 });
    expect(meter.dead).toEqual(['numbers.v1:invalid_order']);
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
        outdated: (...asked) => documents.outdated(...asked),
        countOutdated: (...asked) => documents.countOutdated(...asked),
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

  test('leaves no deadline behind when far more is due than may be cached', async () => {
    const records = Array.from({ length: 3_000 }, (_each, offset) =>
      numberRecord(offset, `b|u:${offset}`, 1, offset % 900),
    );
    const store = createMemoryStore();
    const log = logOf(records);
    const first = memoryPorts({ log, store });
    const loader = process(first);
    await takeOver(loader, first);
    await fold(loader, first, records.slice(0, 1_500));
    await flushAll(loader, first);

    const emitter = new CollectingEmitter();
    const ports = memoryPorts({ log, store, emitter, limits: { ...LIMITS, cachedKeysMax: 500 } });
    const partition = process(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, records.slice(1_500));
    emitter.sent.length = 0;
    const cursor = newSweep();
    while (await sweepBlock(partition, 2_000, cursor, ports, noHeartbeat));
    expect(emitter.sent).toHaveLength(3_000);
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
      ledgers: (at, from, to) => journal.ledgers(at, from, to),
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
      outdated: (...asked) => documents.outdated(...asked),
      countOutdated: (...asked) => documents.countOutdated(...asked),
      store: async (writes) => {
        effects.push(`store ${writes.map((write) => write.key).join(' ')}`);
        return documents.store(writes);
      },
    }),
  };
}
