import { ByteReader } from '../core/packing.ts';
import { NEVER } from '../core/processor.ts';
import { readTiles, writeTiles } from '../core/tiles-packing.ts';
import { addToTiles } from '../core/tiles.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { firstSlot, leavesAt, oldestSlot, RINGS } from '../core/window.ts';
import { WINDOWS } from './features.ts';
import type { Gathering } from './gathering.ts';
import { newTally, postToTally, windowSum, windowSums, type Tally } from './tally.ts';

const tiles = new Unrolled();
const allSums = new Float64Array(WINDOWS.length);
const glanced = newTally();
const reader = new ByteReader(Buffer.alloc(0));

/** Sums of what may be below zero, kept in tiles as those of the product's own measures. */
export const signedSums = sumsOf(true);
/** Counts, and sums of what is never below zero. */
export const sums = sumsOf(false);

function sumsOf(signed: boolean): Gathering<Tally> {
  return {
    initial: newTally,

    add(tally, at, value, now) {
      postToTally(tally, at, Number(value), now);
    },

    valueIn: windowSum,

    valuesIn(tally, now, into) {
      windowSums(tally, signed, now, allSums, 0);
      for (let index = 0; index < allSums.length; index++) into[index] = allSums[index];
    },

    nextChange(tally, span, now, isOther) {
      if (!tally.present) return NEVER;
      unroll(tally.rings[span.ring], firstSlot(span, now), tiles);
      let left = 0;
      for (let index = 0; index < tiles.length; index++) left += tiles.value(index);
      for (let index = tiles.length - 1; index >= 0; index--) {
        left -= tiles.value(index);
        if (isOther(left)) return leavesAt(span, tiles.slot(index));
      }
      return NEVER;
    },

    /** Tile by tile. */
    merge(into, other, now) {
      if (!other.present) return;
      const { lifetime } = into.present ? into : { lifetime: 0 };
      // Makes it present, and its newest tiles those of the newer of the two last events.
      postToTally(into, other.lastAt, 0, now);
      into.lifetime = lifetime + other.lifetime;
      for (const [ring, { hopMs }] of RINGS.entries()) {
        const from = other.rings[ring];
        const to = into.rings[ring];
        if (from === undefined || to === undefined) continue;
        unroll(from, oldestSlot(to.ring, now), tiles);
        // Adding unrolls another ring of its own.
        const copied = Array.from(
          { length: tiles.length },
          (_, index) => [tiles.slot(index), tiles.value(index)] as const,
        );
        for (const [slot, value] of copied) addToTiles(to, slot * hopMs, value, now);
      }
    },

    read: (bytes, start, end) => readTally(newTally(), bytes, start, end),
    glance: (bytes, start, end) => readTally(glanced, bytes, start, end),

    write(tally, writer) {
      writer.int(tally.lifetime);
      writer.uint(tally.lastAt);
      for (const each of tally.rings) writeTiles(each, writer);
    },
  };
}

function readTally(tally: Tally, bytes: Buffer, start: number, end: number): Tally {
  reader.reset(bytes, start, end);
  tally.present = true;
  tally.opened = true;
  tally.lifetime = reader.int();
  tally.lastAt = reader.uint();
  for (const each of tally.rings) readTiles(each, tally.lastAt, bytes, reader);
  return tally;
}
