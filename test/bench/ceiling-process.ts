import { randomBytes, randomUUID } from 'node:crypto';
import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import { loadConfig } from '../../processors/runtime/config.ts';
import { openServices } from '../../processors/runtime/open-services.ts';
import type { DocumentWrite, LogBatch, OutgoingRecord } from '../../processors/runtime/ports.ts';
import type { Services } from '../../processors/runtime/services.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { connectMongodb } from '../harness/service-clients.ts';
import { RecordingMeter } from '../harness/runtime-fixture.ts';
import { answer, spending, type Spent } from './child-process.ts';

/** One part of what a stage does, and nothing else, by the same adapters and as much at once. */
export type CeilingTask = { readonly environment: Readonly<Record<string, string>> } & (
  | { readonly part: 'decode'; readonly topic: string; readonly records: number }
  | {
      readonly part: 'produce';
      readonly topics: readonly string[];
      readonly recordsMax: number;
      readonly perSend: number;
    }
  | { readonly part: 'journal'; readonly blocks: number; readonly blockBytes: number }
  | { readonly part: 'flush'; readonly documents: number }
);

/** How many records, blocks or documents. */
export type CeilingReport = Spent & { readonly count: number };

const STORE = 'bench.v1';
const LANES = 4;
const DOCUMENTS_PER_WRITE = 1_000;

answer(async (task: CeilingTask): Promise<CeilingReport> => {
  const clock = { now: Date.now };
  const wiring = { topics: TOPICS, stores: [STORE], clock, logger: SILENT_LOG, meter: new RecordingMeter() };
  await using services = await openServices(loadConfig(task.environment), wiring);
  switch (task.part) {
    case 'decode':
      return await decode(task.topic, task.records, services);
    case 'produce':
      return await produce(task, services);
    case 'journal':
      return await writeBlocks(task, services);
    case 'flush':
      return await storeDocuments(task, services);
  }
});

async function decode(topic: string, records: number, { log, codec }: Services): Promise<CeilingReport> {
  let count = 0;
  const spent = spending();
  await readAll([topic], log, records, async (batch) => {
    await codec.learn(
      topic,
      batch.records.map(({ value }) => value),
    );
    for (const { value } of batch.records)
      if (value !== null && typeof codec.decode(topic, value) === 'object') count++;
    return batch.records.length;
  });
  return { ...spent(), count };
}

async function produce(task: Extract<CeilingTask, { part: 'produce' }>, services: Services): Promise<CeilingReport> {
  const read: OutgoingRecord[] = [];
  const ranges = await Promise.all(task.topics.map((topic) => services.log.ranges(topic)));
  const there = ranges.flat().reduce((sum, { start, end }) => sum + end - start, 0);
  const wanted = Math.min(there, task.recordsMax);
  await readAll(task.topics, services.log, wanted, async ({ topic, records }) => {
    for (const { key, value, timestamp, headers } of records) {
      const position = headers['position'];
      if (read.length < wanted) read.push({ topic, key, value, timestamp, headers: { position: String(position) } });
    }
    return records.length;
  });
  let next = 0;
  const spent = spending();
  await inLanes(async () => {
    while (next < read.length) {
      const from = next;
      next += task.perSend;
      await services.emitter.send(read.slice(from, from + task.perSend));
    }
  });
  return { ...spent(), count: read.length };
}

async function writeBlocks(
  task: Extract<CeilingTask, { part: 'journal' }>,
  services: Services,
): Promise<CeilingReport> {
  const journal = services.store.journal(STORE);
  const states = randomBytes(task.blockBytes);
  const none = Buffer.alloc(0);
  const perLane = Math.ceil(task.blocks / LANES);
  const spent = spending();
  await inLanes(async (partition) => {
    for (let seq = 0; seq < perLane; seq++) {
      const header = { seq, nonce: randomUUID(), epoch: 1, next: seq, flushedTo: seq - 1, emittedTo: seq - 1 };
      await journal.write(
        { topic: 'bench', partition },
        { ...header, last: null, sources: new Map(), totals: none, ledger: none, states, outputs: none },
      );
    }
  });
  return { ...spent(), count: perLane * LANES };
}

/** Documents that the stage left, stored again under other names. */
async function storeDocuments(
  task: Extract<CeilingTask, { part: 'flush' }>,
  services: Services,
): Promise<CeilingReport> {
  const config = loadConfig(task.environment);
  const client = await connectMongodb(config.services?.store.uri ?? '');
  const found = await client
    .db(config.services?.store.database)
    .collection<{ summary: DocumentWrite['summary']; state: { buffer: Uint8Array } }>('customer.v1.state')
    .find({}, { limit: DOCUMENTS_PER_WRITE })
    .toArray();
  await client.close();
  const documents = services.store.documents(STORE);
  let next = 0;
  const spent = spending();
  await inLanes(async (partition) => {
    while (next < task.documents) {
      const from = next;
      next += DOCUMENTS_PER_WRITE;
      await documents.store(
        found.map(({ summary, state }, index) => ({
          ...{ key: `demo|u:customer-${from + index}`, partition, seq: 1, summary, isNew: true },
          ...{ state: Buffer.from(state.buffer), due: Date.now() },
        })),
      );
    }
  });
  return { ...spent(), count: next };
}

async function inLanes(work: (lane: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: LANES }, (_, lane) => work(lane)));
}

/** Joins a group of its own and hands over every batch until so many records were taken. */
async function readAll(
  topics: readonly string[],
  log: Services['log'],
  records: number,
  take: (batch: LogBatch) => Promise<number>,
): Promise<void> {
  let left = records;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const membership = await log.join(`bench.${randomUUID()}`, topics, {
    assigned: () => undefined,
    revoked: () => undefined,
    unreadable: (_at, why) => {
      reject(why);
    },
    crashed: reject,
    onBatch: async (batch, heartbeat) => {
      const taken = await take(batch);
      left -= taken;
      await heartbeat();
      if (left <= 0) resolve();
      return 'done';
    },
  });
  await promise;
  await membership.leave();
}
