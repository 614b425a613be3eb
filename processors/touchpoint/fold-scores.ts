import { DAY_MS, isBeyondHorizon, tileTime } from '../core/event-time.ts';
import { NEVER, type Applied, type Instant, type Outcome, type Output } from '../core/processor.ts';
import { BEST_UNITS, type Answer } from '../core/surveys.ts';
import type { ChangeCause, TextSentiment, TouchpointEvent } from '../../schemas/types.ts';
import { alertOutput, complaintAlertOutput } from './alerts.ts';
import { CHART_NAMES, chartAnswer, relearn, type Charts, type Signal } from './charts.ts';
import {
  chartComplaint,
  complaintsDue,
  learnComplaints,
  settleComplaints,
  type ComplaintSignal,
} from './complaint-chart.ts';
import type { Rules } from './rules.ts';
import { countAnswers, SCORES_INTERVAL_MS, scoresOutput } from './scores.ts';
import { ANSWER_KINDS, MEASURES, measuresOf, newMeasure, type Measure, type ScoreState } from './score-state.ts';
import { addToBundle, nextLeaving } from './series.ts';
import { alertSeries, type TouchpointAddition } from './totals.ts';

interface Turn {
  readonly state: ScoreState;
  readonly now: Instant;
  readonly rules: Rules;
  readonly outputs: Output[];
  readonly additions: TouchpointAddition[];
}

/** An answer, a complaint or a text, or two of these at once, all deadlines up to `now` being behind. */
export function foldScores(
  state: ScoreState,
  event: TouchpointEvent,
  now: Instant,
  rules: Rules,
): Outcome<TouchpointAddition> {
  const { kind, metric, sentiment } = event;
  const answer = kind === 'SCORE' ? rules.judge(event) : null;
  const isCounted = kind === 'COMPLAINT' || answer !== null || (kind === 'REMARK' && sentiment !== null);
  if (!isCounted) return { kind: 'skip', reason: 'unknown_type' };
  const at = tileTime(event.occurredAt, now);
  if (state.recent.has(event.subject, event.eventId, now)) return { kind: 'skip', reason: 'duplicate_event' };
  if (isBeyondHorizon(at, now)) return { kind: 'skip', reason: 'beyond_horizon' };
  state.recent.add(event.subject, event.eventId, now);
  const turn: Turn = { state, now, rules, outputs: [], additions: [] };
  learnComplaints(state.complaintChart, now, rules.settingsOf(state.brandId));
  if (kind === 'COMPLAINT') addComplaint(turn, at);
  if (answer !== null && metric !== 'UNKNOWN') addAnswer(turn, metric, answer, at);
  if (sentiment !== null) addText(turn, sentiment, at);
  publish(turn);
  return close(turn);
}

/** Everything that silence changes at exactly `due`. */
export function settleScores(state: ScoreState, due: Instant, rules: Rules): Applied<TouchpointAddition> {
  const turn: Turn = { state, now: due, rules, outputs: [], additions: [] };
  const settings = rules.settingsOf(state.brandId);
  for (const [name, { charts }] of measuresOf(state)) {
    if (relearnsAt(charts, rules, state.brandId) <= due) tell(turn, name, relearn(charts, settings, due), 'TIME');
  }
  tellComplaints(turn, settleComplaints(state.complaintChart, state.complaints, due, settings), 'TIME');
  const isLess = state.leavesAt <= due;
  if (isLess) {
    state.leavesAt = nextLeaving(state.complaints, due);
    for (const [, { answers }] of measuresOf(state)) {
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

function addComplaint(turn: Turn, at: Instant): void {
  const { state, now } = turn;
  leaveAt(state, addToBundle(state.complaints, at, [1], now));
  tellComplaints(turn, chartComplaint(state.complaintChart, state.complaints, now), 'EVENT');
}

function addAnswer(turn: Turn, measure: Measure, answer: Answer, at: Instant): void {
  const { state, now, rules } = turn;
  const { answers, charts } = measureOf(state, measure);
  const amounts = [...ANSWER_KINDS.map((kind) => (kind === answer.kind ? 1 : 0)), answer.units];
  leaveAt(state, addToBundle(answers, at, amounts, now));
  tell(turn, measure, chartAnswer(charts, answer, now, rules.settingsOf(state.brandId)), 'EVENT');
}

/** A text is an answer on a scale from −1 to 1; one without evidence is none, and only counted. */
function addText(turn: Turn, { score, label }: TextSentiment, at: Instant): void {
  const { state, now } = turn;
  const kind = score === null ? undefined : KINDS[label];
  if (score !== null && kind !== undefined) {
    addAnswer(turn, 'SENTIMENT', { kind, units: Math.round(((score + 1) / 2) * BEST_UNITS) }, at);
  } else {
    const nothing = [...ANSWER_KINDS.map(() => 0), 0];
    leaveAt(state, addToBundle(measureOf(state, 'SENTIMENT').answers, at, [...nothing, 1], now));
  }
}

const KINDS: Readonly<Partial<Record<TextSentiment['label'], Answer['kind']>>> = {
  POSITIVE: 'satisfied',
  NEUTRAL: 'neutral',
  NEGATIVE: 'dissatisfied',
};

function measureOf(state: ScoreState, measure: Measure) {
  return (state.measures[MEASURES.indexOf(measure)] ??= newMeasure(measure));
}

function leaveAt(state: ScoreState, at: Instant): void {
  state.leavesAt = Math.min(state.leavesAt, at);
}

function tell(
  { state, now, rules, outputs, additions }: Turn,
  measure: Measure,
  signals: readonly Signal[],
  cause: ChangeCause,
): void {
  for (const signal of signals) {
    outputs.push(alertOutput(state, measure, signal, { now, cause, rules }));
    additions.push(countAlert(state, signal));
  }
}

function tellComplaints(
  { state, now, rules, outputs, additions }: Turn,
  signals: readonly ComplaintSignal[],
  cause: ChangeCause,
): void {
  for (const signal of signals) {
    outputs.push(complaintAlertOutput(state, signal, { now, cause, rules }));
    additions.push(countAlert(state, signal));
  }
}

function countAlert(
  { brandId, touchpoint, channel }: ScoreState,
  { change }: Pick<Signal, 'change'>,
): TouchpointAddition {
  return { brandId, touchpoint, series: alertSeries(channel), by: change === 'RAISED' ? 1 : -1 };
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
  const settings = rules.settingsOf(state.brandId);
  let due = Math.min(state.leavesAt, heldUntil(state), complaintsDue(state.complaintChart, now, settings));
  for (const [, { charts }] of measuresOf(state)) due = Math.min(due, relearnsAt(charts, rules, state.brandId));
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
