import { onTestFinished } from 'vitest';
import type { Processor, StatelessProcessor } from '../../processors/core/processor.ts';
import { consume } from '../../processors/runtime/consume.ts';
import { MemoryEventLog } from '../../processors/runtime/memory/event-log.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { Emitter, LogRecord, OutgoingRecord, Store } from '../../processors/runtime/ports.ts';
import type { CountedRecord } from './counting-processor.ts';
import { memoryPorts, numberRecord } from './runtime-fixture.ts';
import { waitUntil } from './wait-until.ts';

export const AT = { topic: 'numbers.v1', partition: 0 };
export const GROUP = 'kizuna.passing.v1';
export const SOURCE = `${GROUP}@1/numbers.v1/0`;
export const SOON = { withinMs: 20_000 };

export const passing: StatelessProcessor<CountedRecord> = {
  kind: 'stateless',
  name: 'passing',
  version: 1,
  inputs: ['numbers.v1'],
  outputs: ['passed.v1'],
  onRecord: ({ amount }, timestamp) => ({
    kind: 'apply',
    outputs: [{ topic: 'passed.v1', key: 'b|u:1', value: { amount }, timestamp }],
  }),
};

/** A log with one partition a topic, and what the processor wrote in it. */
export function world() {
  const topics = ['numbers.v1', 'passed.v1', 'counts.v1'];
  const log = new MemoryEventLog({ topics: topics.map((name) => ({ name, partitions: 1 })), batchRecords: 10 });
  const store = createMemoryStore();
  const written: string[] = [];
  const emitter = log.emitter();
  const watching: Emitter = {
    send: async (records: readonly OutgoingRecord[]) => {
      for (const record of records) written.push(String(record.headers['position']));
      await emitter.send(records);
    },
    close: () => emitter.close(),
  };
  return { log, store, emitter, watching, written };
}
export type World = ReturnType<typeof world>;

export async function send({ emitter }: World, from: number, count: number): Promise<void> {
  const records: LogRecord[] = Array.from({ length: count }, (_each, n) => numberRecord(n, 'k', from + n, 1_000 + n));
  await emitter.send(records.map((record) => ({ ...record, topic: 'numbers.v1', headers: {} })));
}

/** What every process of this world runs on. */
export function portsOf({ log, watching }: World, store: Store): PipelinePorts {
  const topics = { ...memoryPorts().topics, writers: () => [GROUP] };
  return memoryPorts({ log, store, emitter: watching, topics });
}

/** One process, stopped when the test ends. `failed` answers what ended it. */
export async function start(seen: World, store: Store, processor: Processor = passing) {
  const member = await consume(processor, portsOf(seen, store));
  let failure: unknown;
  member.failed.catch((error: unknown) => {
    failure = error;
  });
  onTestFinished(() => member.stop());
  return { member, failed: () => failure };
}

export async function foldedTo({ log }: World, offset: number, group = GROUP, topic = 'numbers.v1'): Promise<void> {
  const isThere = async () => ((await log.committed(group, topic))[0]?.offset === offset ? true : undefined);
  await waitUntil(`everything below ${offset} committed`, isThere, SOON);
}

/** Starts, folds what there is up to `offset`, and stops cleanly. */
export async function run(seen: World, offset: number): Promise<void> {
  const { member } = await start(seen, seen.store);
  await foldedTo(seen, offset);
  await member.stop();
}
