import { setPriority } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { SILENT_LOG } from '../../processors/cli/silent-log.ts';
import { subjectKey } from '../../processors/core/identity.ts';
import { loadConfig } from '../../processors/runtime/config.ts';
import { openServices } from '../../processors/runtime/open-services.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import type { Services } from '../../processors/runtime/services.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { RecordingMeter } from '../harness/runtime-fixture.ts';
import { answer } from './child-process.ts';
import { interleavedSessions } from './events.ts';

export interface OfferTask {
  readonly environment: Readonly<Record<string, string>>;
  /** When the first event is due, ms since the epoch. */
  readonly startedAt: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly customers: number;
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface OfferReport {
  /** From when an event was to be sent until the producer had it. */
  readonly lateMs: Spread;
  /** From then until the broker had it. */
  readonly acknowledgedMs: Spread;
}

const INPUT = 'interactions.v1';
/** Sends on their way at once: one that takes long holds up no event but its own. */
const LANES = 4;
/** Before everything else on the machine, where that is allowed. */
const PRIORITY = -15;

answer(async (task: OfferTask): Promise<OfferReport> => {
  try {
    setPriority(PRIORITY);
  } catch {
    // Not allowed here: how late it was is told with what was measured.
  }
  const wiring = {
    ...{ topics: TOPICS, stores: [], clock: { now: Date.now } },
    ...{ logger: SILENT_LOG, meter: new RecordingMeter() },
  };
  await using services = await openServices(loadConfig(task.environment), wiring);
  await services.codec.prepare([INPUT]);
  return await offer(prepare(task, services.codec), services);
});

/** Every record, encoded beforehand. Its timestamp is when it is to be sent, whatever becomes of those before it. */
function prepare(task: OfferTask, codec: Services['codec']): OutgoingRecord[] {
  const { startedAt, seconds, eventsPerSecond, customers } = task;
  const events = interleavedSessions({ events: seconds * eventsPerSecond, sessions: customers, from: 0 });
  return Array.from(events, (event, index): OutgoingRecord => {
    const timestamp = startedAt + Math.floor((index / eventsPerSecond) * 1000);
    const value = codec.encode(INPUT, { ...event, occurredAt: timestamp });
    return {
      topic: INPUT,
      key: Buffer.from(subjectKey(event.brandId, `u:${event.userId}`)),
      value,
      timestamp,
      headers: {},
    };
  });
}

/** An open loop: each event is sent at its time. */
async function offer(records: readonly OutgoingRecord[], { emitter }: Services): Promise<OfferReport> {
  const lateMs = new Float64Array(records.length);
  const acknowledgedMs = new Float64Array(records.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < records.length) {
      const from = next;
      const now = Date.now();
      while ((records[next]?.timestamp ?? Number.POSITIVE_INFINITY) <= now) next += 1;
      if (next === from) {
        await wait(1);
        continue;
      }
      const due = records.slice(from, next);
      due.forEach(({ timestamp }, index) => (lateMs[from + index] = now - timestamp));
      await emitter.send(due);
      acknowledgedMs.fill(Date.now() - now, from, from + due.length);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { lateMs: spreadOf(lateMs), acknowledgedMs: spreadOf(acknowledgedMs) };
}

function spreadOf(values: Float64Array): Spread {
  const sorted = values.toSorted();
  const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
  return { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) };
}
