import { MINUTE_MS } from '../core/event-time.ts';
import type { Instant, Output } from '../core/processor.ts';
import { BEST_UNITS, STANDARD_SURVEYS, type Metric } from '../core/surveys.ts';
import type { Span } from '../core/window.ts';
import type {
  ComplaintCounts,
  MetricScores,
  ScoreFigures,
  SentimentFigures,
  SentimentScores,
  TouchpointScores,
} from '../../schemas/types.ts';
import { channelOf } from './channels.ts';
import { netPromoterScore, share } from '../core/estimates.ts';
import type { Rules } from './rules.ts';
import {
  ANSWER_KINDS,
  MEASURES,
  measuresOf,
  UNITS,
  WITHOUT_EVIDENCE,
  type MeasureState,
  type ScoreState,
} from './score-state.ts';
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
    scores: [...scoresOf(state, now)],
    complaints: complaintCounts(state.complaints, now),
    sentiment: sentimentScores(state.measures[MEASURES.indexOf('SENTIMENT')] ?? null, now),
    definitionsVersion: rules.definitionsVersion,
  };
  return { topic: 'touchpoint-scores.v1', key: state.key, value, timestamp: now };
}

/** Brings the gauges to what was just published. */
export function countAnswers(state: ScoreState, now: Instant): TouchpointAddition[] {
  const { brandId, touchpoint, channel } = state;
  const additions: TouchpointAddition[] = [];
  for (const [name, { answers, counted }] of measuresOf(state)) {
    for (let kind = 0; kind < counted.length; kind++) {
      const count = sumOf(answers, kind, SUMMARY_SPAN, now);
      const by = count - (counted[kind] ?? 0);
      counted[kind] = count;
      if (by !== 0) additions.push({ brandId, touchpoint, series: answerSeries(channel, name) + kind, by });
    }
  }
  return additions;
}

function* scoresOf(state: ScoreState, now: Instant): Iterable<MetricScores> {
  for (const [metric, { answers }] of measuresOf(state)) {
    if (metric !== 'SENTIMENT') yield { metric, ...overAll((span) => figuresOf(metric, answers, span, now)) };
  }
}

/** Figures of every window. */
function overAll<Figures>(over: (span: Span) => Figures) {
  const [last24h, last7d, last30d, last90d, last365d] = SPANS;
  return {
    last24h: over(last24h),
    last7d: over(last7d),
    last30d: over(last30d),
    last90d: over(last90d),
    last365d: over(last365d),
  };
}

function sentimentScores(texts: MeasureState | null, now: Instant): SentimentScores | null {
  return texts === null ? null : overAll((span) => sentimentFigures(texts.answers, span, now));
}

function sentimentFigures(texts: Bundle, span: Span, now: Instant): SentimentFigures {
  const [positive = 0, neutral = 0, negative = 0] = ANSWER_KINDS.map((_, kind) => sumOf(texts, kind, span, now));
  const n = positive + neutral + negative;
  // The same share of a difference as NPS, so its interval is, too.
  const net = netPromoterScore(positive, neutral, negative);
  return {
    texts: n,
    positive,
    negative,
    withoutEvidence: sumOf(texts, WITHOUT_EVIDENCE, span, now),
    value: net?.value ?? null,
    low: net?.low ?? null,
    high: net?.high ?? null,
    mean: n === 0 ? null : (2 * sumOf(texts, UNITS, span, now)) / n / BEST_UNITS - 1,
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
  return overAll((span) => sumOf(complaints, 0, span, now));
}

function sumOf({ series }: Bundle, index: number, span: Span, now: Instant): number {
  const one = series[index];
  return one === undefined ? 0 : windowSum(one, span, now);
}
