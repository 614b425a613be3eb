import type { Registry } from 'prom-client';
import type { ExperimentResults, SegmentMembershipsChanged } from '../../schemas/types.ts';
import type { Reason } from '../core/reasons.ts';
import type { Kizuna } from '../main.ts';
import type { Emitter, OutgoingRecord } from '../runtime/ports.ts';
import type { OutcomeCounts, ShopSummary } from '../simulation/summary.ts';
import { shopTotals } from './shop-totals.ts';

const MEMBERSHIPS = 'segment-memberships.v1';
const RESULTS = 'experiment-results.v1';
const CHANGES_KEPT = 8;
const BANDS = ['LOW', 'MEDIUM', 'HIGH', 'INSUFFICIENT_DATA'] as const;

export interface ShopMoment {
  readonly startedAt: number;
  readonly simulatedAt: number;
  readonly live: boolean;
  readonly embedded: boolean;
}

/** Looks over the pipeline's shoulder for the live summary: what it publishes, its metrics, its totals. */
export class ShopWatch {
  readonly #newest: OutgoingRecord[] = [];
  /** Of each metric of an experiment, which the definitions bound. */
  readonly #results = new Map<string, OutgoingRecord>();
  #seen: { at: number; events: number; perSecond: number } = { at: performance.now(), events: 0, perSecond: 0 };

  /** Remembers the newest membership changes and experiment results on their way out. */
  emitter(emitter: Emitter): Emitter {
    return {
      send: async (records) => {
        await emitter.send(records);
        for (let index = records.length - 1, found = 0; index >= 0 && found < CHANGES_KEPT; index--) {
          const record = records[index];
          if (record?.topic !== MEMBERSHIPS) continue;
          this.#newest.splice(found++, 0, record);
        }
        for (const record of records)
          if (record.topic === RESULTS) this.#results.set(record.key?.toString() ?? '', record);
        this.#newest.length = Math.min(this.#newest.length, CHANGES_KEPT);
      },
      close: () => emitter.close(),
    };
  }

  async summary(kizuna: Kizuna, moment: ShopMoment): Promise<ShopSummary> {
    const outcomes = await outcomesOf(kizuna.registry);
    const events = totalOf(outcomes.find(({ processor }) => processor === 'intake'));
    const { members, bands, kpis, weekKpis, triggers, touchpoints, cases } = shopTotals(kizuna);
    return {
      services: moment.embedded ? [] : kizuna.services.description.split(', '),
      startedAt: moment.startedAt,
      simulatedAt: moment.simulatedAt,
      live: moment.live,
      elapsedSeconds: (Date.now() - moment.startedAt) / 1000,
      events,
      eventsPerSecond: this.#rate(events),
      customers: [...bands.values()].reduce((sum, count) => sum + count, 0),
      segments: kizuna.definitions.segments.map(({ id, name }) => ({ id, name, members: members.get(id) ?? 0 })),
      churn: BANDS.map((band) => ({ band, customers: bands.get(band) ?? 0 })),
      kpis,
      weekKpis,
      triggers,
      touchpoints,
      cases,
      experiments: [...this.#results.values()].flatMap((record) => decoded<ExperimentResults>(record, kizuna)),
      changes: this.#newest.flatMap((record) => decoded<SegmentMembershipsChanged>(record, kizuna)),
      outcomes,
      metricsAddress: `${kizuna.url}/metrics`,
    };
  }

  /** Events a second over about the last second. */
  #rate(events: number): number {
    const now = performance.now();
    const seconds = (now - this.#seen.at) / 1000;
    if (seconds >= 1) this.#seen = { at: now, events, perSecond: (events - this.#seen.events) / seconds };
    return this.#seen.perSecond;
  }
}

function decoded<Value extends object>(record: OutgoingRecord, { services }: Kizuna): Value[] {
  const value = record.value === null ? null : services.codec.decode(record.topic, record.value);
  // What this process has just encoded with the schema of this topic.
  return value === null || typeof value === 'string' ? [] : [value as Value];
}

async function outcomesOf(registry: Registry): Promise<OutcomeCounts[]> {
  const counted = new Map<string, Mutable>();
  for (const { labels, value } of (await registry.getSingleMetric('kizuna_records_total')?.get())?.values ?? []) {
    const processor = String(labels['processor']);
    const of = counted.get(processor) ?? { processor, applied: 0, replayed: 0, skipped: {}, rejected: {} };
    counted.set(processor, of);
    // The labels are those that runtime/run-batch.ts counts under.
    const reason = labels['reason'] as Reason;
    const outcome = labels['outcome'];
    if (outcome === 'applied' || outcome === 'replayed') of[outcome] += value;
    if (outcome === 'skipped' || outcome === 'rejected') of[outcome][reason] = value;
  }
  return [...counted.values()];
}

interface Mutable {
  processor: string;
  applied: number;
  replayed: number;
  skipped: Partial<Record<Reason, number>>;
  rejected: Partial<Record<Reason, number>>;
}

function totalOf(counts: OutcomeCounts | undefined): number {
  if (counts === undefined) return 0;
  const sum = (reasons: Partial<Record<Reason, number>>): number =>
    Object.values(reasons).reduce((all, each) => all + each, 0);
  return counts.applied + counts.replayed + sum(counts.skipped) + sum(counts.rejected);
}
