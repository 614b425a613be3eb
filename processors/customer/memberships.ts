import type { MembershipChange, SegmentMembershipsChanged } from '../../schemas/types.ts';
import type { CompiledSegment } from './brand-rules.ts';
import { valueOf } from './feature-values.ts';
import { segmentList } from './segment-list.ts';
import type { Turn } from './turn.ts';

/**
 * Evaluates the segments that read a moved value, and those that name a segment that changed; publishes all changes of this
 * instant as one record.
 */
export function updateMemberships(turn: Turn): void {
  const { scratch, rules } = turn.plan;
  if (!findSuspects(turn)) return;
  scratch.known.fill(0);
  const left = readMembers(turn);
  const changes: MembershipChange[] = left.map((segmentId) => ({ segmentId, change: 'EXITED', evidence: [] }));
  const { members, suspects, values } = scratch;
  let isAnyNew = false;
  for (let place = 0; place < rules.segments.length; place++) {
    const segment = rules.segments[place];
    if (segment === undefined) continue;
    if (suspects[place] !== 1 && !(isAnyNew && segment.names.length > 0)) continue;
    fillValues(turn, segment);
    const isMember = segment.matches(values, members) ? 1 : 0;
    if (isMember === members[place]) continue;
    members[place] = isMember;
    isAnyNew = true;
    const change = isMember === 1 ? 'ENTERED' : 'EXITED';
    changes.push({ segmentId: segment.id, change, evidence: segment.evidence(values, members) });
  }
  if (changes.length > 0) publish(turn, changes);
}

/** Marks in `suspects` what must be evaluated. */
function findSuspects({ plan, everything }: Turn): boolean {
  const { moved, suspects } = plan.scratch;
  if (everything) {
    suspects.fill(1);
    return true;
  }
  let found = false;
  for (let slot = 0; slot < moved.length; slot++) {
    if (moved[slot] !== 1) continue;
    if (!found) suspects.fill(0);
    found = true;
    for (const place of plan.readers[slot] ?? []) suspects[place] = 1;
  }
  return found;
}

/** Puts the memberships so far into `members`; answers those whose segment is defined no more. */
function readMembers({ state, plan }: Turn): string[] {
  const { members } = plan.scratch;
  const gone: string[] = [];
  members.fill(0);
  for (const id of state.segments.ids) {
    const place = plan.placeOfSegment.get(id);
    if (place === undefined) gone.push(id);
    else members[place] = 1;
  }
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
  const segments: string[] = [];
  for (const place of plan.byId) {
    const segment = plan.rules.segments[place];
    if (segment !== undefined && plan.scratch.members[place] === 1) segments.push(segment.id);
  }
  state.segments = segmentList(segments);
  changes.sort((a, b) => (a.segmentId < b.segmentId ? -1 : 1));
  for (const { segmentId, change } of changes) {
    contributions.push({ brandId, of: 'segment', label: segmentId, by: change === 'ENTERED' ? 1 : -1 });
  }
  const value: SegmentMembershipsChanged = {
    brandId,
    customerId: state.subject,
    occurredAt: now,
    cause: turn.cause,
    definitionsVersion: plan.rules.hash,
    changes,
    members: segments,
  };
  turn.outputs.push({ topic: 'segment-memberships.v1', key: state.key, value, timestamp: now });
}
