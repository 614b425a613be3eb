import { NEVER, type Instant } from '../core/processor.ts';
import { ByteReader, ByteWriter } from '../core/packing.ts';
import { readTiles, writeTiles } from '../core/tiles-packing.ts';
import { addToTiles, mergeTiles, newTiles, type Tiles } from '../core/tiles.ts';
import { RINGS } from '../core/window.ts';
import { bitsOf, countAt, NO_CUSTOMER, stageOfBits, SUBSCRIPTIONS, type Customership } from './brand-standing.ts';
import type { MergeablePart } from './parts.ts';
import type { Postings } from './postings.ts';
import { STAGES } from './stages.ts';

/** What a customer has added to the brand's documents, beside what follows from tiles of measures, so that it can be taken back. */
export interface BrandPart {
  /** False: nothing of the customer is in them yet. */
  isCounted: boolean;
  /** What is in them of what the customer is now, as bits at the places of BRAND_STANDINGS. */
  bits: number;
  /** And of when it was a customer. */
  hours: Customership;
  /** When silence may change that. */
  due: Instant;
  /** By place in BRAND_SUMS: what is no measure of the profile; null as long as nobody asked (`sumsOf`). */
  sums: Map<number, SumTiles> | null;
  /** The sums as they came, packed; null: none. */
  readonly packed: PackedSums | null;
}

/** One sum by hours and by days; the hours are part of the days. */
export interface SumTiles {
  readonly hours: Tiles;
  readonly days: Tiles;
}

interface PackedSums {
  readonly count: number;
  readonly bytes: Buffer;
}

const [, HOURS, DAYS] = RINGS;
const NO_BYTES = Buffer.alloc(0);
/** Added to the number of sums, of which there are fewer. Whoever was packed without knew days alone. */
const WITH_HOURS = 64;
// The first byte.
const COUNTED = 1;
const HAS_REST = 2;
const STAGE_SHIFT = 2;
const SUBSCRIPTIONS_MAX = 16;
const section = new ByteWriter(256);

export const BRAND_PART: MergeablePart<BrandPart> = {
  id: 40,
  initial: () => ({ isCounted: false, bits: 0, hours: NO_CUSTOMER, due: NEVER, sums: null, packed: null }),

  read(reader, due) {
    const head = reader.uint();
    const count = reader.uint();
    if (count < WITH_HOURS) return readDaysAlone(count, reader);
    const part = BRAND_PART.initial();
    part.isCounted = (head & COUNTED) !== 0;
    part.due = due;
    const rest = (head & HAS_REST) === 0 ? 0 : reader.uint();
    const many = Math.floor(rest / SUBSCRIPTIONS_MAX);
    if (many > 0) part.hours = readHours(many, reader);
    part.bits = bitsOf(part.hours, STAGES[(head >> STAGE_SHIFT) - 1] ?? null, rest % SUBSCRIPTIONS_MAX);
    return count === WITH_HOURS ? part : { ...part, packed: { count: count - WITH_HOURS, bytes: reader.bytes() } };
  },

  write({ isCounted, bits, hours, sums, packed }, writer) {
    const count = sums === null ? (packed?.count ?? 0) : sums.size;
    // Whoever was taken out keeps the sums, to be counted again with them.
    if (!isCounted && count === 0) return;
    const rest = countAt(bits, SUBSCRIPTIONS) + SUBSCRIPTIONS_MAX * hours.length;
    writer.uint((isCounted ? COUNTED : 0) | (rest === 0 ? 0 : HAS_REST) | (stageOfBits(bits) << STAGE_SHIFT));
    writer.uint(WITH_HOURS + count);
    if (rest > 0) writer.uint(rest);
    let before = 0;
    for (const hour of hours) {
      writer.uint(hour - before);
      before = hour;
    }
    if (count > 0) writeSums(sums, packed, writer);
  },

  nextDue: ({ due }) => due,

  /** Both were taken out before (takeFromBrand): together they are counted anew. */
  merge(into, from, _postings) {
    forgetCounted(into);
    const sums = sumsOf(into);
    for (const [place, tiles] of sumsOf(from)) {
      const own = sums.get(place);
      if (own === undefined) {
        sums.set(place, tiles);
        continue;
      }
      mergeTiles(own.days, tiles.days, newestOf(own.days, tiles.days));
      mergeTiles(own.hours, tiles.hours, newestOf(own.hours, tiles.hours));
    }
  },
};

/** Nothing of the customer is in the documents any more. */
export function forgetCounted(part: BrandPart): void {
  part.isCounted = false;
  part.bits = 0;
  part.hours = NO_CUSTOMER;
}

/** The sums, to be changed in place. Most customers have none, and most events add none, so they are unpacked when asked for. */
export function sumsOf(part: BrandPart): Map<number, SumTiles> {
  part.sums ??= readSums(part.packed);
  return part.sums;
}

/** False: `sumsOf` has nothing. */
export function hasSums({ sums, packed }: BrandPart): boolean {
  return sums === null ? packed !== null : sums.size > 0;
}

/** Adds postings whose measures are places in BRAND_SUMS. */
export function postToSums(part: BrandPart, postings: Postings, now: Instant): void {
  const sums = sumsOf(part);
  for (let index = 0; index < postings.count; index++) {
    const place = postings.measure(index);
    let tiles = sums.get(place);
    if (tiles === undefined) {
      tiles = newSumTiles();
      sums.set(place, tiles);
    }
    addToTiles(tiles.hours, postings.at(index), postings.amount(index), now);
    addToTiles(tiles.days, postings.at(index), postings.amount(index), now);
  }
}

function newSumTiles(): SumTiles {
  return { hours: newTiles(HOURS), days: newTiles(DAYS) };
}

function newestOf(one: Tiles, other: Tiles): Instant {
  return Math.max(0, one.slot, other.slot) * one.ring.hopMs;
}

function readHours(many: number, reader: ByteReader): number[] {
  const hours: number[] = [];
  let hour = 0;
  for (let left = many; left > 0; left--) {
    hour += reader.uint();
    hours.push(hour);
  }
  return hours;
}

/** By sum: its place, doubled, and 1 more when there are hours; the newest day and its tiles; the same of the hours. */
function writeSums(sums: BrandPart['sums'], packed: PackedSums | null, writer: ByteWriter): void {
  if (sums === null) {
    writer.bytes(packed?.bytes ?? NO_BYTES);
    return;
  }
  section.reset();
  for (const [place, { hours, days }] of sums) {
    const hasHours = hours.head !== 0 || hours.end > hours.start;
    section.uint(2 * place + (hasHours ? 1 : 0));
    section.uint(days.slot);
    writeTiles(days, section);
    if (!hasHours) continue;
    section.uint(hours.slot);
    writeTiles(hours, section);
  }
  writer.section(section);
}

function readSums(packed: PackedSums | null): Map<number, SumTiles> {
  const sums = new Map<number, SumTiles>();
  if (packed === null) return sums;
  const { count, bytes } = packed;
  const reader = new ByteReader(bytes);
  for (let left = count; left > 0; left--) {
    const place = reader.uint();
    const tiles = newSumTiles();
    readTiles(tiles.days, reader.uint() * DAYS.hopMs, bytes, reader);
    if (place % 2 === 1) readTiles(tiles.hours, reader.uint() * HOURS.hopMs, bytes, reader);
    sums.set(place >> 1, tiles);
  }
  return sums;
}

/**
 * What was packed before there were windows shorter than a year. Nothing of it counts as being in the documents, which began
 * anew then (brand-document-packing.ts): the customer is counted when it is next evaluated. Of its sums the days are kept.
 */
function readDaysAlone(count: number, reader: ByteReader): BrandPart {
  const part = BRAND_PART.initial();
  if (count === 0) return part;
  const sums = new Map<number, SumTiles>();
  const bytes = reader.bytes();
  const days = new ByteReader(bytes);
  for (let left = count; left > 0; left--) {
    const place = days.uint();
    const tiles = newSumTiles();
    readTiles(tiles.days, days.uint() * DAYS.hopMs, bytes, days);
    sums.set(place, tiles);
  }
  part.sums = sums;
  return part;
}
