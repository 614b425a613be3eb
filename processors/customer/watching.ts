import { DAY_MS } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { firstSlot, leavesAt, type Span } from '../core/window.ts';
import { region } from './brand-rules.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { AgeWatch, Plan, PlanScratch, RatioWatch } from './plan.ts';
import type { Postings } from './postings.ts';
import { noteMove } from './readers.ts';
import { Surroundings } from './surroundings.ts';
import { tallyOf, type RatioSide } from './user-ratios.ts';
import { isWithin } from './windows.ts';

/**
 * Finds which watched values an event moved across a threshold, and when silence will next move one. Only what the event
 * touched is looked at: everything else still has the deadline it had. Sums that come up on the way are left in the plan's
 * `values`, so that no segment asks for them again.
 */

const SESSIONS = placeOf('sessions');
const tiles = new Unrolled();
const denominators = new Unrolled();
const surroundings = new Surroundings();

/** Looks at one measure after `postings` were added to it; with null, after a deadline of its: every window may have moved. */
export function watchMeasure(
  open: OpenState,
  plan: Plan,
  measure: number,
  now: Instant,
  postings: Postings | null,
): void {
  const watches = plan.measures[measure];
  const tally = open.tally(measure);
  if (watches === undefined || !tally.present) return;
  const { scratch } = plan;
  const { ageRegions, values, known } = scratch;
  const { lifetime } = tally;
  let due = NEVER;
  if (watches.age !== null) {
    const noted = postings === null ? null : (ageRegions[measure] ?? null);
    due = watchAge(watches.age, open.lastAt(measure), now, noted, scratch);
  }
  for (let ring = 0; ring < watches.rings.length; ring++) {
    const windows = watches.rings[ring];
    const longest = windows?.at(-1)?.span;
    const ringTiles = tally.rings[ring];
    if (windows === undefined || longest === undefined || longest === null || ringTiles === undefined) continue;
    unroll(ringTiles, firstSlot(longest, now), tiles);
    let count = 0;
    let sum = 0;
    for (const { slot, span, thresholds } of windows) {
      if (span === null) continue;
      const from = firstSlot(span, now);
      while (count < tiles.length && tiles.slot(count) >= from) sum += tiles.value(count++);
      values[slot] = sum;
      known[slot] = 1;
      if (postings === null) scratch.moved[slot] = 1;
      else noteSum(scratch, slot, thresholds, sum, postedWithin(postings, measure, span, now));
      due = Math.min(due, exitOf(span, count, sum, thresholds, watches.signed));
    }
  }
  for (const { slot, thresholds } of watches.lifetime) {
    if (postings !== null) noteSum(scratch, slot, thresholds, lifetime, postedWithin(postings, measure, null, now));
  }
  if (tally.due === due) return;
  tally.due = due;
  tally.changed = true;
}

/** Looks at every watched ratio; answers when the first of them flips by itself. */
export function watchRatios(open: OpenState, plan: Plan, now: Instant, postings: Postings | null): Instant {
  let due = NEVER;
  for (const watch of plan.ratios) due = Math.min(due, watchRatio(open, plan, watch, now, postings));
  return due;
}

/** Notes on which side of its thresholds the age of each measure to be posted is, before it is; sessions are posted last. */
export function noteAges(open: OpenState, plan: Plan, now: Instant, postings: Postings): void {
  for (let index = 0; index < postings.count; index++) noteAge(open, plan, now, postings.measure(index));
  noteAge(open, plan, now, SESSIONS);
}

function noteAge(open: OpenState, plan: Plan, now: Instant, measure: number): void {
  const watch = plan.measures[measure]?.age;
  if (watch !== undefined && watch !== null) {
    plan.scratch.ageRegions[measure] = ageRegion(watch, open.lastAt(measure), now);
  }
}

/** Whole days since `lastAt`, floored; undefined when it never was. */
export function ageDays(lastAt: Instant, now: Instant): number | undefined {
  return lastAt < 0 ? undefined : Math.floor((now - lastAt) / DAY_MS);
}

function ageRegion({ thresholds }: AgeWatch, lastAt: Instant, now: Instant): number {
  return region(thresholds, ageDays(lastAt, now));
}

/** Marks the age when it is on another side than noted, or than a moment ago; answers when it flips by itself. */
function watchAge(watch: AgeWatch, lastAt: Instant, now: Instant, noted: number | null, scratch: PlanScratch): Instant {
  noteMove(scratch, watch.slot, noted ?? ageRegion(watch, lastAt, now - 1), ageRegion(watch, lastAt, now));
  return nextAgeCrossing(lastAt, watch.thresholds, now);
}

/** When an age crosses one of the thresholds by itself. */
export function nextAgeCrossing(lastAt: Instant, thresholds: readonly number[], now: Instant): Instant {
  const days = ageDays(lastAt, now);
  if (days === undefined) return NEVER;
  const { pinned, above } = surroundings.around(thresholds, days);
  if (pinned) return lastAt + (days + 1) * DAY_MS;
  return above === Infinity ? NEVER : lastAt + Math.ceil(above) * DAY_MS;
}

/** Notes where a sum was before `posted` of it was added. */
function noteSum(scratch: PlanScratch, slot: number, thresholds: readonly number[], sum: number, posted: number): void {
  if (posted !== 0) noteMove(scratch, slot, region(thresholds, sum - posted), region(thresholds, sum));
}

function postedWithin(postings: Postings, measure: number, span: Span | null, now: Instant): number {
  let sum = 0;
  for (let index = 0; index < postings.count; index++) {
    if (postings.measure(index) === measure && isWithin(span, postings.at(index), now)) sum += postings.amount(index);
  }
  return sum;
}

/** When the first of the `count` newest unrolled tiles leaves whose going takes `sum` across a threshold. */
function exitOf(span: Span, count: number, sum: number, thresholds: readonly number[], signed: boolean): Instant {
  surroundings.around(thresholds, sum);
  if (!signed && !surroundings.isLeftAboveZero) return NEVER;
  let left = sum;
  for (let index = count - 1; index >= 0; index--) {
    left -= tiles.value(index);
    if (surroundings.excludes(left)) return leavesAt(span, tiles.slot(index));
  }
  return NEVER;
}

function watchRatio(open: OpenState, plan: Plan, watch: RatioWatch, now: Instant, postings: Postings | null): Instant {
  const { slot, span, thresholds, numerator, denominator } = watch;
  let above = unrollSide(open, numerator, span, now, tiles);
  let below = unrollSide(open, denominator, span, now, denominators);
  const here = ratioRegion(thresholds, above, below);
  // What a measure of the brand's own was before is not told by postings: then the ratio may have moved in any way.
  if (postings === null || numerator.own !== null || denominator.own !== null) plan.scratch.moved[slot] = 1;
  else {
    const aboveBefore = above - postedWithin(postings, numerator.place, span, now);
    const belowBefore = below - postedWithin(postings, denominator.place, span, now);
    noteMove(plan.scratch, slot, ratioRegion(thresholds, aboveBefore, belowBefore), here);
  }
  if (span === null) return NEVER;
  let upper = tiles.length - 1;
  let lower = denominators.length - 1;
  while (upper >= 0 || lower >= 0) {
    const leaving = Math.min(
      upper >= 0 ? tiles.slot(upper) : Infinity,
      lower >= 0 ? denominators.slot(lower) : Infinity,
    );
    if (upper >= 0 && tiles.slot(upper) === leaving) above -= tiles.value(upper--);
    if (lower >= 0 && denominators.slot(lower) === leaving) below -= denominators.value(lower--);
    if (ratioRegion(thresholds, above, below) !== here) return leavesAt(span, leaving);
  }
  return NEVER;
}

function ratioRegion(thresholds: readonly number[], numerator: number, denominator: number): number {
  return region(thresholds, denominator === 0 ? undefined : numerator / denominator);
}

/** The sum over the window, its tiles left in `into`. */
function unrollSide(open: OpenState, side: RatioSide, span: Span | null, now: Instant, into: Unrolled): number {
  into.length = 0;
  const tally = tallyOf(open, side);
  if (tally === null) return 0;
  if (span === null) return tally.lifetime;
  unroll(tally.rings[span.ring], firstSlot(span, now), into);
  let sum = 0;
  for (let index = 0; index < into.length; index++) sum += into.value(index);
  return sum;
}
