import { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { readTiles, writeTiles } from '../core/tiles-packing.ts';
import { addToTiles, newTiles, type Tiles } from '../core/tiles.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { RINGS } from '../core/window.ts';
import type { MergeablePart } from './parts.ts';
import type { Postings } from './postings.ts';

/** What a customer has added to the brand's documents, beside the tiles of measures, so that it can be taken back. */
export interface BrandPart {
  /** False: nothing of the customer is in them yet. */
  isCounted: boolean;
  /** The standing that is in them, as bits at the places of BRAND_STANDINGS. */
  bits: number;
  /** When silence may change the standing. */
  due: Instant;
  /** By place in BRAND_SUMS: days of what is no measure of the profile; null as long as nobody asked (`daysOf`). */
  days: Map<number, Tiles> | null;
  /** The days as they came, packed; null: none. */
  readonly packedDays: PackedDays | null;
}

interface PackedDays {
  readonly count: number;
  readonly bytes: Buffer;
}

const DAYS = RINGS[2];
const NO_BYTES = Buffer.alloc(0);
const section = new ByteWriter(256);
const moved = new Unrolled();

export const BRAND_PART: MergeablePart<BrandPart> = {
  id: 40,
  initial: () => ({ isCounted: false, bits: 0, due: NEVER, days: null, packedDays: null }),

  read(reader, due) {
    const bits = reader.uint();
    const count = reader.uint();
    const packedDays = count === 0 ? null : { count, bytes: reader.bytes() };
    return { isCounted: (bits & 1) === 1, bits: bits >> 1, due, days: null, packedDays };
  },

  write({ isCounted, bits, days, packedDays }, writer) {
    const count = days === null ? (packedDays?.count ?? 0) : days.size;
    // Whoever was taken out keeps its days, to be counted again with them.
    if (!isCounted && count === 0) return;
    writer.uint((bits << 1) | (isCounted ? 1 : 0));
    writer.uint(count);
    if (count === 0) return;
    if (days === null) {
      writer.bytes(packedDays?.bytes ?? NO_BYTES);
      return;
    }
    section.reset();
    for (const [place, tiles] of days) {
      section.uint(place);
      section.uint(tiles.slot);
      writeTiles(tiles, section);
    }
    writer.section(section);
  },

  nextDue: ({ due }) => due,

  /** Both were taken out before (takeFromBrand): together they are counted anew. */
  merge(into, from) {
    into.isCounted = false;
    const days = daysOf(into);
    for (const [place, tiles] of daysOf(from)) {
      const own = days.get(place);
      if (own === undefined) {
        days.set(place, tiles);
        continue;
      }
      unroll(tiles, 0, moved);
      const newest = Math.max(tiles.slot, own.slot) * DAYS.hopMs;
      for (let index = moved.length - 1; index >= 0; index--) {
        addToTiles(own, moved.slot(index) * DAYS.hopMs, moved.value(index), newest);
      }
    }
  },
};

/** The days, to be changed in place. Most customers have none, and most events add none, so they are unpacked when asked for. */
export function daysOf(part: BrandPart): Map<number, Tiles> {
  if (part.days !== null) return part.days;
  part.days = new Map();
  const { count, bytes } = part.packedDays ?? { count: 0, bytes: NO_BYTES };
  const reader = new ByteReader(bytes);
  for (let left = count; left > 0; left--) {
    const place = reader.uint();
    const tiles = newTiles(DAYS);
    readTiles(tiles, reader.uint() * DAYS.hopMs, bytes, reader);
    part.days.set(place, tiles);
  }
  return part.days;
}

/** False: `daysOf` has nothing. */
export function hasDays({ days, packedDays }: BrandPart): boolean {
  return days === null ? packedDays !== null : days.size > 0;
}

/** Adds postings whose measures are places in BRAND_SUMS. */
export function postToDays(part: BrandPart, postings: Postings, now: Instant): void {
  const days = daysOf(part);
  for (let index = 0; index < postings.count; index++) {
    const place = postings.measure(index);
    let tiles = days.get(place);
    if (tiles === undefined) {
      tiles = newTiles(DAYS);
      days.set(place, tiles);
    }
    addToTiles(tiles, postings.at(index), postings.amount(index), now);
  }
}
