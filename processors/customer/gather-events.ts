import { NEVER, type Instant } from '../core/processor.ts';
import type { Span } from '../core/window.ts';
import { region } from './brand-rules.ts';
import type { FeatureValue } from './features.ts';
import type { GatherPlan, MeasureWatch, TypeRules } from './gather-plan.ts';
import { MEASURED, openMeasured, type Measured, type MeasuredByKey } from './measured.ts';
import type { OpenState } from './open-state.ts';
import type { FoldedInteraction } from './read-fields.ts';
import type { PlanScratch } from './plan.ts';
import { noteMove } from './readers.ts';
import { openSequence, SEQUENCES, type SequenceStates } from './sequence-part.ts';
import { isHolding, noteFirst, noteNext, settleSequence } from './sequence-state.ts';
import { ageDays, nextAgeCrossing } from './watching.ts';

/**
 * Adds an event to the brand's own measures and sequences that it passes the filter of; slots whose value moved to another side of a
 * threshold are left in `plan.moved`. One look into a map for an event of a type that no filter lets through.
 */
export function gatherEvent(
  open: OpenState,
  plan: GatherPlan,
  interaction: FoldedInteraction,
  at: Instant,
  now: Instant,
): void {
  plan.moved.length = 0;
  plan.touchesRatios = false;
  const rules = plan.byType.get(interaction.type);
  if (rules === undefined) return;
  for (const { slot, field } of rules.fields) plan.values[slot] = field.read(interaction);
  let measured: MeasuredByKey | null = null;
  for (const { watch, passes } of rules.measures) {
    if (!passes(plan.values)) continue;
    const value = watch.measure.valueOf(interaction);
    if (value === undefined) continue;
    measured ??= open.parts.get(MEASURED);
    addTo(openMeasured(measured, watch.measure), watch, at, value, now, plan.moved);
    if (watch.isInRatios) plan.touchesRatios = true;
  }
  if (measured !== null) open.parts.put(MEASURED, measured);
  if (rules.sequences.length > 0) noteSequences(open, plan, rules, at, now);
}

/** Hands on what the event in hand moved. */
export function noteGathered({ moved }: GatherPlan, scratch: PlanScratch): void {
  for (let index = 0; index < moved.length; index += 3) {
    noteMove(scratch, moved[index] ?? 0, moved[index + 1] ?? MISSING, moved[index + 2] ?? MISSING);
  }
}

/** After other definitions, or a long silence: finds every deadline anew, and forgets what no definition asks for. */
export function watchAllGathered(open: OpenState, plan: GatherPlan | null, now: Instant): void {
  watchAllMeasured(open, plan, now);
  if (!open.parts.has(SEQUENCES)) return;
  const states = open.parts.get(SEQUENCES);
  for (const [key, state] of states) {
    const watch = plan?.sequencesByKey.get(key);
    if (watch === undefined) states.delete(key);
    else settleSequence(state, watch.sequence, now);
  }
  open.parts.put(SEQUENCES, states);
}

/** What silence changes at exactly `now`: marks the slots of everything that is due. */
export function watchDueGathered(open: OpenState, plan: GatherPlan | null, now: Instant, moved: Uint8Array): void {
  watchDueMeasured(open, plan, now, moved);
  if (!open.parts.isDue(SEQUENCES, now)) return;
  const states = open.parts.get(SEQUENCES);
  for (const [key, state] of states) {
    if (state.due > now) continue;
    const watch = plan?.sequencesByKey.get(key);
    if (watch === undefined) {
      states.delete(key);
      continue;
    }
    moved[watch.slot] = 1;
    settleSequence(state, watch.sequence, now);
  }
  open.parts.put(SEQUENCES, states);
}

/** Regions between which every rule that reads a value may flip. */
const MISSING = -1;
const PRESENT = 0;

function push(moved: number[], slot: number, from: number, to: number): void {
  if (from !== to) moved.push(slot, from, to);
}

function noteSequences(open: OpenState, plan: GatherPlan, rules: TypeRules, at: Instant, now: Instant): void {
  const { values, moved } = plan;
  let states: SequenceStates | null = null;
  for (const { watch, isFirst, isNext } of rules.sequences) {
    const first = isFirst !== null && isFirst(values);
    const next = isNext !== null && isNext(values);
    if (!first && !next) continue;
    states ??= open.parts.get(SEQUENCES);
    const state = openSequence(states, watch.sequence);
    const before = isHolding(state, watch.sequence, now);
    if (first) noteFirst(state, watch.sequence, at);
    if (next) noteNext(state, watch.sequence, at);
    if (isHolding(state, watch.sequence, now) !== before) moved.push(watch.slot, MISSING, PRESENT);
    settleSequence(state, watch.sequence, now);
  }
  if (states !== null) open.parts.put(SEQUENCES, states);
}

function watchAllMeasured(open: OpenState, plan: GatherPlan | null, now: Instant): void {
  if (!open.parts.has(MEASURED)) return;
  const measured = open.parts.get(MEASURED);
  for (const key of measured.keys()) {
    const watch = plan?.byKey.get(key);
    if (watch === undefined) measured.delete(key);
    else watchOne(openMeasured(measured, watch.measure), watch, now);
  }
  open.parts.put(MEASURED, measured);
}

function watchDueMeasured(open: OpenState, plan: GatherPlan | null, now: Instant, moved: Uint8Array): void {
  if (!open.parts.isDue(MEASURED, now)) return;
  const measured = open.parts.get(MEASURED);
  for (const [key, own] of measured) {
    if (own.due > now) continue;
    const watch = plan?.byKey.get(key);
    if (watch === undefined) {
      measured.delete(key);
      continue;
    }
    for (const { slot } of watch.windows) moved[slot] = 1;
    if (watch.age !== null) moved[watch.age.slot] = 1;
    watchOne(openMeasured(measured, watch.measure), watch, now);
  }
  open.parts.put(MEASURED, measured);
}

function addTo(
  own: Measured,
  watch: MeasureWatch,
  at: Instant,
  value: number | string,
  now: Instant,
  moved: number[],
): void {
  const { windows, age, measure } = watch;
  const { gathering } = measure;
  for (let index = 0; index < windows.length; index++) {
    watch.before[index] = gathering.valueIn(own.summary, windows[index]?.span ?? null, now);
  }
  const daysBefore = ageDays(own.lastAt, now);
  gathering.add(own.summary, at, value, now);
  own.isChanged = true;
  if (at > own.lastAt) own.lastAt = at;
  let index = 0;
  for (const { slot, span, thresholds } of windows) {
    const before = watch.before[index++];
    const after = gathering.valueIn(own.summary, span, now);
    if (before === after) continue;
    if (typeof after === 'string') moved.push(slot, MISSING, PRESENT);
    else push(moved, slot, region(thresholds, before), region(thresholds, after));
  }
  if (age !== null) {
    const { slot, thresholds } = age;
    push(moved, slot, region(thresholds, daysBefore), region(thresholds, ageDays(own.lastAt, now)));
  }
  watchOne(own, watch, now);
}

/** Finds the first instant after `now` at which silence takes a watched value across a threshold. */
function watchOne(own: Measured, { windows, age, measure }: MeasureWatch, now: Instant): void {
  let due = age === null ? NEVER : nextAgeCrossing(own.lastAt, age.thresholds, now);
  for (const { span, thresholds } of windows) {
    if (span !== null) due = Math.min(due, nextCrossing(own, measure.gathering, span, thresholds, now));
  }
  own.due = due;
}

function nextCrossing(
  { summary }: Measured,
  gathering: MeasureWatch['measure']['gathering'],
  span: Span,
  thresholds: readonly number[],
  now: Instant,
): Instant {
  const here = region(thresholds, gathering.valueIn(summary, span, now));
  const isOther = (value: FeatureValue): boolean => region(thresholds, value) !== here;
  return gathering.nextChange(summary, span, now, isOther);
}
