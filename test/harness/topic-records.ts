import { randomBytes } from 'node:crypto';
import kafkajs, { type KafkaJSError } from 'kafkajs';
import { toLogBatch } from '../../processors/runtime/kafka/kafka-records.ts';
import type { Sandbox } from './sandbox.ts';
import { kafkaClient } from './service-clients.ts';
import { waitUntil } from './wait-until.ts';

/** A record as a foreign reader sees it. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

type Place = Pick<Sandbox, 'kafkaBrokers' | 'prefix'>;

/** Gives every record that the topic holds now to `onRecords`, batch by batch, in order within each partition. */
export async function readTopic(
  place: Place,
  topic: string,
  onRecords: (records: readonly TopicRecord[]) => void | Promise<void>,
): Promise<void> {
  const left = new Map<number, number>();
  for (const { partition, start, end } of await topicRanges(place, topic)) if (end > start) left.set(partition, end);
  if (left.size === 0) return;
  const done = Promise.withResolvers<void>();
  await using follower = await followTopic(place, topic, async (records, next) => {
    await onRecords(records);
    const partition = records[0]?.partition ?? -1;
    if (next >= (left.get(partition) ?? 0)) left.delete(partition);
    if (left.size === 0) done.resolve();
  });
  await Promise.race([done.promise, follower.failed]);
}

export interface Follower extends AsyncDisposable {
  readonly failed: Promise<never>;
}

/** Reads a topic from its beginning, and on as records come, until it is disposed. `next`: the offset after the batch. */
export async function followTopic(
  place: Place,
  topic: string,
  onRecords: (records: readonly TopicRecord[], next: number) => void | Promise<void>,
): Promise<Follower> {
  const kafka = kafkaClient(place.kafkaBrokers);
  const groupId = `${place.prefix}reader-${randomBytes(4).toString('hex')}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    failed.reject(payload.error);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [place.prefix + topic], fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      // Where the adapter is loaded it reads the fetches of every consumer, and only the adapter finds its records again.
      const { partition, records, next } = toLogBatch(topic, batch);
      await onRecords(
        records.map((record): TopicRecord => ({ ...record, partition, headers: buffers(record.headers) })),
        next,
      );
    },
  });
  return { failed: failed.promise, [Symbol.asyncDispose]: () => consumer.disconnect() };
}

function buffers(headers: object | undefined): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).flatMap(([name, value]: [string, unknown]) =>
      Buffer.isBuffer(value) ? [[name, value]] : typeof value === 'string' ? [[name, Buffer.from(value)]] : [],
    ),
  );
}

/** The first and the next offset of each partition. */
export async function topicRanges(
  place: Place,
  topic: string,
): Promise<{ partition: number; start: number; end: number }[]> {
  return asking(place, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(place.prefix + topic);
    return offsets.map(({ partition, low, high }) => ({ partition, start: Number(low), end: Number(high) }));
  });
}

/** What each hop reads, in the order of the flow. */
const HOPS = [
  { group: 'kizuna.intake.v1', topic: 'interactions.v1' },
  { group: 'kizuna.customer.v1', topic: 'customer-events.v1' },
  { group: 'kizuna.touchpoint.v1', topic: 'touchpoint-events.v1' },
  { group: 'kizuna.experiment.v1', topic: 'experiment-events.v1' },
  { group: 'kizuna.brand.v1', topic: 'brand-partials.v1' },
] as const;

export interface HopProgress {
  /** Records that the group has committed, and that its topic holds. */
  readonly committed: number;
  readonly held: number;
  /** The committed offset of each partition; 0 when there is none. */
  readonly offsets: readonly number[];
}

/** How far each hop is: intake, customer, touchpoint, experiment, brand. */
export async function progressOf(place: Place): Promise<HopProgress[]> {
  return asking(place, async (admin) => {
    const progress = [];
    for (const { group, topic } of HOPS) {
      const held = await admin.fetchTopicOffsets(place.prefix + topic);
      const [answer] = await admin.fetchOffsets({ groupId: place.prefix + group, topics: [place.prefix + topic] });
      const partitions = (answer?.partitions ?? []).toSorted((a, b) => a.partition - b.partition);
      const offsets = partitions.map(({ offset }) => Math.max(0, Number(offset)));
      progress.push({
        committed: offsets.reduce((sum, offset) => sum + offset, 0),
        held: held.reduce((sum, { high }) => sum + Number(high), 0),
        offsets,
      });
    }
    return progress;
  });
}

/**
 * Resolves when each partition of intake and customer has been committed beyond what it is now: none is owned by somebody who
 * is gone or asleep. Touchpoints have too few keys to move every partition.
 */
export async function untilAllGoOn(
  place: Place,
  options: { readonly withinMs: number; readonly failed?: Promise<never> },
): Promise<void> {
  const offsets = async (): Promise<number[]> => (await progressOf(place)).slice(0, 2).flatMap((hop) => hop.offsets);
  const before = await offsets();
  const look = async (): Promise<true | undefined> =>
    (await offsets()).every((offset, index) => offset > (before[index] ?? 0)) ? true : undefined;
  await waitUntil('every partition gets on', look, { ...options, seen: () => before.join(' ') });
}

/**
 * Resolves once every group has committed all there is, which they do after their outputs were acknowledged. `expected`:
 * how many interactions there must be.
 */
export async function untilFolded(
  place: Place,
  expected: number,
  options: { readonly withinMs: number; readonly failed?: Promise<never> },
): Promise<void> {
  let seen = '';
  const look = async (): Promise<true | undefined> => {
    const [intake, ...behind] = await progressOf(place);
    seen = [intake, ...behind].map((hop) => `${hop?.committed} of ${hop?.held}`).join(', ');
    if (intake === undefined || intake.committed < expected) return undefined;
    return behind.every(({ committed, held }) => committed >= held) ? true : undefined;
  };
  await waitUntil('every record folded', look, { ...options, seen: () => seen });
}

type Admin = ReturnType<ReturnType<typeof kafkaClient>['admin']>;

const ASK_WITHIN_MS = 60_000;

/** Asks again while the broker or a coordinator is away or has only just started. */
async function asking<T>(place: Place, ask: (admin: Admin) => Promise<T>): Promise<T> {
  let refusal = '';
  const look = async (): Promise<{ readonly answer: T } | undefined> => {
    const admin = kafkaClient(place.kafkaBrokers).admin();
    try {
      await admin.connect();
      return { answer: await ask(admin) };
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSError) || !mayPass(error)) throw error;
      refusal = error.message;
      return undefined;
    } finally {
      await admin.disconnect();
    }
  };
  const { answer } = await waitUntil('Kafka answers', look, { withinMs: ASK_WITHIN_MS, seen: () => refusal });
  return answer;
}

/** kafkajs calls what it has tried often enough not retriable; what it has tried is the cause. */
function mayPass(error: KafkaJSError): boolean {
  return error.retriable || error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded;
}
