import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { subjectKey } from '../../processors/core/identity.ts';
import type { Instant } from '../../processors/core/processor.ts';
import { partitionOfKey } from '../../processors/runtime/partitioner.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import { purchaseInteraction } from '../harness/cdnow.ts';
import { placeOn } from '../harness/place.ts';
import { provisionPlace, type ProvisionedPlace } from '../harness/provisioned-place.ts';
import type { Surroundings } from './benchmark.ts';
import { startChild, type Child } from './child-process.ts';
import { BRAND } from './events.ts';
import { watchMemberships } from './memberships.ts';
import { offerEvents } from './offering.ts';
import type { MetricSum, PipelineReport, PipelineRequest, PipelineTask } from './pipeline-process.ts';
import { writeDefinitions } from './segments.ts';
import { expectKind } from './stage.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PARTITIONS = 4;
const SEGMENTS = 100;
const INPUT = 'customer-events.v1';
const CHUNK_RECORDS = 20_000;
/** What herds leave: by a window, by an age. */
const MONTH = 'month';
const FRESH = 'fresh';
/** From the start of the process, or the leap of its clock, to the first thing that is measured. */
const LEAD_SECONDS = 15;
/** Preparing the events takes a moment. */
const OFFER_AHEAD_MS = 2_000;
/** How long after the last deadline a record is waited for before it counts as missing. */
const GIVE_UP_MS = 60_000;

/** Customers of whom nothing more is heard, and how they leave a segment. */
export interface Herd {
  readonly customers: number;
  /** All on this partition; null: wherever their keys are. */
  readonly partition: number | null;
  /** `window`: their month ends at 00:00 UTC. `age`: a day after their order, one after the other over so many seconds. */
  readonly leave: 'window' | { readonly overSeconds: number };
  /** Whether the process that sees them leave has them in memory; else it has just been started. */
  readonly cached: boolean;
  /** Events a second of other customers, from so many seconds after the first deadline on (before it: negative). */
  readonly others: { readonly perSecond: number; readonly fromSeconds: number; readonly seconds: number };
}

export interface HerdSeen {
  /** When each was to leave, and when the record was here, both by the pipeline's clock. */
  readonly exits: readonly { readonly due: Instant; readonly arrivedAt: Instant }[];
  /** The same of records that events of others caused: their time and their arrival. */
  readonly others: readonly { readonly at: Instant; readonly arrivedAt: Instant }[];
  readonly generatorLateMs: number;
  /** Of the process that saw them leave. */
  readonly metrics: readonly MetricSum[];
  /** The first deadline. */
  readonly from: Instant;
}

type Pipeline = Child<PipelineTask | PipelineRequest, PipelineReport>;

/** Loads a herd, lets its deadlines come, and answers what a consumer of the memberships saw. */
export async function watchHerd(herd: Herd, surroundings: Surroundings): Promise<HerdSeen> {
  await using place = await openHerdPlace(surroundings);
  // The last 00:00 UTC: Kafka refuses records from the future, so the pipeline's clock is set back instead.
  const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const overMs = herd.leave === 'window' ? 0 : herd.leave.overSeconds * 1000;
  const deadlines = await loadHerd(herd, midnight, overMs, place);
  surroundings.progress(`${herd.customers} customers loaded`);

  let shiftMs = 0;
  const exits: { due: Instant; arrivedAt: Instant }[] = [];
  const others: { at: Instant; arrivedAt: Instant }[] = [];
  const left = new Set<string>();
  const segment = herd.leave === 'window' ? MONTH : FRESH;
  await using stack = new AsyncDisposableStack();
  stack.use(
    await watchMemberships(place, ({ customerId, cause, occurredAt, changes }, arrivedAt) => {
      const due = deadlines.get(customerId);
      if (due === undefined) {
        if (cause === 'EVENT') others.push({ at: occurredAt, arrivedAt: arrivedAt + shiftMs });
      } else if (changes.some(({ segmentId, change }) => segmentId === segment && change === 'EXITED')) {
        if (occurredAt !== due) throw new Error(`${customerId} left at ${occurredAt} instead of ${due}`);
        if (left.has(customerId)) throw new Error(`${customerId} left twice`);
        left.add(customerId);
        exits.push({ due, arrivedAt: arrivedAt + shiftMs });
      }
    }),
  );

  const { perSecond, fromSeconds, seconds } = herd.others;
  const leadMs = 1000 * Math.max(LEAD_SECONDS, LEAD_SECONDS - fromSeconds);
  using pipeline = await settledPipeline(herd, midnight, place, surroundings.profileFolder);
  shiftMs = midnight - leadMs - Date.now();
  await pipeline.setClock(shiftMs);
  surroundings.progress(`${leadMs / 1000} s to the first deadline`);

  const from = midnight - shiftMs + fromSeconds * 1000;
  await wait(Math.max(0, from - OFFER_AHEAD_MS - Date.now()));
  const generatorLateMs = await offerEvents({ perSecond, seconds, customers: 20_000, from, shiftMs }, place);
  const giveUpAt = midnight - shiftMs + overMs + GIVE_UP_MS;
  while (exits.length < herd.customers && Date.now() < giveUpAt) await wait(50);
  // For the events whose records are still on their way.
  await wait(2_000);
  const metrics = await pipeline.end();
  if (exits.length !== herd.customers) throw new Error(`${exits.length} of ${herd.customers} left`);
  return { exits, others, generatorLateMs, metrics, from: midnight };
}

/** A place where customers are in segments as marketers write them, and in the two that herds leave. */
async function openHerdPlace({ services, folder }: Surroundings): Promise<ProvisionedPlace> {
  const definitions = await writeDefinitions(await mkdtemp(join(folder, 'definitions-')), SEGMENTS);
  const own = { [MONTH]: { 'traits.orders.30d': { $gte: 1 } }, [FRESH]: { 'ages.orders': { $lt: 1 } } };
  for (const [id, where] of Object.entries(own)) {
    const text = JSON.stringify({ id, name: id, brands: ['*'], where });
    await writeFile(join(definitions, 'segments', `${id}.json`), text);
  }
  return provisionPlace(placeOn(await services(), 'bench'), { time: 'live', definitions, partitions: PARTITIONS });
}

/** Puts one order of each customer into the customer stage's input. Answers when each is to leave. */
async function loadHerd(
  herd: Herd,
  from: Instant,
  overMs: number,
  { codec, emitter }: ProvisionedPlace,
): Promise<Map<string, Instant>> {
  const deadlines = new Map<string, Instant>();
  const records: OutgoingRecord[] = [];
  for (let number = 0; deadlines.size < herd.customers; number++) {
    const customer = `herd-${number}`;
    const subject = `u:${customer}`;
    const key = Buffer.from(subjectKey(BRAND, subject));
    if (herd.partition !== null && partitionOfKey(key, PARTITIONS) !== herd.partition) continue;
    const share = deadlines.size / herd.customers;
    const due = from + Math.floor(share * overMs);
    deadlines.set(subject, due);
    // A window of 30 days is the newest 31 tiles: what happened on a day leaves it 31 days after that began.
    const at = herd.leave === 'window' ? due - 31 * DAY_MS + Math.floor(share * DAY_MS) : due - DAY_MS;
    const interaction = { ...purchaseInteraction({ customer, line: number, at, cents: 1_000 }), brandId: BRAND };
    const value = codec.encode(INPUT, { brandId: BRAND, subject, kind: 'INTERACTION', interaction });
    records.push({ topic: INPUT, key, value, timestamp: at, headers: {} });
  }
  records.sort((one, other) => one.timestamp - other.timestamp);
  for (let sent = 0; sent < records.length; sent += CHUNK_RECORDS) {
    await emitter.send(records.slice(sent, sent + CHUNK_RECORDS));
  }
  return deadlines;
}

/** A pipeline that has folded the herd, an hour before its deadlines, and everything that was due until then. */
async function settledPipeline(herd: Herd, midnight: Instant, place: ProvisionedPlace, profileFolder: string | null) {
  const start = (task: Partial<PipelineTask>): Pipeline => {
    const child: Pipeline = startChild('pipeline-process.ts', profileFolder);
    const { environment } = place;
    child.send({ environment, only: ['intake', 'customer'], drain: null, idleSeconds: null, ...task });
    return child;
  };
  let child: Pipeline;
  const end = async (): Promise<readonly MetricSum[]> => {
    child.send({ stop: true });
    const { metrics } = expectKind(await child.next(), 'ended');
    await child.ended();
    return metrics;
  };
  child = start({ drain: herd.customers, settle: true, clockShiftMs: midnight - HOUR_MS - Date.now() });
  for (const kind of ['ready', 'drained', 'settled'] as const) expectKind(await child.next(), kind);
  if (!herd.cached) await end();
  const setClock = async (clockShiftMs: number): Promise<void> => {
    if (herd.cached) return child.send({ clockShiftMs });
    child = start({ clockShiftMs });
    expectKind(await child.next(), 'ready');
  };
  return { setClock, end, [Symbol.dispose]: () => child[Symbol.dispose]() };
}
