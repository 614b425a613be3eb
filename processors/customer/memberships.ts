import type { MembershipChange, SegmentMembershipsChanged } from '../../schemas/types.ts';
import type { PackedValue } from '../core/processor.ts';
import type { CompiledSegment } from './brand-rules.ts';
import { valueOf } from './feature-values.ts';
import { remember } from './history.ts';
import type { Plan } from './plan.ts';
import { findReaders } from './readers.ts';
import { packedIds, segmentList, type SegmentList } from './segment-list.ts';
import type { Turn } from './turn.ts';

/**
 * Evaluates the segments that read a moved value, and those that name a segment that changed; publishes all changes of this
 * instant as one record.
 */
export function updateMemberships(turn: Turn): void {
  const { scratch, rules, namedBy } = turn.plan;
  if (!findSuspects(turn)) return;
  const left = readMembers(turn);
  const changes: MembershipChange[] = left.map((segmentId) => ({ segmentId, change: 'EXITED', evidence: [] }));
  const { members, suspects, values } = scratch;
  for (let place = 0; place < rules.segments.length; place++) {
    if (suspects[place] !== 1) continue;
    const segment = rules.segments[place];
    if (segment === undefined) continue;
    fillValues(turn, segment);
    const isMember = segment.matches(values, members) ? 1 : 0;
    if (isMember === members[place]) continue;
    members[place] = isMember;
    for (const naming of namedBy[place] ?? []) suspects[naming] = 1;
    const change = isMember === 1 ? 'ENTERED' : 'EXITED';
    changes.push({ segmentId: segment.id, change, evidence: segment.evidence(values, members) });
  }
  if (changes.length > 0) publish(turn, changes);
}

/** Exits every segment without a look at any rule: the customer is another one from now on. */
export function leaveSegments(turn: Turn): void {
  const { state, plan } = turn;
  plan.scratch.members.fill(0);
  const left = state.segments.ids.map((segmentId): MembershipChange => ({ segmentId, change: 'EXITED', evidence: [] }));
  if (left.length > 0) publish(turn, left);
}

/** Marks in `suspects` what must be evaluated. */
function findSuspects({ plan, everything }: Turn): boolean {
  if (!everything) return findReaders(plan.readers, plan.scratch);
  plan.scratch.suspects.fill(1);
  return true;
}

/** Puts the memberships so far into `members`; answers those whose segment is defined no more. */
function readMembers({ state, plan }: Turn): string[] {
  const { members } = plan.scratch;
  const { segments } = state;
  members.fill(0);
  const gone: string[] = [];
  if (segments.placedIn !== plan) {
    const places: number[] = [];
    for (const id of segments.ids) {
      const place = plan.placeOfSegment.get(id);
      if (place === undefined) gone.push(id);
      else places.push(place);
    }
    if (gone.length === 0) {
      segments.places = places;
      segments.placedIn = plan;
    }
    for (const place of places) members[place] = 1;
    return gone;
  }
  for (const place of segments.places) members[place] = 1;
  return gone;
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

function publish(turn: Turn, changes: MembershipChange[]): void {
  const { state, plan, now, contributions } = turn;
  const { brandId } = state;
  state.segments = listOfMembers(plan);
  if (changes.length > 1) changes.sort((a, b) => (a.segmentId < b.segmentId ? -1 : 1));
  for (const { segmentId, change } of changes) {
    contributions.push({ brandId, of: 'segment', label: segmentId, by: change === 'ENTERED' ? 1 : -1 });
  }
  const value: PublishedMemberships = {
    brandId,
    customerId: state.subject,
    occurredAt: now,
    cause: turn.cause,
    definitionsVersion: plan.rules.hash,
    changes,
    // Packed once for everybody who is in the same segments: with a thousand segments it is most of the record.
    members: packedIds(state.segments),
  };
  remember(turn, { kind: 'memberships', at: now, cause: turn.cause, changes });
  turn.outputs.push({ topic: 'segment-memberships.v1', key: state.key, value, timestamp: now });
}

/** The record, its members packed. */
type PublishedMemberships = Omit<SegmentMembershipsChanged, 'members'> & { readonly members: PackedValue };

/** More different lists than this are forgotten: a brand's customers share far fewer. */
const LISTS_MAX = 10_000;

/** The list that `members` says, the same one for every customer who is in the same segments. */
function listOfMembers(plan: Plan): SegmentList {
  const { members, places } = plan.scratch;
  const { byId } = plan;
  let count = 0;
  let low = 17;
  let high = 0;
  for (let index = 0; index < byId.length; index++) {
    const place = byId[index] ?? 0;
    if (members[place] !== 1) continue;
    places[count++] = place;
    low = Math.imul(low ^ place, 0x85ebca6b);
    high = Math.imul(high + low + place, 0xc2b2ae35);
  }
  const hash = (high & 0xfffff) * 2 ** 32 + (low >>> 0);
  const known = plan.lists.get(hash);
  if (known?.placedIn === plan && isSame(known.places, places, count)) return known;
  const own = Array.from(places.subarray(0, count));
  const list = segmentList(own.map((place) => plan.rules.segments[place]?.id ?? ''));
  list.places = own;
  list.placedIn = plan;
  if (plan.lists.size >= LISTS_MAX) plan.lists.clear();
  plan.lists.set(hash, list);
  return list;
}

/** Whether the first `count` of `places` are these. */
function isSame(known: readonly number[], places: Uint32Array, count: number): boolean {
  if (known.length !== count) return false;
  for (let index = 0; index < count; index++) if (known[index] !== places[index]) return false;
  return true;
}
