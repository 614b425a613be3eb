import { NEVER, type Instant } from '../core/processor.ts';
import { METRICS, type Metric } from '../core/surveys.ts';
import { newCharts, type Charts } from './charts.ts';
import { RecentEvents } from './recent-events.ts';
import { newBundle, type Bundle } from './series.ts';
import type { Head } from './state.ts';

/** Places in a metric's bundle of series. */
export const ANSWER_KINDS = ['satisfied', 'neutral', 'dissatisfied'] as const;
export const UNITS = ANSWER_KINDS.length;
export const METRIC_SERIES = ANSWER_KINDS.length + 1;

/** One metric of a touchpoint on a channel. */
export interface MetricState {
  readonly answers: Bundle;
  readonly charts: Charts;
  /** Answers of each kind in the last 30 days, as the gauges have them. */
  readonly counted: [satisfied: number, neutral: number, dissatisfied: number];
}

/** What is kept of a touchpoint on a channel. */
export interface ScoreState extends Head {
  readonly kind: 'scores';
  readonly channel: string;
  /** When scores were last published; −1: never. */
  publishedAt: Instant;
  /** They changed less than a minute after that. */
  mustPublish: boolean;
  /** When the next window loses something by itself. */
  leavesAt: Instant;
  complaints: Bundle;
  /** In the order of METRICS; null: never answered. */
  readonly metrics: (MetricState | null)[];
  recent: RecentEvents;
}

export function initialScores(head: Head, channel: string): ScoreState {
  return {
    ...head,
    kind: 'scores',
    channel,
    publishedAt: -1,
    mustPublish: false,
    leavesAt: NEVER,
    complaints: newBundle(1),
    metrics: METRICS.map(() => null),
    recent: new RecentEvents(),
  };
}

export function newMetric(): MetricState {
  return { answers: newBundle(METRIC_SERIES), charts: newCharts(), counted: [0, 0, 0] };
}

/** The metrics that were ever answered. */
export function* metricsOf({ metrics }: ScoreState): Iterable<readonly [Metric, MetricState]> {
  for (const [index, name] of METRICS.entries()) {
    const metric = metrics[index];
    if (metric !== null && metric !== undefined) yield [name, metric];
  }
}
