import { suspectDifferences } from './decide-anew.ts';
import { valueOf } from './feature-values.ts';
import { flipOf, leaving, sortFlips, type Flip } from './flips.ts';
import { remember } from './history.ts';
import { listAfter, readMembers } from './member-lists.ts';
import { packMemberships } from './membership-packing.ts';
import type { Plan } from './plan.ts';
import { findReaders, nextSuspect } from './readers.ts';
import { NO_SEGMENTS, type SegmentList } from './segment-list.ts';
import type { Turn } from './turn.ts';

/**
 * Evaluates the segments that a moved value may flip, and those that name a segment that changed; publishes all changes of
 * this instant as one record.
 */
export function updateMemberships(turn: Turn): void {
  const { state, plan, everything } = turn;
  const { scratch, rules, namedBy } = plan;
  if (!everything && !findReaders(plan.readers, scratch)) return;
  const { members, suspects, values } = scratch;
  const flips: Flip[] = readMembers(state.segments, plan).map((id) => leaving(id));
  if (everything) decideAnew(turn);
  for (let place = nextSuspect(scratch, 0); place < members.length; place = nextSuspect(scratch, place + 1)) {
    const segment = rules.segments[place];
    if (segment === undefined) continue;
    const { slots } = segment;
    for (let index = 0; index < slots.length; index++) fillValue(turn, slots[index] ?? 0);
    const isMember = segment.matches(values, members);
    if (isMember === (members[place] === 1)) continue;
    members[place] = isMember ? 1 : 0;
    for (const naming of namedBy[place] ?? []) suspects[naming] = 1;
    if (!everything) flips.push(flipOf(plan, place, isMember));
  }
  if (everything) addDifferences(plan, flips);
  if (flips.length === 0) return;
  sortFlips(flips);
  publish(turn, flips, listAfter(plan, state.segments, flips));
}

/** Exits every segment without a look at any rule: the customer is another one from now on. */
export function leaveSegments(turn: Turn): void {
  const { state, plan } = turn;
  const flips = state.segments.ids.map((id) => leaving(id));
  plan.scratch.members.fill(0);
  if (flips.length > 0) publish(turn, flips, NO_SEGMENTS);
}

/** Whatever the memberships were: leaves nobody's in `members`, and marks what must be evaluated beside. */
function decideAnew(turn: Turn): void {
  const { scratch, rules } = turn.plan;
  if (rules.segments.length === 0) return;
  scratch.membersBefore.set(scratch.members);
  for (let slot = 0; slot < rules.features.length; slot++) fillValue(turn, slot);
  suspectDifferences(turn.plan);
}

function addDifferences(plan: Plan, flips: Flip[]): void {
  const { members, membersBefore } = plan.scratch;
  for (let place = 0; place < members.length; place++) {
    if (members[place] !== membersBefore[place]) flips.push(flipOf(plan, place, members[place] === 1));
  }
}

function fillValue({ state, open, plan, now }: Turn, slot: number): void {
  const { known, values } = plan.scratch;
  if (known[slot] === 1) return;
  known[slot] = 1;
  const feature = plan.rules.features[slot];
  if (feature !== undefined) values[slot] = valueOf(feature, open, state.subject, plan.rules.churn, now);
}

/** `flips`: by id. */
function publish(turn: Turn, flips: readonly Flip[], members: SegmentList): void {
  const { state, now, cause, contributions } = turn;
  state.segments = members;
  contributions.push({ brandId: state.brandId, of: 'segments', flips });
  const value = packMemberships(turn, flips);
  remember(turn, { kind: 'memberships', at: now, cause, changes: flips });
  turn.outputs.push({ topic: 'segment-memberships.v1', key: state.key, value, timestamp: now });
}
