import type { ChangeCause, MembershipChange } from '../../schemas/types.ts';
import { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { LIFECYCLES } from './lifecycle.ts';
import { STAGES } from './stages.ts';

/** One published change: memberships, churn risk, stage, lifecycle or loyalty tier of an instant. */
export type HistoryChange = MembershipsChange | ChurnChange | JourneyChange | TierChange;

export interface MembershipsChange {
  readonly kind: 'memberships';
  readonly at: Instant;
  readonly cause: ChangeCause;
  /** In the order in which they were published: by id. */
  readonly changes: readonly Pick<MembershipChange, 'segmentId' | 'change'>[];
}

export interface ChurnChange {
  readonly kind: 'churn';
  readonly at: Instant;
  readonly cause: ChangeCause;
  readonly probability: number;
}

export interface JourneyChange {
  readonly kind: 'stage' | 'lifecycle';
  readonly at: Instant;
  readonly cause: ChangeCause;
  readonly from: string | null;
  readonly to: string;
}

export interface TierChange {
  readonly kind: 'tier';
  readonly at: Instant;
  readonly cause: ChangeCause;
  /** null: below the lowest, or in no programme. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Changes, the oldest first, one packed after the other. */
export interface PackedChanges {
  /** Of the newest change; at first where counting begins. */
  lastAt: Instant;
  count: number;
  /** Ids of segments and tiers: changes name them by their place. */
  names: Buffer;
  changes: Buffer;
}

/** Their places are in the packed form: causes are added at the end. */
const CAUSES: readonly ChangeCause[] = ['UNKNOWN', 'EVENT', 'TIME', 'DEFINITION', 'MERGE', 'ERASURE'];

// The byte in front of a change: its kind, its cause, and how its time is written.
const KIND = 7;
const KINDS: readonly HistoryChange['kind'][] = ['memberships', 'churn', 'stage', 'lifecycle', 'tier'];
const JOURNEY_LABELS: Readonly<Record<JourneyChange['kind'], readonly string[]>> = {
  stage: STAGES,
  lifecycle: LIFECYCLES,
};
/** In front of a journey's change: the label it comes from, 0 for none, above the one it goes to. */
const FROM_SHIFT = 4;
const CAUSE_SHIFT = 3;
/** The time counts tiles of five minutes: what silence changes mostly falls on one. */
const ON_TILE = 64;
const TILE_MS = 5 * 60_000;

const change = new ByteWriter(256);
const name = new ByteWriter(256);
const newNames = new ByteWriter(1024);
const reader = new ByteReader(Buffer.alloc(0));

/** Puts a change behind the others, which stay packed. */
export function appendChange(into: PackedChanges, added: HistoryChange): void {
  const { at, cause } = added;
  const isOnTile = at % TILE_MS === 0;
  const kind = KINDS.indexOf(added.kind);
  change.reset();
  change.byte(kind | (Math.max(0, CAUSES.indexOf(cause)) << CAUSE_SHIFT) | (isOnTile ? ON_TILE : 0));
  change.uint(isOnTile ? tile(at) - tile(into.lastAt) : at - into.lastAt);
  switch (added.kind) {
    case 'churn':
      change.double(added.probability);
      break;
    case 'memberships':
      change.uint(added.changes.length);
      packFlips(into, added.changes);
      break;
    case 'tier':
      packTier(into, added.from);
      packTier(into, added.to);
      break;
    case 'stage':
    case 'lifecycle': {
      const labels = JOURNEY_LABELS[added.kind];
      const from = added.from === null ? 0 : labels.indexOf(added.from) + 1;
      change.byte((from << FROM_SHIFT) | labels.indexOf(added.to));
    }
  }
  into.changes = Buffer.concat([into.changes, change.view()]);
  into.lastAt = at;
  into.count += 1;
}

/** All changes, the oldest first. `since`: what `lastAt` was before the first of them. */
export function unpackChanges({ names, changes, count }: PackedChanges, since: Instant): HistoryChange[] {
  const ids: string[] = [];
  reader.reset(names);
  while (!reader.done) ids.push(reader.string());
  reader.reset(changes);
  let at = since;
  return Array.from({ length: count }, (): HistoryChange => {
    const head = reader.byte();
    const cause = CAUSES[(head >>> CAUSE_SHIFT) & KIND] ?? 'UNKNOWN';
    at = (head & ON_TILE) === 0 ? at + reader.uint() : (tile(at) + reader.uint()) * TILE_MS;
    const kind = KINDS[head & KIND];
    if (kind === 'churn') return { kind, at, cause, probability: reader.double() };
    if (kind === 'tier') {
      const [from, to] = [ids[reader.uint() - 1] ?? null, ids[reader.uint() - 1] ?? null];
      return { kind, at, cause, from, to };
    }
    if (kind === 'stage' || kind === 'lifecycle') {
      const labels = JOURNEY_LABELS[kind];
      const moved = reader.byte();
      const from = labels[(moved >>> FROM_SHIFT) - 1] ?? null;
      return { kind, at, cause, from, to: labels[moved & (2 ** FROM_SHIFT - 1)] ?? '' };
    }
    const flips = Array.from({ length: reader.uint() }, (): MembershipsChange['changes'][number] => {
      const flip = reader.uint();
      return { segmentId: ids[flip >>> 1] ?? '', change: (flip & 1) === 1 ? 'ENTERED' : 'EXITED' };
    });
    return { kind: 'memberships', at, cause, changes: flips };
  });
}

function tile(at: Instant): number {
  return Math.floor(at / TILE_MS);
}

/** Segments by their places among the names, to which those that are new are added. Names stay packed: nothing is decoded. */
function packFlips(into: PackedChanges, flips: MembershipsChange['changes']): void {
  const { names } = into;
  let newPlace = findPlaces(names, flips);
  newNames.reset();
  for (let index = 0; index < flips.length; index++) {
    let place = places[index] ?? NOWHERE;
    if (place === NOWHERE) {
      // A change names a segment once: only names of earlier changes need be looked at.
      place = newPlace++;
      newNames.string(flips[index]?.segmentId ?? '');
    }
    change.uint(place * 2 + (flips[index]?.change === 'ENTERED' ? 1 : 0));
  }
  if (newNames.length > 0) into.names = Buffer.concat([names, newNames.view()]);
}

// Room to look for the names of one change together.
const NOWHERE = -1;
const BUCKETS = 64;
const lastIn = new Int32Array(BUCKETS);
const before: number[] = [];
const ends: number[] = [];
const places: number[] = [];

/** Leaves in `places` where the names of these segments are, found in one walk over the names; answers how many names there are. */
function findPlaces(names: Buffer, flips: MembershipsChange['changes']): number {
  name.reset();
  for (let index = 0; index < flips.length; index++) {
    name.string(flips[index]?.segmentId ?? '');
    ends[index] = name.length;
    places[index] = NOWHERE;
  }
  const wanted = name.view();
  lastIn.fill(NOWHERE);
  for (let index = 0; index < flips.length; index++) {
    const bucket = bucketOf(wanted, ends[index] ?? 0);
    before[index] = lastIn[bucket] ?? NOWHERE;
    lastIn[bucket] = index;
  }
  let place = 0;
  for (let at = 0; at < names.length; place++) {
    const end = endOfName(names, at);
    let index = lastIn[bucketOf(names, end)] ?? NOWHERE;
    for (; index !== NOWHERE; index = before[index] ?? NOWHERE) {
      const start = index === 0 ? 0 : (ends[index - 1] ?? 0);
      const length = (ends[index] ?? 0) - start;
      if (length === end - at && isSame(names, at, wanted, start, length)) places[index] = place;
    }
    at = end;
  }
  return place;
}

/** By the last two letters, in which ids differ most. */
function bucketOf(bytes: Buffer, end: number): number {
  return ((bytes[end - 1] ?? 0) + 10 * (bytes[end - 2] ?? 0)) % BUCKETS;
}

/** A tier by its place among the names and one, to which a new one is added; 0 for none. */
function packTier(into: PackedChanges, tier: string | null): void {
  if (tier === null) {
    change.uint(0);
    return;
  }
  name.reset();
  name.string(tier);
  const place = placeOf(into.names, name.view());
  if (place < 0) into.names = Buffer.concat([into.names, name.view()]);
  change.uint((place < 0 ? -place - 1 : place) + 1);
}

/** The place of a packed name; when it is not there, how many are, negated, less 1. */
function placeOf(names: Buffer, wanted: Buffer): number {
  let place = 0;
  for (let at = 0; at < names.length; place++) {
    const end = endOfName(names, at);
    if (end - at === wanted.length && isSame(names, at, wanted, 0, wanted.length)) return place;
    at = end;
  }
  return -place - 1;
}

function endOfName(names: Buffer, at: number): number {
  const short = names[at] ?? 0;
  return short < 128 ? at + 1 + short : reader.reset(names, at).uint() + reader.position;
}

/** Ids differ in their last letters sooner than in their first; a call into native code costs more than a few looks. */
function isSame(names: Buffer, at: number, wanted: Buffer, start: number, length: number): boolean {
  for (let index = length - 1; index >= 0; index--) if (names[at + index] !== wanted[start + index]) return false;
  return true;
}
