import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER } from '../core/processor.ts';
import { readTiles, writeTiles } from '../core/tiles.ts';
import type { Tally } from './tally.ts';

/** Reads only what every event needs of every measure: where it ends and its deadline. */
export function locateTally(tally: Tally, reader: ByteReader, body: Buffer): void {
  const length = reader.uint();
  tally.start = reader.position;
  tally.end = tally.start + length;
  const due = reader.uint();
  tally.due = due === 0 ? NEVER : due;
  tally.present = true;
  tally.opened = false;
  tally.changed = false;
  reader.reset(body, tally.end);
}

export function openTally(tally: Tally, reader: ByteReader, body: Buffer): void {
  if (tally.opened || !tally.present) return;
  tally.opened = true;
  reader.reset(body, tally.start);
  reader.uint();
  tally.lifetime = reader.int();
  tally.lastAt = reader.uint();
  for (const tiles of tally.rings) readTiles(tiles, tally.lastAt, body, reader);
}

/** The packed form; one that did not change is copied as it is. `scratch` is overwritten. */
export function writeTally(tally: Tally, body: Buffer, writer: ByteWriter, scratch: ByteWriter): void {
  if (!tally.changed) {
    writer.uint(tally.end - tally.start);
    writer.raw(body, tally.start, tally.end);
    return;
  }
  scratch.reset();
  scratch.uint(tally.due === NEVER ? 0 : tally.due);
  scratch.int(tally.lifetime);
  scratch.uint(tally.lastAt);
  for (const tiles of tally.rings) writeTiles(tiles, scratch);
  writer.section(scratch);
}
