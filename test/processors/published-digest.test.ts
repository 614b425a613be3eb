import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createProcessors, encodedTopics, topicDirectory } from '../../processors/catalog.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { unpackOutputs, unpackStates } from '../../processors/runtime/block.ts';
import { embedServices } from '../../processors/runtime/embed.ts';
import { InProcess } from '../../processors/runtime/in-process.ts';
import { storeName } from '../../processors/runtime/pipeline-ports.ts';
import { FIRST_EPOCH } from '../../processors/runtime/position.ts';
import { runStateless } from '../../processors/runtime/run-stateless.ts';
import type { Block, Emitter, LogBatch, LogRecord, OutgoingRecord, Store } from '../../processors/runtime/ports.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { generatedSegments } from '../bench/segments.ts';
import { memoryPorts, RecordingMeter } from '../harness/runtime-fixture.ts';
import { definitions } from './customer-fixture.ts';
import { tangledInteractions } from './published-input.ts';

const EVENTS = 6_000;
const EVENTS_PER_BLOCK = 300;
const INPUT = 'interactions.v1';
/** Pinned by replay-digest.test.ts: here are customers alone. */
const LEFT_OUT = {
  processors: ['touchpoint', 'brand', 'experiment'],
  topics: ['touchpoint-events.v1', 'brand-partials.v1'],
};

// What was published before anything was made faster, byte for byte. A change of these is a change of what customers of
// the topics and older programs on the same documents see: it needs a reason of its own.
const REKEYED = '5144ff1f29891e069558296f76bbdaab1a38f1f499b8ee09a723fd172ddf9532';
const PUBLISHED = '35c7af75ff78dcce591d67b2ffd039a2c18354b3aa137ce958f511aa840be914';
const BLOCKS = 'd47b432b0ce6e1b77e33718834cb4b6093ceac3f2c350173fa5b3f164b2f3587';
const DOCUMENTS = 'cc14cbdd8ce1a19b37073fa318dcf8b75b837aea0af3692cf2abf4bb9d672e31';

/** Of both processors together: every branch is met. */
const OUTCOMES = {
  applied: 11_469,
  'rejected.future_timestamp': 51,
  'rejected.invalid_order': 9,
  'rejected.invalid_score': 19,
  'rejected.missing_order': 16,
  'skipped.beyond_horizon': 17,
  'skipped.duplicate_event': 38,
  'skipped.duplicate_order': 144,
  'skipped.unknown_type': 71,
};

test('what a fixed input publishes, journals and stores never changes', async () => {
  const { digests, outcomes } = await foldAll();
  expect(outcomes).toEqual(OUTCOMES);
  expect(digests).toEqual({ rekeyed: REKEYED, published: PUBLISHED, blocks: BLOCKS, documents: DOCUMENTS });
});

async function foldAll() {
  const clock = { now: () => 0 };
  await using services = await embedServices({ topics: TOPICS, partitions: 1, clock, keepRecords: 0 });
  const processors = createProcessors(definitions(generatedSegments(120))).filter(
    ({ name }) => !LEFT_OUT.processors.includes(name),
  );
  await services.codec.prepare([INPUT, ...encodedTopics(processors)]);
  const rekeyed = createHash('sha256');
  const published = createHash('sha256');
  const blocks = createHash('sha256');
  const documents = createHash('sha256');
  const meter = new RecordingMeter();
  const store = journaling(services.store, blocks);
  const ports = memoryPorts({ ...services, store, clock, meter, topics: topicDirectory, owned: new Set() });
  const hop = { ...ports, meter: new RecordingMeter(), emitter: hashing(rekeyed) };
  const chain = new InProcess(processors, ports, (record) => {
    addRecord(published, record);
  });
  await chain.open();

  let latest = 0;
  let lines: Omit<LogRecord, 'offset'>[] = [];
  for (const { timestamp, value } of tangledInteractions(EVENTS)) {
    latest = timestamp;
    lines.push({ key: null, value: services.codec.encode(INPUT, value), timestamp, headers: {} });
    if (lines.length < EVENTS_PER_BLOCK) continue;
    await chain.feed(INPUT, lines);
    for (const processor of processors)
      if (processor.kind === 'stateless') await runStateless(processor, batchOf(lines), hop, FIRST_EPOCH);
    lines = [];
  }
  await chain.end(latest);
  for (const processor of processors) {
    if (processor.kind !== 'stateful') continue;
    const stored = services.store.documents(storeName(processor));
    await chain.publishHeld(processor, chain.keys(processor, stored.keys()), latest);
    await chain.store();
    for (const { key, due, state } of [...stored.all()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
      const summary = processor.state.summarize(new ByteReader(state));
      documents.update(JSON.stringify([key, due, state.toString('base64'), summary]));
    }
  }
  const digests = { rekeyed, published, blocks, documents };
  return {
    digests: Object.fromEntries(Object.entries(digests).map(([name, hash]) => [name, hash.digest('hex')])),
    outcomes: Object.fromEntries(meter.outcomes),
  };
}

function batchOf(lines: readonly Omit<LogRecord, 'offset'>[]): LogBatch {
  const records = lines.map((line, offset) => ({ ...line, offset }));
  return { topic: INPUT, partition: 3, records, next: lines.length, logEnd: lines.length };
}

function hashing(hash: Hash): Emitter {
  return {
    send: async (records) => {
      for (const record of records) addRecord(hash, record);
    },
    close: async () => undefined,
  };
}

type Hash = ReturnType<typeof createHash>;

function addRecord(hash: Hash, { topic, key, value, timestamp, headers }: OutgoingRecord): void {
  if (LEFT_OUT.topics.includes(topic)) return;
  const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
  hash.update(JSON.stringify([topic, key?.toString(), value?.toString('base64'), timestamp, texts]));
}

/** What a block says, whatever it is packed like. When documents follow it depends on the clock, so `flushedTo` is left out. */
function addBlock(hash: Hash, { seq, next, sources, totals, states, outputs }: Block): void {
  hash.update(JSON.stringify([seq, next, [...sources], totals.toString('base64')]));
  for (const { key, due, state } of unpackStates(states))
    hash.update(JSON.stringify([key, due, state.toString('base64')]));
  for (const output of unpackOutputs(outputs)) {
    if (output === null) hash.update('null');
    else addRecord(hash, output);
  }
}

function journaling(store: Store, hash: Hash): Store {
  return {
    ...store,
    documents: (name) => store.documents(name),
    journal(name) {
      const journal = store.journal(name);
      return {
        headers: (at) => journal.headers(at),
        blocks: (at, from, to) => journal.blocks(at, from, to),
        ledgers: (at, from, to) => journal.ledgers(at, from, to),
        write(at, block) {
          addBlock(hash, block);
          return journal.write(at, block);
        },
      };
    },
  };
}
