import type { Flip } from './flips.ts';
import type { Plan } from './plan.ts';
import { segmentList, type SegmentList } from './segment-list.ts';

/**
 * The lists of segments that customers of a brand are in: the same list for everybody who is in the same segments. Each
 * segment has a share in its hash, so that the hash follows from the list before and from what was entered and left.
 */

/** More different lists than this are forgotten: a brand's customers share far fewer. */
const LISTS_MAX = 10_000;
const NOBODY: readonly string[] = [];

/** Puts 1 into `members` for each segment of the list; answers those that are defined no more. */
export function readMembers(list: SegmentList, plan: Plan): readonly string[] {
  const { members } = plan.scratch;
  members.fill(0);
  let gone = NOBODY;
  let { places } = list;
  if (list.placedIn !== plan) {
    gone = list.ids.filter((id) => !plan.placeOfSegment.has(id));
    places = list.ids.flatMap((id) => plan.placeOfSegment.get(id) ?? []);
    if (gone.length === 0) placeList(list, places, plan, sharesOf(places, LOW), sharesOf(places, HIGH));
  }
  for (let index = 0; index < places.length; index++) members[places[index] ?? 0] = 1;
  return gone;
}

/** The list that `members` says, which is `before` with `flips`, by id. */
export function listAfter(plan: Plan, before: SegmentList, flips: readonly Flip[]): SegmentList {
  let { low, high } = before;
  let count = before.places.length;
  if (before.placedIn === plan) {
    for (const { place, change } of flips) {
      low ^= shareOf(place, LOW);
      high ^= shareOf(place, HIGH);
      count += change === 'ENTERED' ? 1 : -1;
    }
  } else {
    const places = membersOf(plan);
    low = sharesOf(places, LOW);
    high = sharesOf(places, HIGH);
    count = places.length;
  }
  const hash = (high & 0xfffff) * 2 ** 32 + (low >>> 0);
  const known = plan.lists.get(hash);
  if (known?.placedIn === plan && known.places.length === count && isIn(known.places, plan)) return known;
  const places = before.placedIn === plan ? placesAfter(plan, before.places, flips) : membersOf(plan);
  const list = segmentList(places.map((place) => plan.rules.segments[place]?.id ?? ''));
  placeList(list, places, plan, low, high);
  if (plan.lists.size >= LISTS_MAX) plan.lists.clear();
  plan.lists.set(hash, list);
  return list;
}

/** The places of a list with these flips: what lies between two flips stays as it is. */
function placesAfter({ ranks }: Plan, before: readonly number[], flips: readonly Flip[]): number[] {
  const places: number[] = [];
  let next = 0;
  for (const { place, change } of flips) {
    const rank = ranks[place] ?? 0;
    while (next < before.length && (ranks[before[next] ?? 0] ?? 0) < rank) places.push(before[next++] ?? 0);
    if (change === 'ENTERED') places.push(place);
    else next += 1;
  }
  while (next < before.length) places.push(before[next++] ?? 0);
  return places;
}

/** Places of the segments that `members` says, by their ids. */
function membersOf({ byId, scratch: { members } }: Plan): number[] {
  return byId.filter((place) => members[place] === 1);
}

function isIn(places: readonly number[], { scratch: { members } }: Plan): boolean {
  for (let index = 0; index < places.length; index++) if (members[places[index] ?? 0] !== 1) return false;
  return true;
}

function placeList(list: SegmentList, places: readonly number[], plan: Plan, low: number, high: number): void {
  list.places = places;
  list.placedIn = plan;
  list.low = low;
  list.high = high;
}

function sharesOf(places: readonly number[], seed: number): number {
  return places.reduce((shares, place) => shares ^ shareOf(place, seed), 0);
}

const LOW = 0x2f0b4c47;
const HIGH = 0x6a09e667;

/** 32 bits in which any two places differ as by chance: MurmurHash3's finalizer. */
function shareOf(place: number, seed: number): number {
  let mixed = Math.imul(place + 1, seed);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
