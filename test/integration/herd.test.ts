import { expect, test } from 'vitest';
import { subjectKey } from '../../processors/core/identity.ts';
import { partitionOfKey } from '../../processors/runtime/partitioner.ts';
import type { Emitter, OutgoingRecord } from '../../processors/runtime/ports.ts';
import { purchaseInteraction } from '../harness/cdnow.ts';
import { produceInteractions, type LoggedInteraction } from '../harness/interactions.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { untilStored } from '../harness/running-pipeline.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { followTopic, progressOf, untilFolded, type TopicRecord } from '../harness/topic-records.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { writeDefinitions } from '../harness/written-definitions.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const PARTITIONS = 4;
const PARTITION = 1;
const HERD = 3_000;
/** Those of the herd of whom something is heard after the restart, so that they are in memory. */
const TOUCHED = 300;
/** How long before the deadline the clock is when the process has started again. */
const AHEAD_MS = 5_000;
const SOON = { withinMs: 40_000 };
const TOPIC = 'segment-memberships.v1';

interface Change {
  readonly customerId: string;
  readonly occurredAt: number;
  readonly cause: string;
  readonly changes: readonly { readonly segmentId: string; readonly change: string }[];
}

/** So many customers whose keys are on one partition. */
function customersNamed(prefix: string, count: number): string[] {
  const customers: string[] = [];
  for (let number = 0; customers.length < count; number++) {
    const customer = `${prefix}${number}`;
    const key = Buffer.from(subjectKey('cdnow', `u:${customer}`));
    if (partitionOfKey(key, PARTITIONS) === PARTITION) customers.push(customer);
  }
  return customers;
}

function purchase(customer: string, line: number, at: number): LoggedInteraction {
  return { key: customer, timestamp: at, value: purchaseInteraction({ customer, line, at, cents: 100 }) };
}

function pageView(customer: string, line: number, at: number): LoggedInteraction {
  const { key, timestamp, value } = purchase(customer, line, at);
  return { key, timestamp, value: { ...value, channel: 'WEB', type: 'PAGE_VIEW', order: null } };
}

describeWithServices('a herd whose month ends at 00:00 UTC', () => {
  test('leaves at that instant, each once, with the records of others in between', async () => {
    await using written = await writeDefinitions({ month: { 'traits.orders.30d': { $gte: 1 } } });
    await using place = await pipelinePlace('herd', {
      time: 'live',
      definitions: written.folder,
      partitions: PARTITIONS,
    });
    // Kafka refuses records from the future: the clock is set back to before the last 00:00 UTC.
    const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    let shiftMs = midnight - HOUR_MS - Date.now();
    const clock = { now: () => Date.now() + shiftMs };
    const herd = customersNamed('h-', HERD);
    const others = customersNamed('o-', 1_000);

    await using seen = await follow(place);
    {
      await using loading = await place.start({ clock });
      // The newest 31 days count: what happened on a day leaves 31 days after that began.
      const at = (line: number): number => midnight - 31 * DAY_MS + line * 1_000;
      await produceInteractions(
        place,
        herd.map((customer, line) => purchase(customer, line, at(line))),
      );
      await untilFolded(place, HERD, { ...SOON, failed: loading.pipeline.failed });
      await untilStored(loading, SOON.withinMs);
    }

    let sent = HERD;
    let between = 0;
    /** Between two blocks of the herd, somebody else buys something. */
    const withOthers = (emitter: Emitter): Emitter => ({
      send: async (records: readonly OutgoingRecord[]) => {
        await emitter.send(records);
        if (!records.some(({ topic, timestamp }) => topic === TOPIC && timestamp === midnight)) return;
        const [before] = await progressOf(place);
        const customer = others[between++] ?? '';
        await produceInteractions(place, [purchase(customer, HERD + TOUCHED + between, clock.now())]);
        sent += 1;
        // Intake has sent it on: the next fetch brings it.
        const passed = async (): Promise<true | undefined> =>
          ((await progressOf(place))[0]?.committed ?? 0) > (before?.committed ?? 0) ? true : undefined;
        await waitUntil('intake sends it on', passed, SOON);
      },
      close: () => emitter.close(),
    });
    shiftMs = midnight - AHEAD_MS - Date.now();
    await using kizuna = await place.start({
      clock,
      watch: (services) => ({ ...services, emitter: withOthers(services.emitter) }),
    });
    const { failed } = kizuna.pipeline;
    const touched = herd.slice(0, TOUCHED).map((customer, index) => pageView(customer, HERD + index, clock.now()));
    await produceInteractions(place, touched);
    sent += TOUCHED;
    const isExit = ({ change }: Seen): boolean => change.occurredAt === midnight && change.cause === 'TIME';
    const exits = (): Seen[] => seen.records.filter(isExit);
    await waitUntil('the herd has left', () => (exits().length >= HERD ? true : undefined), {
      withinMs: AHEAD_MS + SOON.withinMs,
      failed: Promise.race([failed, seen.failed]),
      seen: () => `${exits().length} of ${HERD}`,
    });
    await untilFolded(place, sent, { ...SOON, failed });
    await untilStored(kizuna, SOON.withinMs);

    const left = exits();
    expect(left.map(({ change }) => change.customerId).toSorted()).toEqual(
      herd.map((customer) => `u:${customer}`).toSorted(),
    );
    const exited = [expect.objectContaining({ segmentId: 'month', change: 'EXITED' })];
    for (const { change, record } of left) expect([record.timestamp, change.changes]).toEqual([midnight, exited]);
    // The topic has the partitions of its input, so its order is that of the blocks.
    const [first, last] = [left[0]?.record.offset ?? 0, left.at(-1)?.record.offset ?? 0];
    const inBetween = seen.records.filter(
      ({ change, record }) => change.cause === 'EVENT' && record.offset > first && record.offset < last,
    );
    expect(between).toBeGreaterThan(2);
    expect(inBetween.length).toBeGreaterThan(0);
    const late = left.map(({ arrivedAt }) => arrivedAt + shiftMs - midnight).toSorted((a, b) => a - b);
    process.stdout.write(
      `a herd of ${HERD}: ${late[0]} to ${late.at(-1)} ms late in ${between} blocks, ${inBetween.length} records of others in between\n`,
    );
  });
});

interface Seen {
  readonly change: Change;
  readonly record: TopicRecord;
  readonly arrivedAt: number;
}

/** Everything that arrives in the partition, by a foreign reader. */
async function follow(place: Awaited<ReturnType<typeof pipelinePlace>>) {
  const records: Seen[] = [];
  const follower = await followTopic(place, TOPIC, async (batch) => {
    const arrivedAt = Date.now();
    await place.codec.learn(
      TOPIC,
      batch.map(({ value }) => value),
    );
    for (const record of batch) {
      const change = place.codec.decode(TOPIC, record.value ?? Buffer.alloc(0)) as Change;
      records.push({ change, record, arrivedAt });
    }
  });
  return { records, failed: follower.failed, [Symbol.asyncDispose]: () => follower[Symbol.asyncDispose]() };
}
