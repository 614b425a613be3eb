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
  /** By place in BRAND_SUMS: days of what is no measure of the profile. */
  readonly days: Map<number, Tiles>;
}

const DAYS = RINGS[2];
const section = new ByteWriter(256);
const moved = new Unrolled();

export const BRAND_PART: MergeablePart<BrandPart> = {
  id: 40,
  initial: () => ({ isCounted: false, bits: 0, due: NEVER, days: new Map() }),

  read(reader, due) {
    const bits = reader.uint();
    const isCounted = (bits & 1) === 1;
    const part: BrandPart = { isCounted, bits: bits >> 1, due, days: new Map() };
    const count = reader.uint();
    if (count === 0) return part;
    const bytes = reader.bytes();
    const own = new ByteReader(bytes);
    for (let left = count; left > 0; left--) {
      const place = own.uint();
      const tiles = newTiles(DAYS);
      readTiles(tiles, own.uint() * DAYS.hopMs, bytes, own);
      part.days.set(place, tiles);
    }
    return part;
  },

  write({ isCounted, bits, days }, writer) {
    // Whoever was taken out keeps its days, to be counted again with them.
    if (!isCounted && days.size === 0) return;
    writer.uint((bits << 1) | (isCounted ? 1 : 0));
    writer.uint(days.size);
    if (days.size === 0) return;
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
    for (const [place, tiles] of from.days) {
      const own = into.days.get(place);
      if (own === undefined) {
        into.days.set(place, tiles);
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

/** Adds postings whose measures are places in BRAND_SUMS. */
export function postToDays(part: BrandPart, postings: Postings, now: Instant): void {
  for (let index = 0; index < postings.count; index++) {
    const place = postings.measure(index);
    let tiles = part.days.get(place);
    if (tiles === undefined) {
      tiles = newTiles(DAYS);
      part.days.set(place, tiles);
    }
    addToTiles(tiles, postings.at(index), postings.amount(index), now);
  }
}
