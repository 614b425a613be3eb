import { setTimeout as wait } from 'node:timers/promises';
import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import { openServices } from '../../processors/runtime/open-services.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import type { Interaction, SegmentMembershipsChanged } from '../../schemas/types.ts';
import { TOPICS } from '../../topics/catalog.ts';
import type { ProvisionedPlace } from '../harness/provisioned-place.ts';
import { RecordingMeter } from '../harness/runtime-fixture.ts';
import { subjectKey } from '../../processors/core/identity.ts';
import type { Benchmark } from './benchmark.ts';
import { startChild } from './child-process.ts';
import { interleavedSessions } from './events.ts';
import type { PipelineReport, PipelineTask } from './pipeline-process.ts';
import { expectKind, openPlace } from './stage.ts';

const EVENTS_PER_SECOND = 2_000;
const WARM_UP_SECONDS = 5;
const SECONDS = 30;
const CUSTOMERS = 20_000;
const INPUT = 'interactions.v1';
const OUTPUT = 'segment-memberships.v1';

export const latency: Benchmark = {
  name: 'latency',
  about: 'from an interaction to its membership record, through everything, at 2,000 events/s offered',
  targets: [
    { figure: 'p50 ms', unit: 'ms', bound: 'at most', value: 50 },
    { figure: 'p99 ms', unit: 'ms', bound: 'at most', value: 250 },
  ],
  async run(surroundings) {
    await using place = await openPlace(surroundings, { segments: 100, time: 'live' });
    using child = startChild<PipelineTask | { stop: true }, PipelineReport>(
      'pipeline-process.ts',
      surroundings.profileFolder,
    );
    child.send({ environment: place.environment, only: ['intake', 'customer'], drain: null, idleSeconds: null });
    expectKind(await child.next(), 'ready');
    await using outputs = await watchMemberships(place);
    surroundings.progress(`${EVENTS_PER_SECOND} events/s for ${WARM_UP_SECONDS + SECONDS} s`);
    const startedAt = Date.now() + 500;
    const lateMs = await offer(startedAt, place);
    // What is still on its way after that is no latency but a lag: it is missed, and shows as too few records.
    await wait(2_000);
    child.send({ stop: true });
    expectKind(await child.next(), 'ended');
    await child.ended();
    const measured = outputs.seen.filter(({ at }) => at >= startedAt + WARM_UP_SECONDS * 1000);
    const sorted = Float64Array.from(measured, ({ ms }) => ms).toSorted();
    const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
    return {
      figures: { 'p50 ms': quantile(0.5), 'p99 ms': quantile(0.99), 'p99.9 ms': quantile(0.999) },
      details: { 'records measured': sorted.length, 'maximum ms': quantile(1), 'generator late at most, ms': lateMs },
    };
  },
};

/**
 * Sends each event at its time, whatever became of those before (an open loop). A record's timestamp is when it was to be
 * sent, so that a generator that is held up adds to the latency. Answers how late it was at most.
 */
async function offer(startedAt: number, { codec, emitter }: ProvisionedPlace): Promise<number> {
  const events = (WARM_UP_SECONDS + SECONDS) * EVENTS_PER_SECOND;
  const prepared = Array.from(interleavedSessions({ events, sessions: CUSTOMERS, from: 0 }));
  let next = 0;
  let lateMs = 0;
  while (next < events) {
    const due = Math.min(events, Math.floor(((Date.now() - startedAt) / 1000) * EVENTS_PER_SECOND));
    const records: OutgoingRecord[] = [];
    for (; next < due; next++) {
      const timestamp = startedAt + Math.floor((next / EVENTS_PER_SECOND) * 1000);
      const interaction = prepared[next];
      if (interaction !== undefined) records.push(recordOf({ ...interaction, occurredAt: timestamp }, codec));
      lateMs = Math.max(lateMs, Date.now() - timestamp);
    }
    if (records.length > 0) await emitter.send(records);
    else await wait(1);
  }
  return lateMs;
}

function recordOf(interaction: Interaction, codec: ProvisionedPlace['codec']): OutgoingRecord {
  const key = Buffer.from(subjectKey(interaction.brandId, `u:${interaction.userId}`));
  const value = codec.encode(INPUT, interaction);
  return { topic: INPUT, key, value, timestamp: interaction.occurredAt, headers: {} };
}

/** Every membership record that an event caused, with the time of that event and how long after it the record was here. */
async function watchMemberships(place: ProvisionedPlace) {
  const seen: { at: number; ms: number }[] = [];
  const wiring = {
    topics: TOPICS,
    stores: [],
    clock: { now: Date.now },
    logger: SILENT_LOG,
    meter: new RecordingMeter(),
  };
  const services = await openServices(place.config, wiring);
  await services.log.join('bench.watch', [OUTPUT], {
    assigned: () => undefined,
    revoked: () => undefined,
    crashed: (error) => {
      throw error;
    },
    onBatch: async (batch, heartbeat) => {
      const now = Date.now();
      const values = batch.records.map(({ value }) => value);
      await services.codec.learn(OUTPUT, values);
      for (const value of values) {
        const record = value === null ? null : services.codec.decode(OUTPUT, value);
        if (record === null || typeof record === 'string') continue;
        // The topic's schema says so.
        const { cause, occurredAt } = record as SegmentMembershipsChanged;
        if (cause === 'EVENT') seen.push({ at: occurredAt, ms: now - occurredAt });
      }
      await heartbeat();
      return 'done';
    },
  });
  return { seen, [Symbol.asyncDispose]: () => services[Symbol.asyncDispose]() };
}
