import { NEVER, type Instant } from '../core/processor.ts';
import { METRICS } from '../core/surveys.ts';
import { newCharts, type Charts } from './charts.ts';
import { newComplaintChart, type ComplaintChart } from './complaint-chart.ts';
import { RecentEvents } from './recent-events.ts';
import { newBundle, type Bundle } from './series.ts';
import type { Head } from './state.ts';

/** What is counted: scores, and the feeling of texts. In the order in which states and totals are packed: only ever added to. */
export const MEASURES = [...METRICS, 'SENTIMENT'] as const;
export type Measure = (typeof MEASURES)[number];

/** Places in a measure's bundle of series. A positive text counts as satisfied, a negative one as dissatisfied. */
export const ANSWER_KINDS = ['satisfied', 'neutral', 'dissatisfied'] as const;
export const UNITS = ANSWER_KINDS.length;
/** Of texts alone. */
export const WITHOUT_EVIDENCE = UNITS + 1;

/** One measure of a touchpoint on a channel. */
export interface MeasureState {
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
  complaintChart: ComplaintChart;
  /** In the order of MEASURES; null: never answered. */
  readonly measures: (MeasureState | null)[];
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
    complaintChart: newComplaintChart(),
    measures: MEASURES.map(() => null),
    recent: new RecentEvents(),
  };
}

/** How many series a measure's bundle has. */
export function seriesOf(measure: Measure): number {
  return measure === 'SENTIMENT' ? WITHOUT_EVIDENCE + 1 : UNITS + 1;
}

export function newMeasure(measure: Measure): MeasureState {
  return { answers: newBundle(seriesOf(measure)), charts: newCharts(), counted: [0, 0, 0] };
}

/** The measures that were ever answered. */
export function* measuresOf({ measures }: ScoreState): Iterable<readonly [Measure, MeasureState]> {
  for (const [index, name] of MEASURES.entries()) {
    const measure = measures[index];
    if (measure !== null && measure !== undefined) yield [name, measure];
  }
}
