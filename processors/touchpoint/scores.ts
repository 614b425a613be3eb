import { MINUTE_MS } from '../core/event-time.ts';
import type { Instant, Output } from '../core/processor.ts';
import { BEST_UNITS, STANDARD_SURVEYS, type Metric } from '../core/surveys.ts';
import type { Span } from '../core/window.ts';
import type { ComplaintCounts, MetricScores, ScoreFigures, TouchpointScores } from '../../schemas/types.ts';
import { channelOf } from './channels.ts';
import { netPromoterScore, share } from './figures.ts';
import type { Rules } from './rules.ts';
import { ANSWER_KINDS, metricsOf, UNITS, type MetricState, type ScoreState } from './score-state.ts';
import { windowSum, type Bundle } from './series.ts';
import { answerSeries, type TouchpointAddition } from './totals.ts';
import { SPANS, SUMMARY_SPAN } from './windows.ts';

/** Scores of one touchpoint on one channel are published at most so often, in record time. */
export const SCORES_INTERVAL_MS = MINUTE_MS;

export function scoresOutput(state: ScoreState, now: Instant, rules: Rules): Output {
  const value: TouchpointScores = {
    brandId: state.brandId,
    touchpoint: state.touchpoint,
    channel: channelOf(state.channel),
    occurredAt: now,
    scores: Array.from(metricsOf(state), ([name, metric]) => metricScores(name, metric, now)),
    complaints: complaintCounts(state.complaints, now),
    definitionsVersion: rules.definitionsVersion,
  };
  return { topic: 'touchpoint-scores.v1', key: state.key, value, timestamp: now };
}

/** Brings the gauges to what was just published. */
export function countAnswers(state: ScoreState, now: Instant): TouchpointAddition[] {
  const { brandId, touchpoint, channel } = state;
  const additions: TouchpointAddition[] = [];
  for (const [name, { answers, counted }] of metricsOf(state)) {
    for (let kind = 0; kind < counted.length; kind++) {
      const count = sumOf(answers, kind, SUMMARY_SPAN, now);
      const by = count - (counted[kind] ?? 0);
      counted[kind] = count;
      if (by !== 0) additions.push({ brandId, touchpoint, series: answerSeries(channel, name) + kind, by });
    }
  }
  return additions;
}

function metricScores(metric: Metric, { answers }: MetricState, now: Instant): MetricScores {
  const [last24h, last7d, last30d, last90d, last365d] = SPANS;
  const over = (span: Span): ScoreFigures => figuresOf(metric, answers, span, now);
  return {
    metric,
    last24h: over(last24h),
    last7d: over(last7d),
    last30d: over(last30d),
    last90d: over(last90d),
    last365d: over(last365d),
  };
}

function figuresOf(metric: Metric, answers: Bundle, span: Span, now: Instant): ScoreFigures {
  const [satisfied = 0, neutral = 0, dissatisfied = 0] = ANSWER_KINDS.map((_, kind) => sumOf(answers, kind, span, now));
  const n = satisfied + neutral + dissatisfied;
  const estimate = metric === 'NPS' ? netPromoterScore(satisfied, neutral, dissatisfied) : share(satisfied, n);
  return {
    answers: n,
    satisfied,
    dissatisfied,
    value: estimate?.value ?? null,
    low: estimate?.low ?? null,
    high: estimate?.high ?? null,
    mean: n === 0 ? null : onScale(metric, sumOf(answers, UNITS, span, now) / n),
  };
}

/** A mean position on the usual scale of its metric. */
function onScale(metric: Metric, units: number): number {
  const { min, max, good } = STANDARD_SURVEYS[metric];
  const height = ((max - min) * units) / BEST_UNITS;
  return good === 'high' ? min + height : max - height;
}

function complaintCounts(complaints: Bundle, now: Instant): ComplaintCounts {
  const [last24h, last7d, last30d, last90d, last365d] = SPANS;
  const over = (span: Span): number => sumOf(complaints, 0, span, now);
  return {
    last24h: over(last24h),
    last7d: over(last7d),
    last30d: over(last30d),
    last90d: over(last90d),
    last365d: over(last365d),
  };
}

function sumOf({ series }: Bundle, index: number, span: Span, now: Instant): number {
  const one = series[index];
  return one === undefined ? 0 : windowSum(one, span, now);
}
