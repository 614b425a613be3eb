import type { TouchpointSettings } from '../core/definitions.ts';
import { HOUR_MS, isBeyondHorizon, tileTime } from '../core/event-time.ts';
import { fingerprint } from '../core/fingerprint.ts';
import type { Applied, Instant, Outcome, Output } from '../core/processor.ts';
import { caseIdOf, placeOfCase } from '../core/touchpoint-key.ts';
import type { CaseChange, CaseChanged, CaseSignal, TouchpointEvent } from '../../schemas/types.ts';
import { initialCase, REMEMBERED_COMMANDS, type CaseState, type Stage } from './case-state.ts';
import type { Rules } from './rules.ts';
import { CASE_SERIES, type TouchpointAddition } from './totals.ts';

/**
 * The closed loop. NONE or VERIFIED → OPEN by a dissatisfied answer or a complaint; OPEN → ACKNOWLEDGED → RESOLVED by command;
 * RESOLVED → VERIFIED by the next answer that is not dissatisfied, or back to OPEN. Everything a customer says is ordered by when
 * it was said: what is older than a resolution cannot judge it, and what is older than a content answer opens nothing.
 */
export function foldCase(
  state: CaseState,
  event: TouchpointEvent,
  now: Instant,
  rules: Rules,
): Outcome<TouchpointAddition> {
  const turn = { state, now, rules, outputs: [], additions: [] } satisfies Turn;
  if (event.kind === 'ERASE') return erase(turn, event);
  if (event.occurredAt <= state.erasedAt) return { kind: 'skip', reason: 'erased' };
  switch (event.kind) {
    case 'CASE_ACKNOWLEDGE':
    case 'CASE_RESOLVE':
      return command(turn, event);
    case 'SCORE':
    case 'COMPLAINT': {
      const at = tileTime(event.occurredAt, now);
      if (isBeyondHorizon(at, now)) return { kind: 'skip', reason: 'beyond_horizon' };
      if (event.kind === 'COMPLAINT') complain(turn, event, at);
      else if (!answer(turn, event, at)) return { kind: 'skip', reason: 'unknown_type' };
      return close(turn);
    }
    default:
      return { kind: 'skip', reason: 'unknown_type' };
  }
}

/** A case that nobody resolved in time, at exactly that time. */
export function fallDue(state: CaseState, due: Instant, rules: Rules): Applied<TouchpointAddition> {
  const turn: Turn = { state, now: due, rules, outputs: [], additions: [] };
  state.overdue = true;
  count(turn, 'overdue', 1);
  publish(turn, 'OVERDUE', null);
  return close(turn);
}

/** When silence alone changes the case. */
export function caseDue({ stage, overdue, dueAt }: CaseState): Instant {
  return isUnderWork(stage) && !overdue ? dueAt : Number.POSITIVE_INFINITY;
}

interface Turn {
  readonly state: CaseState;
  readonly now: Instant;
  readonly rules: Rules;
  readonly outputs: Output[];
  readonly additions: TouchpointAddition[];
}

function isUnderWork(stage: Stage): boolean {
  return stage === 'OPEN' || stage === 'ACKNOWLEDGED';
}

/** Whether the case leaves the count of its stage when it enters another. */
function isCounted(stage: Stage): stage is 'OPEN' | 'ACKNOWLEDGED' | 'RESOLVED' {
  return stage !== 'NONE' && stage !== 'VERIFIED';
}

/** False for an answer on a metric that nobody knows. */
function answer(turn: Turn, event: TouchpointEvent, at: Instant): boolean {
  const { state, rules, now } = turn;
  const judged = rules.judge(event);
  if (judged === null) return false;
  if (judged.kind === 'dissatisfied') {
    complain(turn, event, at);
    return true;
  }
  if (at > state.contentAt) state.contentAt = at;
  if (state.stage === 'RESOLVED' && at > state.resolvedAt) {
    state.verifiedAt = now;
    enter(turn, 'VERIFIED', 'VERIFIED', null);
  }
  return true;
}

function complain(turn: Turn, event: TouchpointEvent, at: Instant): void {
  const { state, now } = turn;
  // Of a form that praises and complains at one instant, the complaint counts, in whichever order it comes.
  if (at < state.contentAt) return;
  if (state.stage === 'NONE' || state.stage === 'VERIFIED') {
    state.number += 1;
    state.openedAt = now;
    state.resolvedAt = -1;
    state.verifiedAt = -1;
    state.reopenings = 0;
    open(turn, event, at, 'OPENED');
  } else if (state.stage === 'RESOLVED' && at > state.resolvedAt) {
    state.reopenings += 1;
    count(turn, 'reopenings', 1);
    open(turn, event, at, 'REOPENED');
  }
}

function open(turn: Turn, event: TouchpointEvent, at: Instant, change: CaseChange): void {
  const { state, now, rules } = turn;
  state.signal = signalOf(event, at);
  state.acknowledgedAt = -1;
  state.overdue = false;
  state.workedSince = now;
  state.dueAt = now + dueMs(rules.settingsOf(state.brandId));
  enter(turn, 'OPEN', change, null);
}

function command(turn: Turn, event: TouchpointEvent): Outcome<TouchpointAddition> {
  const { state, now } = turn;
  const number = event.caseId === null ? 0 : (placeOfCase(state.brandId, event.caseId)?.number ?? 0);
  if (state.stage === 'NONE' || number !== state.number) return { kind: 'skip', reason: 'unknown_case' };
  const id = fingerprint(event.eventId);
  const isResolve = event.kind === 'CASE_RESOLVE';
  // A case that is there already, or further, needs no step.
  const isDone = isResolve ? !isUnderWork(state.stage) : state.stage !== 'OPEN';
  if (isDone || state.commands.includes(id)) return { kind: 'skip', reason: 'duplicate_event' };
  state.commands = [id, ...state.commands].slice(0, REMEMBERED_COMMANDS);
  if (isResolve) {
    state.resolvedAt = now;
    count(turn, 'resolutions', 1);
    count(turn, 'resolveSeconds', resolveSeconds(state));
    if (state.overdue) count(turn, 'overdue', -1);
    enter(turn, 'RESOLVED', 'RESOLVED', event);
  } else {
    state.acknowledgedAt = now;
    enter(turn, 'ACKNOWLEDGED', 'ACKNOWLEDGED', event);
  }
  return close(turn);
}

/**
 * Nothing stays of the customer here but when it was erased, which refuses what tells again of the time before. What counts over
 * cases, such as how long they took, names nobody and stays.
 */
function erase(turn: Turn, { occurredAt }: TouchpointEvent): Applied<TouchpointAddition> {
  const { state, now, outputs } = turn;
  if (occurredAt <= state.erasedAt) return close(turn);
  if (isCounted(state.stage)) count(turn, state.stage, -1);
  if (isUnderWork(state.stage) && state.overdue) count(turn, 'overdue', -1);
  for (let number = 1; number <= state.number; number++) {
    const key = `${state.brandId}|${caseIdOf(state.key, number)}`;
    outputs.push({ topic: 'cases.v1', key, value: null, timestamp: now });
  }
  Object.assign(state, initialCase(state, state.subject), { erasedAt: Math.max(now, occurredAt) });
  return close(turn);
}

/** A verified case is over: it stays counted when the customer's next one opens. */
function enter(turn: Turn, stage: Exclude<Stage, 'NONE'>, change: CaseChange, by: TouchpointEvent | null): void {
  const { state } = turn;
  if (isCounted(state.stage)) count(turn, state.stage, -1);
  state.stage = stage;
  count(turn, stage, 1);
  publish(turn, change, by);
}

function publish(turn: Turn, change: CaseChange, by: TouchpointEvent | null): void {
  const { state, now, rules, outputs } = turn;
  const { stage, signal } = state;
  if (stage === 'NONE' || signal === null) return;
  const caseId = caseIdOf(state.key, state.number);
  const isResolved = !isUnderWork(stage);
  const value: CaseChanged = {
    brandId: state.brandId,
    caseId,
    touchpoint: state.touchpoint,
    customerId: state.subject,
    occurredAt: now,
    cause: change === 'OVERDUE' ? 'TIME' : 'EVENT',
    change,
    state: stage,
    overdue: state.overdue,
    signal,
    openedAt: state.openedAt,
    acknowledgedAt: timeOf(state.acknowledgedAt),
    resolvedAt: isResolved ? timeOf(state.resolvedAt) : null,
    verifiedAt: timeOf(state.verifiedAt),
    dueAt: isResolved ? null : state.dueAt,
    reopenings: state.reopenings,
    resolveSeconds: isResolved ? resolveSeconds(state) : null,
    by: by?.issuedBy ?? null,
    reason: by?.reason ?? null,
    definitionsVersion: rules.definitionsVersion,
  };
  outputs.push({ topic: 'cases.v1', key: `${state.brandId}|${caseId}`, value, timestamp: now });
}

function close({ state, now, outputs, additions }: Turn): Applied<TouchpointAddition> {
  if (now > state.at) state.at = now;
  state.due = caseDue(state);
  return { kind: 'apply', outputs, contributions: additions };
}

function count({ state, additions }: Turn, series: keyof typeof CASE_SERIES, by: number): void {
  const { brandId, touchpoint } = state;
  additions.push({ brandId, touchpoint, series: CASE_SERIES[series], by });
}

function signalOf({ kind, eventId, channel, metric, value }: TouchpointEvent, at: Instant): CaseSignal {
  const isComplaint = kind === 'COMPLAINT';
  return {
    kind: isComplaint ? 'COMPLAINT' : 'SCORE',
    eventId,
    occurredAt: at,
    channel,
    metric: isComplaint ? 'UNKNOWN' : metric,
    value: isComplaint ? 0 : value,
  };
}

function resolveSeconds({ resolvedAt, workedSince }: CaseState): number {
  return Math.floor((resolvedAt - workedSince) / 1000);
}

function dueMs({ caseDueHours }: TouchpointSettings): number {
  return caseDueHours * HOUR_MS;
}

function timeOf(at: Instant): number | null {
  return at < 0 ? null : at;
}
