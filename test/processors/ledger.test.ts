import { describe, expect, test } from 'vitest';
import type { LedgerDefinition, StatefulProcessor } from '../../processors/core/processor.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { ownPartition, type OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { Block, LogRecord, Store } from '../../processors/runtime/ports.ts';
import { newSweep, sweepBlock } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { fold, logOf, noHeartbeat } from '../harness/counting-partition.ts';
import { counting, type Counted, type CountedRecord } from '../harness/counting-processor.ts';
import { CollectingEmitter, memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';

const BLOCKS = 4;

/** How often each amount came, and which of that is in no block, or was not published. */
interface Ledger {
  readonly counts: Map<number, number>;
  readonly changed: Set<number>;
  readonly unsent: Set<number>;
}

type Addition = number;

const ledger: LedgerDefinition<Ledger> = {
  blocks: BLOCKS,
  pack({ counts, changed }, seq, writer) {
    for (const amount of counts.keys()) if (amount % BLOCKS === seq % BLOCKS) changed.add(amount);
    for (const amount of changed) {
      writer.uint(amount);
      writer.uint(counts.get(amount) ?? 0);
    }
    changed.clear();
  },
  unpack({ counts, unsent }, reader) {
    while (!reader.done) {
      const amount = reader.uint();
      counts.set(amount, reader.uint());
      unsent.add(amount);
    }
  },
  nextDue: ({ unsent }) => (unsent.size > 0 ? Number.NEGATIVE_INFINITY : Infinity),
  publish({ counts, unsent }, now, partition) {
    const outputs = Array.from(unsent, (amount) => {
      const value = { partition, amount, count: counts.get(amount) };
      return { topic: 'partials.v1', key: String(amount), value, timestamp: now };
    });
    unsent.clear();
    return outputs;
  },
};

/** Counts records by amount, beside what it does anyway. */
const keeping: StatefulProcessor<Counted, CountedRecord, Ledger, Addition> = {
  ...counting,
  totals: {
    initial: () => ({ counts: new Map(), changed: new Set(), unsent: new Set() }),
    contribute({ counts, changed, unsent }, amount) {
      counts.set(amount, (counts.get(amount) ?? 0) + 1);
      changed.add(amount);
      unsent.add(amount);
    },
    pack: () => undefined,
    unpack: () => ({ counts: new Map(), changed: new Set(), unsent: new Set() }),
    gauges: () => [],
    ledger,
  },
  onRecord(state, record, now) {
    const outcome = counting.onRecord(state, record, now);
    return outcome.kind === 'apply' ? { ...outcome, contributions: [record.amount] } : outcome;
  },
  onDue: (state, due) => ({ ...counting.onDue(state, due), contributions: [] }),
};

const AMOUNTS = [1, 2, 3, 1, 5, 1, 2, 8, 13, 1, 2, 3, 7, 7, 7, 1, 21, 3, 2, 1];
const RECORDS: LogRecord[] = AMOUNTS.map((amount, offset) =>
  numberRecord(offset, `k${offset % 3}`, amount, 100 + offset),
);

function countsOf(records: readonly LogRecord[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { value } of records) {
    const { amount } = JSON.parse(String(value)) as CountedRecord;
    counts.set(amount, (counts.get(amount) ?? 0) + 1);
  }
  return counts;
}

function own(ports: PipelinePorts): OwnedPartition {
  const partition = ownPartition(keeping, {
    topic: 'numbers.v1',
    partition: 0,
  });
  ports.owned.add(partition);
  return partition;
}

function countsIn({ totals }: OwnedPartition): Map<number, number> {
  return new Map([...(totals as Ledger).counts].sort(([a], [b]) => a - b));
}

const sorted = (counts: Map<number, number>) => new Map([...counts].sort(([a], [b]) => a - b));

/** The newest count published of each amount. */
function publishedCounts({ sent }: CollectingEmitter): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { topic, value } of sent) {
    if (topic !== 'partials.v1') continue;
    const { amount, count } = JSON.parse(String(value)) as { amount: number; count: number };
    counts.set(amount, count);
  }
  return sorted(counts);
}

describe('a ledger', () => {
  test('is whole after a take-over at any block, however it was shared out', async () => {
    for (let until = 1; until <= RECORDS.length; until++) {
      const ports = memoryPorts({ log: logOf(RECORDS) });
      const partition = own(ports);
      await takeOver(partition, ports);
      for (const record of RECORDS.slice(0, until)) await fold(partition, ports, [record]);
      const next = own(ports);
      await takeOver(next, ports);
      expect(countsIn(next)).toEqual(sorted(countsOf(RECORDS.slice(0, until))));
      // And so it is after take-overs that follow one another without a record.
      for (let again = 0; again < 2 * BLOCKS; again++) await takeOver(own(ports), ports);
      const last = own(ports);
      await takeOver(last, ports);
      expect(countsIn(last)).toEqual(countsIn(next));
    }
  });

  test('is in a block only as far as it changed, or its turn has come', async () => {
    const blocks: Block[] = [];
    const store = createMemoryStore();
    const watched: Store = {
      ...store,
      journal: (name) => {
        const journal = store.journal(name);
        return {
          headers: (at) => journal.headers(at),
          blocks: (at, from, to) => journal.blocks(at, from, to),
          ledgers: (at, from, to) => journal.ledgers(at, from, to),
          write: async (at, block) => {
            blocks.push(block);
            await journal.write(at, block);
          },
        };
      },
    };
    const ports = memoryPorts({ log: logOf(RECORDS), store: watched });
    const partition = own(ports);
    await takeOver(partition, ports);
    for (const record of RECORDS) await fold(partition, ports, [record]);
    // Of the nine amounts a block holds the one that came and those of its turn.
    for (const { ledger: held } of blocks.slice(1)) expect(held.length / 2).toBeLessThanOrEqual(1 + 4);
  });

  test('is published by the sweep at the end of record time, with positions, and once', async () => {
    const emitter = new CollectingEmitter();
    const ports = memoryPorts({ log: logOf(RECORDS), emitter });
    const partition = own(ports);
    await takeOver(partition, ports);
    for (const record of RECORDS.slice(0, 4)) await fold(partition, ports, [record]);
    expect(publishedCounts(emitter).size).toBe(0);
    const cursor = newSweep();
    while (await sweepBlock(partition, 1000, cursor, ports, noHeartbeat));
    expect(publishedCounts(emitter)).toEqual(sorted(countsOf(RECORDS.slice(0, 4))));
    const partials = emitter.sent.filter(({ topic }) => topic === 'partials.v1');
    expect(partials).toHaveLength(3);
    expect(
      partials.every(({ headers }) => String(headers['position']).startsWith('kizuna.counting.v1@1/numbers.v1/0:')),
    );
    const again = newSweep();
    while (await sweepBlock(partition, 2000, again, ports, noHeartbeat));
    expect(emitter.sent.filter(({ topic }) => topic === 'partials.v1')).toHaveLength(3);
  });

  test('is published every 64 blocks in record time, and with the first block after a second in live time', async () => {
    const many = Array.from({ length: 150 }, (_, offset) => numberRecord(offset, 'k', 1, 100 + offset));
    const emitters = { record: new CollectingEmitter(), live: new CollectingEmitter() };
    for (const time of ['record', 'live'] as const) {
      const ports = memoryPorts({ log: logOf(many), emitter: emitters[time], time });
      const partition = own(ports);
      await takeOver(partition, ports);
      for (const record of many) await fold(partition, ports, [record]);
    }
    const counts = ({ sent }: CollectingEmitter) =>
      sent
        .filter(({ topic }) => topic === 'partials.v1')
        .map(({ value }) => (JSON.parse(String(value)) as { count: number }).count);
    // The claim is block 0, so record n is in block n + 1.
    expect(counts(emitters.record)).toEqual([63, 127]);
    expect(counts(emitters.live)[0]).toBe(1);
    expect(counts(emitters.live).length).toBeLessThan(20);
  });

  test('counts as unsent after a take-over, so that nothing stays unsaid', async () => {
    const ports = memoryPorts({ log: logOf(RECORDS) });
    const partition = own(ports);
    await takeOver(partition, ports);
    await fold(partition, ports, RECORDS);
    const emitter = new CollectingEmitter();
    const other = { ...ports, emitter };
    const next = own(other);
    await takeOver(next, other);
    const cursor = newSweep();
    while (await sweepBlock(next, 50, cursor, other, noHeartbeat));
    expect(publishedCounts(emitter)).toEqual(sorted(countsOf(RECORDS)));
  });
});
