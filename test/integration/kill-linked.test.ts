import { expect, test } from 'vitest';
import type { createCustomer } from '../../processors/customer/processor.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import { Random } from '../../processors/simulation/random.ts';
import type { ShopRecord } from '../../processors/simulation/shop.ts';
import type { Command, Interaction } from '../../schemas/types.ts';
import { expectConserved, untilNobodyIsLeft } from '../harness/fault-judgement.ts';
import { FAULT_POINTS } from '../harness/fault-points.ts';
import { drawStrikes, spawnFaulty } from '../harness/faulty-process.ts';
import { startFeed } from '../harness/feed.ts';
import { runCommand, runKizuna } from '../harness/kizuna-process.ts';
import { LinkedWorld } from '../harness/linked-world.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { connectMongodb, kafkaClient } from '../harness/service-clients.ts';
import { produceShop } from '../harness/shop-input.ts';
import { isLongRun, testSeed } from '../harness/test-settings.ts';
import { readTopic, untilFolded } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';
import { churnModel, DAY } from '../processors/customer-fixture.ts';
import {
  asOneUnlessParted,
  customersOf,
  END,
  lifeOf,
  LINKED_RULES,
  peopleOf,
  unlinkOrders,
  weakerKeys,
  withoutRepeatedOrders,
} from '../processors/linked-life.ts';

const PEOPLE = 200;
const EVENTS = 16_000;
const PER_SECOND = 200;
/** The shortest that a broker allows by default: so long a killed member keeps its partitions. */
const SETTINGS = { KIZUNA_SESSION_TIMEOUT_MS: '6000', KIZUNA_HEARTBEAT_MS: '500' };
/** Where what one customer sends another is durable, on its way, or taken over: the others are no different from any traffic. */
const POINTS = isLongRun ? FAULT_POINTS : (['after the block', 'mid-produce', 'before the commit'] as const);

async function commandAll({ codec, emitter }: PipelinePlace, commands: readonly Command[]): Promise<void> {
  const topic = 'commands.v1';
  await emitter.send(
    commands.map((command) => ({
      ...{ topic, key: Buffer.from(command.commandId), value: codec.encode(topic, command) },
      ...{ timestamp: command.issuedAt, headers: {} },
    })),
  );
}

/** Resolves once intake has committed every command. */
async function untilCommandsFolded({ kafkaBrokers, prefix }: PipelinePlace, failed: Promise<never>): Promise<void> {
  const topic = `${prefix}commands.v1`;
  const admin = kafkaClient(kafkaBrokers).admin();
  await admin.connect();
  try {
    const look = async (): Promise<true | undefined> => {
      const held = await admin.fetchTopicOffsets(topic);
      const [answer] = await admin.fetchOffsets({ groupId: `${prefix}kizuna.intake.v1`, topics: [topic] });
      const committed = new Map(answer?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      return held.every(({ partition, high }) => (committed.get(partition) ?? 0) >= Number(high)) ? true : undefined;
    };
    await waitUntil('every command folded', look, { withinMs: 60_000, failed });
  } finally {
    await admin.disconnect();
  }
}

/** The model of the fixture, as a file. */
function modelFile(): object {
  const { model, horizonDays, parameters, baseline, quality } = churnModel();
  return { model, horizonDays, parameters, baseline, quality, fittedAt: '2026-01-01T00:00:00Z' };
}

/** In the currency of a brand without a definition. */
function inDollars(event: Interaction): Interaction {
  return event.order === null ? event : { ...event, order: { ...event.order, currency: 'USD' } };
}

/** Every customer's state as MongoDB has it, by key. */
async function storedStates(
  { mongodbUri, database }: PipelinePlace,
  customer: ReturnType<typeof createCustomer>,
): Promise<Map<string, CustomerState>> {
  const client = await connectMongodb(mongodbUri);
  try {
    const documents = client.db(database).collection<{ _id: string; state: Uint8Array }>('customer.v1.state', {
      readConcern: { level: 'majority' },
      promoteBuffers: true,
    });
    const states = new Map<string, CustomerState>();
    for await (const { _id, state } of documents.find().sort({ _id: 1 })) {
      states.set(_id, customer.state.unpack(new ByteReader(Buffer.from(state))));
    }
    return states;
  } finally {
    await client.close();
  }
}

/** How many records of each kind customers sent each other, by position, so that repeats count once. */
async function stepsIn(place: PipelinePlace): Promise<Record<string, number>> {
  const topic = 'customer-events.v1';
  const seen = new Set<string>();
  const kinds: Record<string, number> = {};
  await readTopic(place, topic, async (records) => {
    await place.codec.learn(
      topic,
      records.map(({ value }) => value),
    );
    for (const { value, headers } of records) {
      const position = headers['position']?.toString() ?? '';
      if (seen.has(position)) continue;
      seen.add(position);
      const { kind } = place.codec.decode(topic, value ?? Buffer.alloc(0)) as { kind: string };
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
  });
  return kinds;
}

describeWithServices('kill -9 while identifiers are linked and parted', () => {
  test('at named points, one of two processes: everybody ends as under one identifier, or as if never linked', async () => {
    const seed = testSeed();
    const strikes = drawStrikes(POINTS, seed);
    const random = new Random(seed);
    const people = peopleOf(PEOPLE);
    const events = withoutRepeatedOrders(lifeOf(random, people, EVENTS, 35 * DAY)).map(inDollars);
    // Keyed by what it happens to be: one person's events come through all partitions.
    const records = events.map((value): ShopRecord => ({
      kind: 'interaction',
      key: value.eventId,
      timestamp: value.occurredAt,
      value,
    }));
    const parted = people.filter((_each, index) => index % 2 === 1);
    const orders = parted.flatMap(unlinkOrders);

    await using written = await writeDefinitions(LINKED_RULES, { acme: modelFile() });
    const options = { time: 'record', definitions: written.folder, settings: SETTINGS } as const;
    await using place = await pipelinePlace('kill-linked', options);
    await using survivor = await runKizuna(place.environment);
    await using feed = startFeed(place, records.values(), PER_SECOND);
    const failed = Promise.race([survivor.failed, feed.failed]);
    for (const strike of strikes) {
      await using victim = spawnFaulty(place.environment, 'SIGKILL', [strike]);
      const isStruck = (): true | undefined => (victim.struck.length > 0 ? true : undefined);
      await waitUntil(`${strike.point}, pass ${strike.pass}`, isStruck, { withinMs: 90_000, failed });
      await victim.gone;
      // Some are parted while they are still to be linked, and others while what was linked is on its way.
      await commandAll(
        place,
        orders.filter(() => random.chance(0.2)),
      );
      process.stdout.write(`killed ${victim.struck[0]}, pass ${strike.pass}: ${feed.sent} sent\n`);
    }
    await feed.stop();
    await produceShop(place, records.slice(feed.sent));
    await untilFolded(place, records.length, { withinMs: 120_000, failed: survivor.failed });
    await commandAll(place, orders);
    await untilCommandsFolded(place, survivor.failed);
    await untilFolded(place, records.length, { withinMs: 120_000, failed: survivor.failed });
    expect(await expectConserved(survivor)).toBeGreaterThan(0);
    expect(await survivor.stop()).toBe(0);
    await untilNobodyIsLeft(place);
    await runCommand(['sweep', '--until', new Date(END).toISOString()], place.environment);

    const definitions = await loadDefinitions(written.folder);
    const single = await LinkedWorld.open({ definitions, partitions: 1, random: () => random.next() });
    for (const each of events) single.tell(asOneUnlessParted(people, parted, each), each.occurredAt);
    await single.drain();
    await single.end(END);
    const expected = customersOf(single.states(), single.customer);

    const states = await storedStates(place, single.customer);
    const found = customersOf(states, single.customer);
    // Who was only ever named beside a stronger one, and was parted, is a customer of whom nothing is known.
    const known = Object.fromEntries(Object.entries(found).filter(([key]) => key in expected));
    expect(known).toEqual(expected);
    const redirects = [...states].filter(([, state]) => single.customer.links(state).redirect !== null);
    const linked = people.filter((person) => !parted.includes(person));
    expect(redirects.map(([key]) => key).sort()).toEqual(linked.flatMap(weakerKeys).sort());
    const steps = await stepsIn(place);
    process.stdout.write(`${JSON.stringify(steps)}\n`);
    for (const kind of ['LINK', 'TRANSFER', 'FORWARD', 'UNLINK', 'SPLIT']) expect(steps[kind]).toBeGreaterThan(50);
  }, 600_000);
});
