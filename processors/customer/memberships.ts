import type { CompiledSegment } from './brand-rules.ts';
import { valueOf } from './feature-values.ts';
import { flipOf, leaving, sortFlips, type Flip } from './flips.ts';
import { remember } from './history.ts';
import { listAfter, readMembers } from './member-lists.ts';
import { packMemberships } from './membership-packing.ts';
import { findReaders } from './readers.ts';
import { NO_SEGMENTS, type SegmentList } from './segment-list.ts';
import type { Turn } from './turn.ts';

/**
 * Evaluates the segments that a moved value may flip, and those that name a segment that changed; publishes all changes of
 * this instant as one record.
 */
export function updateMemberships(turn: Turn): void {
  const { state, plan } = turn;
  if (!findSuspects(turn)) return;
  const { scratch, rules, namedBy } = plan;
  const { members, suspects, values } = scratch;
  const flips: Flip[] = readMembers(state.segments, plan).map((id) => leaving(state.brandId, id));
  for (let place = 0; place < suspects.length; place++) {
    if (suspects[place] !== 1) continue;
    const segment = rules.segments[place];
    if (segment === undefined) continue;
    fillValues(turn, segment);
    const isMember = segment.matches(values, members);
    if (isMember === (members[place] === 1)) continue;
    members[place] = isMember ? 1 : 0;
    for (const naming of namedBy[place] ?? []) suspects[naming] = 1;
    flips.push(flipOf(plan, place, isMember));
  }
  if (flips.length > 0) publish(turn, flips, listAfter(plan, state.segments, flips));
}

/** Exits every segment without a look at any rule: the customer is another one from now on. */
export function leaveSegments(turn: Turn): void {
  const { state, plan } = turn;
  const flips = state.segments.ids.map((id) => leaving(state.brandId, id));
  plan.scratch.members.fill(0);
  if (flips.length > 0) publish(turn, flips, NO_SEGMENTS);
}

/** Marks in `suspects` what must be evaluated. */
function findSuspects({ plan, everything }: Turn): boolean {
  if (!everything) return findReaders(plan.readers, plan.scratch);
  plan.scratch.suspects.fill(1);
  return true;
}

function fillValues({ state, open, plan, now }: Turn, segment: CompiledSegment): void {
  const { known, values } = plan.scratch;
  const { features, churn } = plan.rules;
  for (const slot of segment.slots) {
    if (known[slot] === 1) continue;
    known[slot] = 1;
    const feature = features[slot];
    if (feature !== undefined) values[slot] = valueOf(feature, open, state.subject, churn, now);
  }
}

function publish(turn: Turn, flips: Flip[], members: SegmentList): void {
  const { state, now, cause, contributions } = turn;
  state.segments = members;
  sortFlips(flips);
  for (const { addition } of flips) contributions.push(addition);
  const value = packMemberships(turn, flips);
  remember(turn, { kind: 'memberships', at: now, cause, changes: flips });
  turn.outputs.push({ topic: 'segment-memberships.v1', key: state.key, value, timestamp: now });
}
