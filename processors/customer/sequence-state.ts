import { NEVER, type Instant } from '../core/processor.ts';
import type { Sequence } from './sequences.ts';

/**
 * How far a customer is with one sequence: a function of the events known, whatever the order in which they came.
 *
 * `then` is true from the moment at which an event is known that happened after a first one, at most `within` later: for `for`
 * from the latest such event. Whatever cannot bring a later one is forgotten.
 *
 * `thenNot` is true while there is a first event at least `within` ago, and less than `within` + `for`, and nothing that must
 * not follow is known to have happened after it.
 *
 * An event at the same millisecond neither follows nor precedes.
 */
export interface SequenceState {
  /** When silence turns it round; NEVER if it does not. */
  due: Instant;
  /** Of `then`: the latest event that completed the sequence. Of `thenNot`: the latest that must not follow. −1: none. */
  last: Instant;
  /** First events that still count, newest first. */
  firsts: Instant[];
  /** Of `then`: events later than `last` that no first event is known for, newest first: a late one may come. */
  nexts: Instant[];
}

/** So many first events, and so many that wait for one, are remembered for what comes late. */
export const REMEMBERED_MAX = 16;
/** With so many, three of them always lie within `for` of each other, and the middle one makes no difference. */
export const REMEMBERED_FIRSTS_MAX = 32;

export function newSequenceState(): SequenceState {
  return { due: NEVER, last: -1, firsts: [], nexts: [] };
}

/** An event that passes the first filter. */
export function noteFirst(state: SequenceState, sequence: Sequence, at: Instant): void {
  if (sequence.isNegative) {
    if (at < state.last) return;
    insert(state.firsts, at);
    if (state.firsts.length > REMEMBERED_FIRSTS_MAX) dropLeastMissed(state.firsts);
    return;
  }
  if (state.last >= 0 && at <= state.last - sequence.withinMs) return;
  const completing = state.nexts.find((next) => next > at && next <= at + sequence.withinMs);
  insert(state.firsts, at);
  if (state.firsts.length > REMEMBERED_MAX) state.firsts.pop();
  if (completing !== undefined) complete(state, sequence, completing);
}

/** An event that passes the other filter. */
export function noteNext(state: SequenceState, sequence: Sequence, at: Instant): void {
  if (at <= state.last) return;
  if (sequence.isNegative) {
    state.last = at;
    dropUpTo(state.firsts, at - 1);
    return;
  }
  if (isWithinOf(state.firsts, at, sequence.withinMs)) {
    complete(state, sequence, at);
    return;
  }
  insert(state.nexts, at);
  if (state.nexts.length > REMEMBERED_MAX) state.nexts.pop();
}

export function isHolding({ last, firsts }: SequenceState, sequence: Sequence, now: Instant): boolean {
  const { isNegative, withinMs } = sequence;
  const forMs = sequence.forMs ?? Infinity;
  if (!isNegative) return last >= 0 && now < last + forMs;
  for (let place = 0; place < firsts.length; place++) {
    const ripe = (firsts[place] ?? 0) + withinMs;
    if (ripe <= now && now < ripe + forMs) return true;
  }
  return false;
}

/** Forgets what can no longer count, and finds the next deadline. */
export function settleSequence(state: SequenceState, sequence: Sequence, now: Instant): void {
  const { withinMs } = sequence;
  const forMs = sequence.forMs ?? Infinity;
  dropUpTo(state.firsts, now - withinMs - forMs);
  if (state.last + (sequence.isNegative ? withinMs : 0) + forMs <= now) state.last = -1;
  dropUpTo(state.nexts, now - forMs);
  state.due = nextTurn(state, sequence, now);
}

/** The event at `at` follows a first one in time. */
function complete(state: SequenceState, { withinMs }: Sequence, at: Instant): void {
  state.last = at;
  dropUpTo(state.firsts, at - withinMs);
  dropUpTo(state.nexts, at);
}

function nextTurn(state: SequenceState, sequence: Sequence, now: Instant): Instant {
  const { isNegative, withinMs } = sequence;
  const forMs = sequence.forMs ?? Infinity;
  const holds = isHolding(state, sequence, now);
  if (!isNegative) return holds ? state.last + forMs : NEVER;
  const { firsts } = state;
  let end = now;
  for (let place = firsts.length - 1; place >= 0; place--) {
    const ripe = (firsts[place] ?? 0) + withinMs;
    if (!holds && ripe > now) return ripe;
    // One that comes of age before the one before it is over goes on where that ends.
    if (holds && ripe <= end) end = Math.max(end, ripe + forMs);
  }
  return holds ? end : NEVER;
}

/** Whether a first event lies before `at`, at most so long before. */
function isWithinOf(firsts: readonly Instant[], at: Instant, withinMs: number): boolean {
  for (let place = 0; place < firsts.length; place++) {
    const first = firsts[place] ?? 0;
    if (first < at && first >= at - withinMs) return true;
  }
  return false;
}

/** Takes out those up to `last`, which are at the end. */
function dropUpTo(ats: Instant[], last: Instant): void {
  while (ats.length > 0 && (ats.at(-1) ?? 0) <= last) ats.pop();
}

/** Newest first, each instant once. */
function insert(ats: Instant[], at: Instant): void {
  let place = 0;
  while (place < ats.length && (ats[place] ?? 0) > at) place += 1;
  if (ats[place] !== at) ats.splice(place, 0, at);
}

/** Takes out the one whose neighbours are nearest to each other. */
function dropLeastMissed(ats: Instant[]): void {
  let found = 1;
  let least = Infinity;
  for (let place = 1; place < ats.length - 1; place++) {
    const between = (ats[place - 1] ?? 0) - (ats[place + 1] ?? 0);
    if (between >= least) continue;
    least = between;
    found = place;
  }
  ats.splice(found, 1);
}
