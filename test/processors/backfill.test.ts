import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../processors/core/packing.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import { backfillBlock, backfillLeft } from '../../processors/runtime/backfill.ts';
import { flushAll } from '../../processors/runtime/flush.ts';
import { ownPartition, type OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { LogRecord } from '../../processors/runtime/ports.ts';
import { runBatch } from '../../processors/runtime/run-batch.ts';
import { newSweep, sweepBlock } from '../../processors/runtime/sweep-due.ts';
import { takeOver } from '../../processors/runtime/take-over.ts';
import type { CustomerEvent, SegmentMembershipsChanged } from '../../schemas/types.ts';
import { typeOf } from '../harness/avro-values.ts';
import { logOf, noHeartbeat } from '../harness/counting-partition.ts';
import { documentsOf, foldWithCrash, uniqueByPosition, type Folding } from '../harness/folding-with-crash.ts';
import { CollectingEmitter, LIMITS, memoryPorts, RecordingMeter } from '../harness/runtime-fixture.ts';
import { DAY, definitions, event, HOUR, MIDNIGHT } from './customer-fixture.ts';

const AT = { topic: 'customer-events.v1', partition: 0 };
const T = MIDNIGHT + 10 * HOUR;
const END = T + 10 * DAY;
const OLD = definitions({ viewers: { 'traits.page_views.7d': { $gte: 1 } }, dropped: { identified: true } });
const NEW = definitions(
  { viewers: { 'traits.page_views.30d': { $gte: 2 } }, silent: { 'ages.interactions': { $gte: 9 } } },
  'definitions-2',
);

function record(offset: number, at: number, value: CustomerEvent): LogRecord {
  const key = Buffer.from(`acme|${value.subject}`);
  return { offset, timestamp: at, key, value: Buffer.from(JSON.stringify(value)), headers: {} };
}

const view = (offset: number, customer: number, at: number): LogRecord =>
  record(offset, at, event({ eventId: `e-${offset}`, occurredAt: at, type: 'PAGE_VIEW' }, `u:${customer}`));

/** Every customer has one page view, every other one a second. */
function views(customers: number): LogRecord[] {
  const records: LogRecord[] = [];
  for (let customer = 0; customer < customers; customer++) {
    for (let place = 0; place <= customer % 2; place++) {
      records.push(view(records.length, customer, T + records.length * 1000));
    }
  }
  return records;
}

interface World {
  readonly partition: OwnedPartition;
  readonly ports: PipelinePorts;
  readonly emitter: CollectingEmitter;
  readonly meter: RecordingMeter;
}

/** Another process on the same log and store. */
async function process(set: typeof OLD, before: PipelinePorts, limits: Partial<typeof LIMITS> = {}): Promise<World> {
  const emitter = new CollectingEmitter();
  const meter = new RecordingMeter();
  const { log, store } = before;
  const ports = memoryPorts({ log, store, emitter, meter, limits: { ...LIMITS, ...limits } });
  const partition = ownPartition(createCustomer(set), AT);
  ports.owned.add(partition);
  await takeOver(partition, ports);
  emitter.sent.length = 0;
  return { partition, ports, emitter, meter };
}

async function fold({ partition, ports }: World, records: readonly LogRecord[]): Promise<void> {
  const next = (records.at(-1)?.offset ?? -1) + 1;
  await runBatch(partition, { ...AT, records, next, logEnd: next }, ports, noHeartbeat);
}

/** A store in which everybody was folded under the old definitions and silence passed to the end. */
async function stored(records: readonly LogRecord[], all = records): Promise<PipelinePorts> {
  const world = await process(OLD, memoryPorts({ log: logOf(all) }));
  await fold(world, records);
  const cursor = newSweep();
  while (await sweepBlock(world.partition, END, cursor, world.ports, noHeartbeat));
  await flushAll(world.partition, world.ports);
  return world.ports;
}

const CHANGED = typeOf('SegmentMembershipsChanged');

/** The value of a packed record, as it stands in the JSON that takes the place of Avro here. */
function unpacked(value: string): SegmentMembershipsChanged {
  const { bytes } = JSON.parse(value) as { bytes: { data: number[] } };
  return CHANGED.fromBuffer(Buffer.from(bytes.data)) as SegmentMembershipsChanged;
}

function memberships({ emitter }: World): (SegmentMembershipsChanged & { readonly key: string })[] {
  return emitter.sent
    .filter(({ topic }) => topic === 'segment-memberships.v1')
    .map(({ key, value }) => ({ ...unpacked(String(value)), key: String(key) }));
}

async function customer({ ports }: World, key: string): Promise<CustomerState> {
  const [found] = await ports.store.documents('customer.v1').load([key]);
  if (found === undefined) throw new Error(`${key} is not stored`);
  return createCustomer(NEW).state.unpack(new ByteReader(found.state));
}

async function untilDone(world: World): Promise<number[]> {
  const blocks: number[] = [];
  while (!world.partition.backfill.isDone) {
    blocks.push(await backfillBlock(world.partition, END, world.ports, noHeartbeat));
    await flushAll(world.partition, world.ports);
  }
  return blocks;
}

describe('customers of other definitions', () => {
  test('are evaluated anew without a record, once each, in blocks, with the cause DEFINITION', async () => {
    const world = await process(NEW, await stored(views(1_200)));
    const blocks = await untilDone(world);
    expect(blocks.filter((count) => count > 0)).toEqual([512, 512, 176]);
    const told = memberships(world);
    expect(new Set(told.map(({ key }) => key)).size).toBe(1_200);
    expect(told).toHaveLength(1_200);
    expect(new Set(told.map(({ cause, occurredAt }) => `${cause} ${occurredAt}`))).toEqual(
      new Set([`DEFINITION ${END}`]),
    );
    expect(new Set(told.map(({ definitionsVersion }) => definitionsVersion))).toEqual(new Set([NEW.hash]));
    expect((await customer(world, 'acme|u:0')).segments.ids).toEqual(['silent']);
    expect((await customer(world, 'acme|u:1')).segments.ids).toEqual(['silent', 'viewers']);
    expect(world.meter).toMatchObject({ backfilledDocuments: 1_200 });
    expect(world.partition.backfill).toMatchObject({ isDone: true, left: 0 });

    // Nothing is left for whoever comes next, who writes no block for it.
    const next = await process(NEW, world.ports);
    const { head } = next.partition;
    expect(await untilDone(next)).toEqual([0]);
    expect([next.partition.head, next.emitter.sent]).toEqual([head, []]);
  });

  test('count in every gauge as if they had always been of the new ones', async () => {
    const records = views(40);
    const world = await process(NEW, await stored(records));
    await untilDone(world);
    const fresh = await process(NEW, memoryPorts({ log: logOf(records) }));
    await fold(fresh, records);
    const cursor = newSweep();
    while (await sweepBlock(fresh.partition, END, cursor, fresh.ports, noHeartbeat));
    const gauges = ({ partition }: World): string[] =>
      [...partition.processor.totals.gauges(partition.totals)]
        .filter(({ value }) => value !== 0)
        .map((sample) => JSON.stringify(sample))
        .sort();
    expect(gauges(world)).toEqual(gauges(fresh));
  });

  test('are told only when they enter or leave, and what silence is due comes before', async () => {
    const same = { ...OLD, hash: 'definitions-3' };
    const records = views(4);
    const ports = await stored(records);
    const later = END + 400 * DAY;
    const world = await process(same, ports);
    await untilDone(world);
    expect(memberships(world)).toEqual([]);
    expect((await customer(world, 'acme|u:0')).rules).toBe(world.partition.processor.revisions?.current);

    // Under yet others, and a year later: everything that was due in between is evaluated at its own instant.
    const next = await process(NEW, world.ports);
    await backfillBlock(next.partition, later, next.ports, noHeartbeat);
    const instants = memberships(next).map(({ key, occurredAt }) => [key, occurredAt] as const);
    expect(instants.every(([, at]) => at <= later)).toBe(true);
    await flushAll(next.partition, next.ports);
    expect((await customer(next, 'acme|u:1')).segments.ids).toEqual(['silent']);
  });

  test('are passed over when a record came first, which a batch between two blocks may bring', async () => {
    const first = views(600);
    const extra = [0, 1, 598, 599].map((each, index) => view(first.length + index, each, END + index));
    const world = await process(NEW, await stored(first, [...first, ...extra]));
    expect(await backfillBlock(world.partition, END, world.ports, noHeartbeat)).toBe(512);
    await fold(world, extra);
    const blocks = await untilDone(world);
    const told = memberships(world).filter(({ cause }) => cause === 'DEFINITION');
    expect(told).toHaveLength(600);
    expect(new Set(told.map(({ key }) => key)).size).toBe(600);
    expect(blocks.reduce((sum, count) => sum + count, 0)).toBeLessThan(88);
  });

  test('are left alone where nothing was ever evaluated, as identifiers that are linked', async () => {
    const link: CustomerEvent = {
      ...event({}, 'a:1'),
      ...{ kind: 'LINK', interaction: null, identity: { subject: 'u:9', via: null, state: null, at: null } },
    };
    const anonymous = event({ eventId: 'first', occurredAt: T, type: 'PAGE_VIEW' }, 'a:1');
    const records = [
      record(0, T, anonymous),
      record(1, T + 1, event({ eventId: 'none', occurredAt: T, type: 'UNKNOWN' }, 'u:3')),
      record(2, T + 2, link),
    ];
    const world = await process(NEW, await stored(records));
    expect(await untilDone(world)).toEqual([0]);
    expect(world.emitter.sent).toEqual([]);
  });

  test('are found in the journal alone, and where their documents say nothing of definitions', async () => {
    const records = views(4);
    const log = logOf(records);
    const before = await process(OLD, memoryPorts({ log }));
    await fold(before, records);
    // Nothing is stored yet: a pass through the index finds nobody, and is not the last one.
    const world = await process(NEW, before.ports);
    expect(await backfillBlock(world.partition, END, world.ports, noHeartbeat)).toBe(0);
    expect(world.partition.backfill.isDone).toBe(false);
    await flushAll(world.partition, world.ports);
    await untilDone(world);
    expect(new Set(memberships(world).map(({ key }) => key)).size).toBe(4);

    const documents = world.ports.store.documents('customer.v1');
    const bare = (await documents.load(records.map(({ key }) => String(key)))).map((each) => {
      return { ...each, seq: each.seq + 1_000, partition: 0, summary: {} };
    });
    await documents.store(bare);
    const next = await process(NEW, world.ports);
    expect(await documents.countOutdated(0, next.partition.processor.revisions?.current ?? 0)).toBe(bare.length);
    // They are current: nothing is told, and they are written anew.
    expect(await backfillBlock(next.partition, END, next.ports, noHeartbeat)).toBe(0);
    expect(next.partition.dirty.size).toBe(bare.length);
    expect(memberships(next)).toEqual([]);
  });

  test('are counted down by all that a block took, also by what is only written anew', async () => {
    const before = await process(NEW, await stored(views(600)));
    await untilDone(before);
    const documents = before.ports.store.documents('customer.v1');
    const keys = Array.from({ length: 600 }, (_each, customer) => `acme|u:${customer}`);
    const bare = (await documents.load(keys)).map((each) => ({
      ...each,
      ...{ seq: each.seq + 1_000, partition: 0, summary: {} },
    }));
    await documents.store(bare);
    const world = await process(NEW, before.ports);
    const left = () => backfillLeft(world.partition.processor, [world.partition]);
    expect(await backfillBlock(world.partition, END, world.ports, noHeartbeat)).toBe(0);
    expect(left()).toBe(600 - 512);
    await backfillBlock(world.partition, END, world.ports, noHeartbeat);
    expect(left()).toBe(0);
  });

  test('are as many in a block as fit into one', async () => {
    const world = await process(NEW, await stored(views(20)), { blockBytesMax: 2_000 });
    const blocks = await untilDone(world);
    expect(blocks.reduce((sum, count) => sum + count, 0)).toBe(20);
    expect(Math.max(...blocks)).toBeLessThan(10);
    expect(memberships(world)).toHaveLength(20);
  });
});

test('a crash before or after any durable effect on the way leaves the same documents and outputs', async () => {
  const folding: Folding = {
    ...{ create: () => createCustomer(OLD), changed: () => createCustomer(NEW) },
    ...{ at: AT, records: views(60), end: END, batchRecords: 15 },
  };
  const ofNew = { ...folding, create: () => createCustomer(NEW) };
  const whole = await foldWithCrash(folding, Number.POSITIVE_INFINITY);
  const outputs = uniqueByPosition(whole.sent).sort();
  const causes = whole.sent
    .filter(({ topic }) => topic === 'segment-memberships.v1')
    .map(({ value }) => unpacked(String(value)).cause);
  expect(causes.filter((cause) => cause === 'DEFINITION')).toHaveLength(60);
  expect(whole.points).toBeGreaterThan(20);
  for (let nth = 1; nth <= whole.points; nth++) {
    const crashed = await foldWithCrash(folding, nth);
    expect(crashed.crashes).toBe(1);
    expect(uniqueByPosition(crashed.sent).sort(), `crash at ${nth}`).toEqual(outputs);
    expect(documentsOf(ofNew, crashed), `crash at ${nth}`).toEqual(documentsOf(ofNew, whole));
  }
});
