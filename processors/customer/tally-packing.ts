import { DAY_MS, MINUTE_MS } from '../core/event-time.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { locateTiles } from '../core/tiles-packing.ts';
import type { Tiles } from '../core/tiles.ts';
import type { Tally } from './tally.ts';

/**
 * A packed tally:  time of the newest event · deadline · sum since ever · for each ring the newest tile, and the older ones if
 * there are any. The deadline is later than the newest event, and told by what lies between.
 */

/** Reads only what every event needs of every measure: where it ends and its deadline. */
export function locateTally(tally: Tally, reader: ByteReader, body: Buffer): void {
  const length = reader.uint();
  tally.start = reader.position;
  tally.end = tally.start + length;
  tally.due = dueAfter(reader.uint(), reader.uint());
  tally.present = true;
  tally.opened = false;
  tally.changed = false;
  reader.reset(body, tally.end);
}

export function openTally(tally: Tally, reader: ByteReader, body: Buffer): void {
  if (tally.opened || !tally.present) return;
  tally.opened = true;
  reader.reset(body, tally.start);
  tally.lastAt = reader.uint();
  reader.uint();
  tally.lifetime = reader.int();
  for (const tiles of tally.rings) readRing(tiles, tally.lastAt, body, reader);
}

/** The packed form; one that did not change is copied as it is. `scratch` is overwritten. */
export function writeTally(tally: Tally, body: Buffer, writer: ByteWriter, scratch: ByteWriter): void {
  if (!tally.changed) {
    writer.uint(tally.end - tally.start);
    writer.raw(body, tally.start, tally.end);
    return;
  }
  scratch.reset();
  scratch.uint(tally.lastAt);
  scratch.uint(dueCode(tally.lastAt, tally.due));
  scratch.int(tally.lifetime);
  for (const tiles of tally.rings) writeRing(tiles, scratch);
  writer.section(scratch);
}

/** The shortest hop: every window ends at a multiple of it. */
const HOP_MS = 5 * MINUTE_MS;
const IN_HOPS = 1;
const IN_DAYS = 2;
const IN_MS = 3;

/** 0: never; else, times four, the hops up to a window's end, the whole days up to an age, or the milliseconds. */
function dueCode(lastAt: Instant, due: Instant): number {
  if (due === NEVER) return 0;
  // Written as less than nothing, everything behind it would be read as something else.
  if (due < lastAt) throw new RangeError(`a deadline ${lastAt - due} ms before the newest event`);
  if (due % HOP_MS === 0) return (due / HOP_MS - Math.floor(lastAt / HOP_MS)) * 4 + IN_HOPS;
  const after = due - lastAt;
  return after % DAY_MS === 0 ? (after / DAY_MS) * 4 + IN_DAYS : after * 4 + IN_MS;
}

function dueAfter(lastAt: Instant, code: number): Instant {
  if (code === 0) return NEVER;
  const between = Math.floor(code / 4);
  switch (code % 4) {
    case IN_HOPS:
      return (Math.floor(lastAt / HOP_MS) + between) * HOP_MS;
    case IN_DAYS:
      return lastAt + between * DAY_MS;
    default:
      return lastAt + between;
  }
}

/** The newest tile, its sign and whether there are older ones in the lowest bits. */
function writeRing({ head, bytes, start, end }: Tiles, writer: ByteWriter): void {
  const zigzag = head < 0 ? -head * 2 - 1 : head * 2;
  writer.uint(zigzag * 2 + (end > start ? 1 : 0));
  if (end === start) return;
  writer.uint(end - start);
  writer.raw(bytes, start, end);
}

function readRing(tiles: Tiles, newestAt: Instant, body: Buffer, reader: ByteReader): void {
  const packed = reader.uint();
  const zigzag = Math.floor(packed / 2);
  const head = zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2;
  const length = packed % 2 === 1 ? reader.uint() : 0;
  locateTiles(tiles, newestAt, head, body, reader.position, length);
  reader.reset(body, tiles.end);
}
