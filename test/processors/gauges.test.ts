import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import type { Processor, StatelessProcessor } from '../../processors/core/processor.ts';
import { consume } from '../../processors/runtime/consume.ts';
import { MemoryEventLog } from '../../processors/runtime/memory/event-log.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { createMetrics } from '../../processors/runtime/metrics.ts';
import type { Store } from '../../processors/runtime/ports.ts';
import { counting, type CountedRecord } from '../harness/counting-processor.ts';
import { memoryPorts } from '../harness/runtime-fixture.ts';
import { waitUntil } from '../harness/wait-until.ts';

const PARTITIONS = 2;
const SOON = { withinMs: 5_000 };

const passing: StatelessProcessor<CountedRecord> = {
  kind: 'stateless',
  name: 'passing',
  version: 1,
  inputs: ['numbers.v1'],
  outputs: ['counts.v1'],
  onRecord: () => ({ kind: 'skip', reason: 'unknown_type' }),
};

/** One process: its own metrics, on a log that it shares with others. */
async function startProcess(log: MemoryEventLog, processor: Processor, store: Store = createMemoryStore()) {
  const metrics = createMetrics(new Registry(), '0.1.0');
  const time = { ms: 1_000_000 };
  const ports = memoryPorts({
    log,
    store,
    emitter: log.emitter(),
    meter: metrics.meter,
    clock: { now: () => time.ms },
  });
  const member = await consume(processor, ports);
  /** Lag by partition, as a scrape shows it. */
  const lag = async (unit: 'records' | 'seconds'): Promise<Record<string, number>> => {
    const shown = new RegExp(`^kizuna_consumer_lag_${unit}\\{.*partition="(\\d)"\\} (\\d+)$`, 'gm');
    const { body } = await metrics.render();
    return Object.fromEntries(
      Array.from(body.matchAll(shown), ([, partition = '', value]) => [partition, Number(value)]),
    );
  };
  const reported = async (partitions: number) => {
    await member.report();
    const shown = await lag('records');
    return Object.keys(shown).length === partitions ? shown : undefined;
  };
  return { member, metrics, time, lag, reported };
}

function openLog(): MemoryEventLog {
  return new MemoryEventLog({
    topics: [
      { name: 'numbers.v1', partitions: PARTITIONS },
      { name: 'counts.v1', partitions: 1 },
      ...['counting', 'passing'].map((name) => ({ name: `numbers.v1.kizuna.${name}.v1.dlq`, partitions: 1 })),
    ],
  });
}

test.each<Processor>([counting, passing])(
  '$name shows the lag of what it owns, and of nothing it gave up',
  async (it) => {
    const log = openLog();
    const first = await startProcess(log, it);
    expect(await waitUntil('lag of both partitions', () => first.reported(2), SOON)).toEqual({ 0: 0, 1: 0 });
    const second = await startProcess(log, it);
    const [left, right] = [
      await waitUntil('lag of one partition', () => first.reported(1), SOON),
      await waitUntil('lag of the other', () => second.reported(1), SOON),
    ];
    expect({ ...left, ...right }).toEqual({ 0: 0, 1: 0 });
    await first.member.stop();
    expect(await first.lag('records')).toEqual({});
    await second.member.stop();
  },
);

test('a processor that folds nothing tells how far it falls behind', async () => {
  const log = openLog();
  const store = createMemoryStore();
  const broken = { now: false };
  const journal: Store['journal'] = (name) => {
    const inner = store.journal(name);
    return {
      headers: (at) => inner.headers(at),
      blocks: (at, from, to) => inner.blocks(at, from, to),
      ledgers: (at, from, to) => inner.ledgers(at, from, to),
      async write(at, block) {
        if (broken.now) throw new PipelineError('store_unavailable', 'the store is away', { retriable: true });
        await inner.write(at, block);
      },
    };
  };
  const { member, lag, reported, time } = await startProcess(log, counting, { ...store, journal });
  await waitUntil('lag of both partitions', () => reported(2), SOON);
  broken.now = true;
  const send = (key: string) => ({
    ...{ topic: 'numbers.v1', key: Buffer.from(key), value: Buffer.from('{"amount":1}'), headers: {} },
    timestamp: time.ms,
  });
  await log.emitter().send(Array.from({ length: 20 }, (_, index) => send(`b|u:${index}`)));
  time.ms += 90_000;
  await member.report();
  const records = Object.values(await lag('records'));
  expect(records.reduce((sum, each) => sum + each, 0)).toBe(20);
  expect(await lag('seconds')).toEqual({ 0: 90, 1: 90 });
  await member.stop();
});
