import { DAY_MS, isBeyondHorizon, tileTime } from '../core/event-time.ts';
import { NEVER, type Applied, type Instant, type Outcome, type Output } from '../core/processor.ts';
import { METRICS, type Answer, type Metric } from '../core/surveys.ts';
import type { ChangeCause, TouchpointEvent } from '../../schemas/types.ts';
import { alertOutput } from './alerts.ts';
import { CHART_NAMES, chartAnswer, relearn, type Charts, type Signal } from './charts.ts';
import type { Rules } from './rules.ts';
import { countAnswers, SCORES_INTERVAL_MS, scoresOutput } from './scores.ts';
import { ANSWER_KINDS, metricsOf, newMetric, type ScoreState } from './score-state.ts';
import { addToBundle, nextLeaving } from './series.ts';
import { alertSeries, type TouchpointAddition } from './totals.ts';

interface Turn {
  readonly state: ScoreState;
  readonly now: Instant;
  readonly rules: Rules;
  readonly outputs: Output[];
  readonly additions: TouchpointAddition[];
}

/** An answer or a complaint, all deadlines up to `now` being behind. */
export function foldScores(
  state: ScoreState,
  event: TouchpointEvent,
  now: Instant,
  rules: Rules,
): Outcome<TouchpointAddition> {
  const answer = event.kind === 'SCORE' ? rules.judge(event) : null;
  if (answer === null && event.kind !== 'COMPLAINT') return { kind: 'skip', reason: 'unknown_type' };
  const at = tileTime(event.occurredAt, now);
  if (state.recent.has(event.subject, event.eventId, now)) return { kind: 'skip', reason: 'duplicate_event' };
  if (isBeyondHorizon(at, now)) return { kind: 'skip', reason: 'beyond_horizon' };
  state.recent.add(event.subject, event.eventId, now);
  const turn: Turn = { state, now, rules, outputs: [], additions: [] };
  const leaves =
    answer === null || event.metric === 'UNKNOWN'
      ? addToBundle(state.complaints, at, [1], now)
      : addAnswer(turn, event.metric, answer, at);
  state.leavesAt = Math.min(state.leavesAt, leaves);
  publish(turn);
  return close(turn);
}

/** Everything that silence changes at exactly `due`. */
export function settleScores(state: ScoreState, due: Instant, rules: Rules): Applied<TouchpointAddition> {
  const turn: Turn = { state, now: due, rules, outputs: [], additions: [] };
  const settings = rules.settingsOf(state.brandId);
  for (const [name, { charts }] of metricsOf(state)) {
    if (relearnsAt(charts, rules, state.brandId) <= due) tell(turn, name, relearn(charts, settings, due), 'TIME');
  }
  const isLess = state.leavesAt <= due;
  if (isLess) {
    state.leavesAt = nextLeaving(state.complaints, due);
    for (const [, { answers }] of metricsOf(state)) {
      state.leavesAt = Math.min(state.leavesAt, nextLeaving(answers, due));
    }
  }
  if (isLess || heldUntil(state) <= due) publish(turn);
  return close(turn);
}

/** The end of all input: scores that were held back leave at once. */
export function settleScoresEnd(state: ScoreState, now: Instant, rules: Rules): Applied<TouchpointAddition> {
  const turn: Turn = { state, now, rules, outputs: [], additions: [] };
  if (state.mustPublish) publishNow(turn);
  return close(turn);
}

function addAnswer(turn: Turn, name: Metric, answer: Answer, at: Instant): Instant {
  const { state, now, rules } = turn;
  const metric = (state.metrics[METRICS.indexOf(name)] ??= newMetric());
  const leaves = addToBundle(
    metric.answers,
    at,
    [...ANSWER_KINDS.map((kind) => (kind === answer.kind ? 1 : 0)), answer.units],
    now,
  );
  tell(turn, name, chartAnswer(metric.charts, answer, now, rules.settingsOf(state.brandId)), 'EVENT');
  return leaves;
}

function tell(
  { state, now, rules, outputs, additions }: Turn,
  metric: Metric,
  signals: readonly Signal[],
  cause: ChangeCause,
): void {
  const { brandId, touchpoint, channel } = state;
  for (const signal of signals) {
    outputs.push(alertOutput(state, metric, signal, { now, cause, rules }));
    additions.push({ brandId, touchpoint, series: alertSeries(channel), by: signal.change === 'RAISED' ? 1 : -1 });
  }
}

/** At once, or when a minute has passed since the last time. */
function publish(turn: Turn): void {
  const { state, now } = turn;
  if (state.publishedAt >= 0 && now - state.publishedAt < SCORES_INTERVAL_MS) state.mustPublish = true;
  else publishNow(turn);
}

function publishNow({ state, now, rules, outputs, additions }: Turn): void {
  state.mustPublish = false;
  state.publishedAt = now;
  outputs.push(scoresOutput(state, now, rules));
  additions.push(...countAnswers(state, now));
}

function close({ state, now, rules, outputs, additions }: Turn): Applied<TouchpointAddition> {
  if (now > state.at) state.at = now;
  let due = Math.min(state.leavesAt, heldUntil(state));
  for (const [, { charts }] of metricsOf(state)) due = Math.min(due, relearnsAt(charts, rules, state.brandId));
  state.due = due;
  return { kind: 'apply', outputs, contributions: additions };
}

function heldUntil({ mustPublish, publishedAt }: ScoreState): Instant {
  return mustPublish ? publishedAt + SCORES_INTERVAL_MS : NEVER;
}

/** When the oldest open alert is taken for the new normal. */
function relearnsAt({ charts }: Charts, rules: Rules, brandId: string): Instant {
  let raisedAt = NEVER;
  for (const name of CHART_NAMES) if (charts[name].raisedAt >= 0) raisedAt = Math.min(raisedAt, charts[name].raisedAt);
  return raisedAt + rules.settingsOf(brandId).relearnAfterDays * DAY_MS;
}
