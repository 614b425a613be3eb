import { ByteReader, ByteWriter } from './packing.ts';
import type { Instant } from './processor.ts';
import { ESCAPE, RUN, RUN_MAX, RUN_MIN, unroll, Unrolled } from './unroll.ts';
import { oldestSlot, slotAt, type Ring } from './window.ts';

/**
 * The tiles of one measure in one ring, sparse and newest first. The newest tile is a plain number, because nearly every
 * event adds to it or puts a newer one before it; the older ones stay packed. An older tile takes one byte while its value is
 * 1 to 15 and it lies at most 15 slots before the next newer one:
 *
 *   high four bits: gap − 1, or 15 and the gap − 16 follows; low four bits: the value, or 0 and the value follows.
 *
 * Of 3 to 17 such bytes that are the same only one is written, behind two that say how many: one with the number − 3 in its
 * high four bits and 0 in the low ones, then a value of 1, which nothing else has there. Who comes every day takes few bytes.
 */
export interface Tiles {
  readonly ring: Ring;
  /** Of the newest tile. */
  slot: number;
  /** What the newest tile holds; 0 when what was there was taken out or is beyond the ring. */
  head: number;
  /** The older tiles are bytes `start` to `end` of it. */
  bytes: Buffer;
  start: number;
  end: number;
}

const reader = new ByteReader(Buffer.alloc(0));
const writer = new ByteWriter(2048);
const rewritten = new Unrolled();
const merged = new Unrolled();

const NO_BYTES = Buffer.alloc(0);
const NO_SLOT = -1;
const NO_TOKEN = -1;
/** RUN as it is packed. */
const RUN_BYTE = RUN * 2;

export function newTiles(ring: Ring): Tiles {
  return { ring, slot: NO_SLOT, head: 0, bytes: NO_BYTES, start: 0, end: 0 };
}

/** Adds to the tile of `at` ≤ `now`; one beyond the ring counts nothing, but the newest tile is always that of the newest time. */
export function addToTiles(tiles: Tiles, at: Instant, amount: number, now: Instant): void {
  const slot = slotAt(tiles.ring, at);
  const oldest = oldestSlot(tiles.ring, now);
  if (slot > tiles.slot) pushHead(tiles, slot, slot < oldest ? 0 : amount, oldest);
  else if (slot < oldest) return;
  else if (slot === tiles.slot) tiles.head += amount;
  else insert(tiles, slot, amount, oldest);
}

/** Adds every tile of `from` at `now`: as if what is in it had been added one by one. */
export function mergeTiles(tiles: Tiles, from: Tiles, now: Instant): void {
  const oldest = oldestSlot(tiles.ring, now);
  const newest = Math.max(tiles.slot, from.slot);
  unroll(tiles, oldest, rewritten);
  unroll(from, oldest, merged);
  const older = olderThan(newest);
  let [own, other, head] = [0, 0, 0];
  while (own < rewritten.length || other < merged.length) {
    const slot = Math.max(
      own < rewritten.length ? rewritten.slot(own) : NO_SLOT,
      other < merged.length ? merged.slot(other) : NO_SLOT,
    );
    let value = 0;
    if (own < rewritten.length && rewritten.slot(own) === slot) value += rewritten.value(own++);
    if (other < merged.length && merged.slot(other) === slot) value += merged.value(other++);
    if (slot === newest) head = value;
    else older.write(slot, value);
  }
  const bytes = older.end();
  setHead(tiles, newest, head);
  setOlder(tiles, bytes, 0, bytes.length);
}

export function clearTiles(tiles: Tiles): void {
  setHead(tiles, NO_SLOT, 0);
  setOlder(tiles, NO_BYTES, 0, 0);
}

function pushHead(tiles: Tiles, slot: number, amount: number, oldest: number): void {
  if (tiles.slot < oldest || (tiles.head === 0 && tiles.start === tiles.end)) {
    setHead(tiles, slot, amount);
    setOlder(tiles, NO_BYTES, 0, 0);
    return;
  }
  prune(tiles, oldest);
  writer.reset();
  writer.raw(tiles.bytes, writeBefore(tiles, slot - tiles.slot), tiles.end);
  const bytes = writer.copy();
  setHead(tiles, slot, amount);
  setOlder(tiles, bytes, 0, bytes.length);
}

/** Writes the newest tile as an older one, in a run with those before it; answers from where on the other bytes stay. */
function writeBefore({ head, bytes, start, end }: Tiles, gap: number): number {
  const token = tokenOf(gap, head);
  const first = bytes[start] ?? 0;
  if (token === NO_TOKEN || end - start < RUN_MIN - 1) {
    writeOlder(gap, head);
    return start;
  }
  if (first === token && bytes[start + 1] === token) {
    writeRun(RUN_MIN, token);
    return start + 2;
  }
  const isRun = (first & 15) === 0 && bytes[start + 1] === RUN_BYTE && bytes[start + 2] === token;
  const length = (first >> 4) + RUN_MIN;
  if (!isRun || length >= RUN_MAX) {
    writer.byte(token);
    return start;
  }
  writeRun(length + 1, token);
  return start + 3;
}

/** Drops the tiles before `oldest`: done whenever a newer tile comes, so a ring holds at most a run more tiles than it has slots. */
function prune(tiles: Tiles, oldest: number): void {
  let slot = tiles.slot;
  reader.reset(tiles.bytes, tiles.start);
  while (reader.position < tiles.end) {
    const at = reader.position;
    const token = reader.byte();
    const gap = token >> 4;
    const before = gap === ESCAPE ? reader.uint() + 16 : gap + 1;
    if ((token & 15) !== 0) slot -= before;
    else if (reader.int() !== RUN || gap === ESCAPE) slot -= before;
    else {
      const step = (reader.byte() >> 4) + 1;
      // A run that begins in the ring stays whole.
      if (slot - step >= oldest) slot = Math.max(oldest, slot - step * (gap + RUN_MIN));
      else slot = oldest - 1;
    }
    if (slot >= oldest) continue;
    tiles.end = at;
    return;
  }
}

/** A late event, or one taken out: the older tiles are written anew. */
function insert(tiles: Tiles, slot: number, amount: number, oldest: number): void {
  unroll(tiles, oldest, rewritten);
  const older = olderThan(tiles.slot);
  let pending = true;
  for (let index = 1; index < rewritten.length; index++) {
    const at = rewritten.slot(index);
    if (pending && at <= slot) {
      pending = false;
      if (at === slot) {
        older.write(at, rewritten.value(index) + amount);
        continue;
      }
      older.write(slot, amount);
    }
    older.write(at, rewritten.value(index));
  }
  if (pending) older.write(slot, amount);
  const bytes = older.end();
  setOlder(tiles, bytes, 0, bytes.length);
}

/** Writes the tiles before `newest`, given from the newer to the older, in runs. */
function olderThan(newest: number): { write(at: number, value: number): void; end(): Buffer } {
  writer.reset();
  let newer = newest;
  let run = 0;
  let last = NO_TOKEN;
  const endRun = (): void => {
    if (run >= RUN_MIN) writeRun(run, last);
    else for (let left = run; left > 0; left--) writer.byte(last);
    run = 0;
  };
  return {
    write(at, value) {
      if (value === 0) return;
      const token = tokenOf(newer - at, value);
      if (token === NO_TOKEN || token !== last || run === RUN_MAX) endRun();
      if (token === NO_TOKEN) writeOlder(newer - at, value);
      else run += 1;
      last = token;
      newer = at;
    },
    end() {
      endRun();
      return writer.copy();
    },
  };
}

/** The byte that a tile takes; NO_TOKEN when it takes more. */
function tokenOf(gap: number, value: number): number {
  return gap > ESCAPE || value < 1 || value > 15 ? NO_TOKEN : ((gap - 1) << 4) | value;
}

function writeRun(length: number, token: number): void {
  writer.byte((length - RUN_MIN) << 4);
  writer.byte(RUN_BYTE);
  writer.byte(token);
}

function writeOlder(gap: number, value: number): void {
  const gapCode = gap > ESCAPE ? ESCAPE : gap - 1;
  const valueCode = value >= 1 && value <= 15 ? value : 0;
  writer.byte((gapCode << 4) | valueCode);
  if (gapCode === ESCAPE) writer.uint(gap - 16);
  if (valueCode === 0) writer.int(value);
}

function setHead(tiles: Tiles, slot: number, head: number): void {
  tiles.slot = slot;
  tiles.head = head;
}

function setOlder(tiles: Tiles, bytes: Buffer, start: number, end: number): void {
  tiles.bytes = bytes;
  tiles.start = start;
  tiles.end = end;
}
