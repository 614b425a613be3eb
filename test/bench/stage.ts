import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { subjectKey } from '../../processors/core/identity.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import { placeOn } from '../harness/place.ts';
import { provisionPlace, type ProvisionedPlace } from '../harness/provisioned-place.ts';
import type { Surroundings } from './benchmark.ts';
import { startChild } from './child-process.ts';
import { interleavedSessions, spanMs, type SessionEvents } from './events.ts';
import type { MetricSum, PipelineReport, PipelineTask } from './pipeline-process.ts';
import { writeDefinitions } from './segments.ts';

/** As the targets are stated. */
const SESSIONS_MAX = 100_000;
/** Fewer events have fewer sessions: with less than so many each, first events would be most of the work. */
const EVENTS_PER_SESSION = 10;
const PARTITIONS = 4;
const CHUNK_RECORDS = 20_000;

/** A place with every topic, four partitions, and so many generated segments. */
export async function openPlace(
  { services, folder }: Surroundings,
  options: { readonly segments: number; readonly time: 'live' | 'record' },
): Promise<ProvisionedPlace> {
  const definitions = await writeDefinitions(await mkdtemp(join(folder, 'definitions-')), options.segments);
  return provisionPlace(placeOn(await services(), 'bench'), {
    time: options.time,
    definitions,
    partitions: PARTITIONS,
  });
}

/** So many events that end a minute ago. */
export function pastSessions(events: number): SessionEvents {
  const sessions = Math.min(SESSIONS_MAX, Math.ceil(events / EVENTS_PER_SESSION));
  return { events, sessions, from: Date.now() - 60_000 - spanMs({ events, sessions }) };
}

/** Fills the pipeline's input, or, as intake would have, the customer stage's. */
export async function preload(
  topic: 'interactions.v1' | 'customer-events.v1',
  sessions: SessionEvents,
  place: ProvisionedPlace,
  progress: Surroundings['progress'],
): Promise<void> {
  let chunk: OutgoingRecord[] = [];
  let sent = 0;
  const send = async (): Promise<void> => {
    await place.emitter.send(chunk);
    sent += chunk.length;
    chunk = [];
    progress(`${sent} of ${sessions.events} events in ${topic}`);
  };
  let index = 0;
  for (const interaction of interleavedSessions(sessions)) {
    const subject = `u:${interaction.userId}`;
    const key = Buffer.from(subjectKey(interaction.brandId, subject));
    const timestamp = interaction.occurredAt;
    if (topic === 'interactions.v1') {
      chunk.push({ topic, key, value: place.codec.encode(topic, interaction), timestamp, headers: {} });
    } else {
      const { brandId } = interaction;
      const value = place.codec.encode(topic, { brandId, subject, kind: 'INTERACTION', interaction });
      const position = `kizuna.intake.v1@1/interactions.v1/${index % PARTITIONS}:${index}.0`;
      chunk.push({ topic, key, value, timestamp, headers: { position } });
    }
    index += 1;
    if (chunk.length === CHUNK_RECORDS) await send();
  }
  if (chunk.length > 0) await send();
}

export interface Drained {
  /** Events a second until the last was folded, and until the last document was stored too. */
  readonly foldedPerSecond: number;
  readonly storedPerSecond: number;
  /** Of the pipeline's process, until the last document was stored. */
  readonly cpuMicrosPerEvent: number;
  readonly foldedCpuMicrosPerEvent: number;
  readonly documents: number;
  readonly heapBytesMax: number;
  readonly metrics: readonly MetricSum[];
}

/** Runs the named processors in a process of their own until all events are folded and stored. */
export async function drain(
  place: ProvisionedPlace,
  only: readonly string[],
  events: number,
  surroundings: Surroundings,
): Promise<Drained> {
  using child = startChild<PipelineTask | { stop: true }, PipelineReport>(
    'pipeline-process.ts',
    surroundings.profileFolder,
  );
  child.send({ environment: place.environment, only, drain: events, idleSeconds: null });
  expectKind(await child.next(), 'ready');
  surroundings.progress(`${only.join(' and ')} at work on ${events} events`);
  const drained = expectKind(await child.next(), 'drained');
  child.send({ stop: true });
  const { metrics } = expectKind(await child.next(), 'ended');
  await child.ended();
  return {
    foldedPerSecond: drained.events / drained.folded.seconds,
    storedPerSecond: drained.events / drained.stored.seconds,
    cpuMicrosPerEvent: (drained.stored.cpuSeconds / drained.events) * 1e6,
    foldedCpuMicrosPerEvent: (drained.folded.cpuSeconds / drained.events) * 1e6,
    documents: drained.documents,
    heapBytesMax: drained.heapBytesMax,
    metrics,
  };
}

/** The report, which must be of this kind. */
export function expectKind<Kind extends PipelineReport['kind']>(
  report: PipelineReport,
  kind: Kind,
): Extract<PipelineReport, { kind: Kind }> {
  if (report.kind !== kind) throw new Error(`the pipeline said ${report.kind} instead of ${kind}`);
  return report as Extract<PipelineReport, { kind: Kind }>;
}

/** Adds up the samples of one metric whose labels hold `labels`. */
export function sumOf(
  metrics: readonly MetricSum[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  let sum = 0;
  for (const sample of metrics) {
    if (sample.name !== name) continue;
    if (Object.entries(labels).every(([label, value]) => sample.labels[label] === value)) sum += sample.value;
  }
  return sum;
}
