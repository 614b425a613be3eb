import type { ChurnBand, ExperimentResults, SegmentMembershipsChanged } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import type { Reason } from '../core/reasons.ts';

/** What a processor did with the records it read. */
export interface OutcomeCounts {
  readonly processor: string;
  readonly applied: number;
  readonly replayed: number;
  readonly skipped: Readonly<Partial<Record<Reason, number>>>;
  readonly rejected: Readonly<Partial<Record<Reason, number>>>;
}

/** Answers of the last 30 days about a touchpoint on a channel, and the alerts that are open there. */
export interface TouchpointCounts {
  readonly touchpoint: string;
  readonly channel: string;
  readonly metric: string;
  readonly satisfied: number;
  readonly neutral: number;
  readonly dissatisfied: number;
  readonly alerts: number;
}

export interface CaseCounts {
  readonly open: number;
  readonly acknowledged: number;
  readonly overdue: number;
  readonly resolved: number;
  readonly verified: number;
  readonly reopenings: number;
}

/** How often a trigger was fired, and cancelled, since the start. */
export interface TriggerCounts {
  readonly trigger: string;
  readonly fired: number;
  readonly cancelled: number;
}

/** Everything the summary of a running shop shows: plain data, filled by whoever runs it. */
export interface ShopSummary {
  /** The services in use, in words: `Kafka 127.0.0.1:9092`. Empty when everything is embedded, and nothing is kept. */
  readonly services: readonly string[];
  /** Real time of the start. */
  readonly startedAt: Instant;
  readonly simulatedAt: Instant;
  /** True once simulated time is the present. */
  readonly live: boolean;
  /** Real time since the start. */
  readonly elapsedSeconds: number;
  /** Input records, in all and in the last second of real time. */
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly customers: number;
  readonly segments: readonly { readonly id: string; readonly name: string; readonly members: number }[];
  readonly churn: readonly { readonly band: ChurnBand | 'INSUFFICIENT_DATA'; readonly customers: number }[];
  /** Measures of the brand over a year, or now, that have a value, by their name in brand-kpis.v1. */
  readonly kpis: Readonly<Record<string, number>>;
  /** The same over 7 days. */
  readonly weekKpis: Readonly<Record<string, number>>;
  readonly triggers: readonly TriggerCounts[];
  readonly touchpoints: readonly TouchpointCounts[];
  readonly cases: CaseCounts;
  /** The newest of each metric of each experiment. */
  readonly experiments: readonly ExperimentResults[];
  /** Newest first. */
  readonly changes: readonly SegmentMembershipsChanged[];
  readonly outcomes: readonly OutcomeCounts[];
  /** null: metrics are not served. */
  readonly metricsAddress: string | null;
}
