import { DAY_MS } from '../core/event-time.ts';
import type { Instant, Output } from '../core/processor.ts';
import { BEST_UNITS } from '../core/surveys.ts';
import type { AlertSample, ChangeCause, TouchpointAlertChanged } from '../../schemas/types.ts';
import type { Baseline } from './baseline.ts';
import { channelOf } from './channels.ts';
import type { Run, Signal } from './charts.ts';
import type { ComplaintSignal } from './complaint-chart.ts';
import type { Rules } from './rules.ts';
import type { Measure, ScoreState } from './score-state.ts';

const WEEK_MS = 7 * DAY_MS;

interface Circumstances {
  readonly now: Instant;
  readonly cause: ChangeCause;
  readonly rules: Rules;
}

/** An alert raised or cleared, with its evidence. */
export function alertOutput(
  state: ScoreState,
  measure: Measure,
  signal: Signal,
  { now, cause, rules }: Circumstances,
): Output {
  const { baseline, inControlAnswers } = signal;
  const { answers, mean, deviation, dissatisfiedShare, frozenAt } = baseline;
  const perWeek = answersPerWeek(baseline);
  const value: TouchpointAlertChanged = {
    brandId: state.brandId,
    touchpoint: state.touchpoint,
    channel: channelOf(state.channel),
    occurredAt: now,
    cause,
    change: signal.change,
    metric: measure === 'SENTIMENT' ? 'UNKNOWN' : measure,
    chart: signal.chart,
    direction: signal.direction,
    statistic: signal.statistic,
    limit: signal.limit,
    baseline: { answers, mean, deviation, dissatisfiedShare, frozenAt },
    sample: sampleOf(signal.sample),
    raisedAt: signal.raisedAt,
    inControlAnswers,
    falseAlarmsPerWeek: perWeek === null ? null : perWeek / inControlAnswers,
    definitionsVersion: rules.definitionsVersion,
    measure: measure === 'SENTIMENT' ? 'SENTIMENT' : 'SCORE',
    expectedPerDay: null,
  };
  return { topic: 'touchpoint-alerts.v1', key: state.key, value, timestamp: now };
}

/** An alert of the chart of complaints. Each complaint is an answer at the worst end, so that evidence has one form. */
export function complaintAlertOutput(
  state: ScoreState,
  { change, baseline, count, day, raisedAt }: ComplaintSignal,
  { now, cause, rules }: Circumstances,
): Output {
  const { complaints, frozenAt, expected, limit, chance } = baseline;
  const value: TouchpointAlertChanged = {
    brandId: state.brandId,
    touchpoint: state.touchpoint,
    channel: channelOf(state.channel),
    occurredAt: now,
    cause,
    change,
    metric: 'UNKNOWN',
    chart: 'POISSON',
    direction: 'WORSE',
    statistic: count,
    limit,
    baseline: { answers: complaints, mean: 0, deviation: 0, dissatisfiedShare: 1, frozenAt },
    sample: count === 0 ? NO_SAMPLE : { answers: count, mean: 0, dissatisfiedShare: 1, since: day },
    raisedAt,
    inControlAnswers: expected / chance,
    falseAlarmsPerWeek: (chance * WEEK_MS) / DAY_MS,
    definitionsVersion: rules.definitionsVersion,
    measure: 'COMPLAINTS',
    expectedPerDay: expected,
  };
  return { topic: 'touchpoint-alerts.v1', key: state.key, value, timestamp: now };
}

const NO_SAMPLE: AlertSample = { answers: 0, mean: null, dissatisfiedShare: null, since: null };

function sampleOf({ answers, units, dissatisfied, since }: Run): AlertSample {
  if (answers === 0) return NO_SAMPLE;
  return { answers, mean: units / answers / BEST_UNITS, dissatisfiedShare: dissatisfied / answers, since };
}

/** How many answers came in a week while the baseline was learnt; null when they came all at once. */
function answersPerWeek({ answers, since, frozenAt }: Baseline): number | null {
  return frozenAt > since ? ((answers - 1) * WEEK_MS) / (frozenAt - since) : null;
}
