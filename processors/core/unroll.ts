import { ByteReader } from './packing.ts';
import type { Tiles } from './tiles.ts';

/** The code in four bits for a gap that has its own number behind it (tiles.ts). */
export const ESCAPE = 15;

/** Where a value would stand that fits its token: the token behind it is repeated. */
export const RUN = 1;
/** The shortest run that is written as one, and the longest. */
export const RUN_MIN = 3;
export const RUN_MAX = RUN_MIN + ESCAPE - 1;

/** More than the longest ring has tiles, and a run beyond its end. */
const UNROLLED_MAX = 512;

/** Tiles unpacked for reading, newest first; one is reused from ring to ring. */
export class Unrolled {
  readonly slots = new Int32Array(UNROLLED_MAX);
  readonly values = new Float64Array(UNROLLED_MAX);
  length = 0;

  slot(index: number): number {
    return this.slots[index] ?? 0;
  }

  value(index: number): number {
    return this.values[index] ?? 0;
  }

  push(slot: number, value: number): void {
    this.slots[this.length] = slot;
    this.values[this.length] = value;
    this.length += 1;
  }
}

const reader = new ByteReader(Buffer.alloc(0));

/** Fills `into` with the tiles from `from` on, newest first. */
export function unroll(tiles: Tiles, from: number, into: Unrolled): void {
  into.length = 0;
  let slot = tiles.slot;
  if (slot < from) return;
  into.push(slot, tiles.head);
  reader.reset(tiles.bytes, tiles.start);
  while (reader.position < tiles.end) {
    const token = reader.byte();
    const gap = token >> 4;
    const value = token & 15;
    if (value !== 0) {
      slot -= gap === ESCAPE ? reader.uint() + 16 : gap + 1;
      if (slot < from) return;
      into.push(slot, value);
      continue;
    }
    const before = gap === ESCAPE ? reader.uint() + 16 : gap + 1;
    const number = reader.int();
    if (number !== RUN || gap === ESCAPE) {
      slot -= before;
      if (slot < from) return;
      into.push(slot, number);
      continue;
    }
    const repeated = reader.byte();
    for (let left = gap + RUN_MIN; left > 0; left--) {
      slot -= (repeated >> 4) + 1;
      if (slot < from) return;
      into.push(slot, repeated & 15);
    }
  }
}
