import { describe, expect, test } from 'vitest';
import type { StatelessProcessor } from '../../processors/core/processor.ts';
import { ownPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { LogBatch, LogRecord } from '../../processors/runtime/ports.ts';
import { Refusals } from '../../processors/runtime/refusals.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { runStateless } from '../../processors/runtime/run-stateless.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import { Tally } from '../../processors/runtime/tally.ts';
import { counting } from '../harness/counting-processor.ts';
import { CollectingEmitter, memoryPorts, numberRecord } from '../harness/runtime-fixture.ts';

function batchOf(applied: number, refused: number, replayed = 0): Tally {
  const tally = new Tally();
  tally.applied = applied;
  tally.replayed = replayed;
  for (let left = refused; left > 0; left--) tally.reject('undecodable');
  return tally;
}

/** Judges batches in order as a consumer does; answers how many went through. */
function throughput(refusals: Refusals, batches: readonly Tally[], processor = 'intake'): number {
  for (const [index, tally] of batches.entries()) {
    try {
      refusals.guard(processor, tally);
    } catch {
      return index;
    }
    refusals.count(processor, tally);
  }
  return batches.length;
}

const repeated = (times: number, tally: Tally): Tally[] => Array<Tally>(times).fill(tally);

describe('a processor that refuses most of its records', () => {
  test('stops before the batch that makes a thousand is written, and says what it refused', () => {
    const refusals = new Refusals();
    const half = batchOf(49, 51);
    expect(throughput(refusals, repeated(9, half))).toBe(9);
    expect(() => refusals.guard('intake', half)).toThrow(
      expect.objectContaining({
        code: 'mostly_refused',
        retriable: false,
        message: 'intake refused 510 of 1000 consecutive records: undecodable 510',
      }),
    );
  });

  test('goes on at exactly half, and below a thousand records', () => {
    expect(throughput(new Refusals(), repeated(50, batchOf(50, 50)))).toBe(50);
    expect(throughput(new Refusals(), [batchOf(0, 999)])).toBe(1);
    expect(throughput(new Refusals(), [batchOf(0, 1_000)])).toBe(0);
  });

  test('is found after any number of good records', () => {
    const batches = [...repeated(500, batchOf(100, 0)), ...repeated(10, batchOf(0, 100))];
    // 1,000 records are 10 batches; the sixth bad one makes 600 of them.
    expect(throughput(new Refusals(), batches)).toBe(505);
  });

  test('forgets a bad spell that is more than a thousand records ago', () => {
    const batches = [batchOf(0, 400), ...repeated(12, batchOf(100, 0)), batchOf(0, 400)];
    expect(throughput(new Refusals(), batches)).toBe(batches.length);
  });

  test('is judged by what it decided itself: repeats do not count, nor does a batch that was never written', () => {
    const refusals = new Refusals();
    expect(throughput(refusals, repeated(5, batchOf(0, 100, 900)))).toBe(5);
    const tried = batchOf(0, 400);
    for (let again = 0; again < 5; again++) expect(() => refusals.guard('intake', tried)).not.toThrow();
  });

  test('is judged apart from the others of the process', () => {
    const refusals = new Refusals();
    expect(throughput(refusals, repeated(9, batchOf(0, 100)), 'intake')).toBe(9);
    expect(throughput(refusals, repeated(9, batchOf(0, 100)), 'customer')).toBe(9);
  });
});

describe('the runtime', () => {
  const bad = (offset: number): LogRecord => ({ ...numberRecord(offset, 'k', 1, 1_000), value: null });
  const batch: LogBatch = {
    topic: 'numbers.v1',
    partition: 0,
    records: Array.from({ length: 1_000 }, (_, offset) => bad(offset)),
    next: 1_000,
    logEnd: 1_000,
  };
  const portsWith = (refusals: Refusals | null): { ports: PipelinePorts; emitter: CollectingEmitter } => {
    const emitter = new CollectingEmitter();
    return { emitter, ports: memoryPorts({ emitter, refusals }) };
  };

  test.each([
    ['stateful', runStatefulBatch],
    ['stateless', runStatelessBatch],
  ] as const)(
    'of a %s processor writes nothing of a batch that is refused, unless it is told to go on',
    async (_, run) => {
      const strict = portsWith(new Refusals());
      await expect(run(batch, strict.ports)).rejects.toMatchObject({ code: 'mostly_refused' });
      expect(strict.emitter.sent).toEqual([]);
      const lenient = portsWith(null);
      await run(batch, lenient.ports);
      expect(lenient.emitter.sent).toHaveLength(1_000);
    },
  );

  test.each([
    ['stateful', runStatefulBatch],
    ['stateless', runStatelessBatch],
  ] as const)('of a %s processor remembers the batches it wrote', async (_, run) => {
    const refusals = new Refusals();
    await run({ ...batch, records: batch.records.slice(0, 999), next: 999 }, portsWith(refusals).ports);
    expect(() => refusals.guard('counting', batchOf(0, 1))).toThrow('1000 of 1000');
  });
});

async function runStatefulBatch(batch: LogBatch, ports: PipelinePorts): Promise<void> {
  const partition = ownPartition(counting, { topic: batch.topic, partition: 0 });
  await takeOver(partition, ports);
  await runBatch(partition, batch, ports, async () => undefined);
}

async function runStatelessBatch(batch: LogBatch, ports: PipelinePorts): Promise<void> {
  const processor: StatelessProcessor = {
    kind: 'stateless',
    name: 'counting',
    version: 1,
    inputs: ['numbers.v1'],
    outputs: [],
    onRecord: () => ({ kind: 'apply', outputs: [] }),
  };
  await runStateless(processor, batch, ports, 1);
}
