import type { ByteReader, ByteWriter } from './packing.ts';
import type { Instant } from './processor.ts';
import type { Tiles } from './tiles.ts';
import { slotAt } from './window.ts';

/** The newest slot is not written: who keeps the tiles knows the time of the newest event. */
export function writeTiles(tiles: Tiles, to: ByteWriter): void {
  to.int(tiles.head);
  to.uint(tiles.end - tiles.start);
  to.raw(tiles.bytes, tiles.start, tiles.end);
}

/** Reads what `writeTiles` wrote, keeping a view into `bytes`, which is what `from` reads. */
export function readTiles(tiles: Tiles, newestAt: Instant, bytes: Buffer, from: ByteReader): void {
  const head = from.int();
  const length = from.uint();
  locateTiles(tiles, newestAt, head, bytes, from.position, length);
  from.reset(bytes, tiles.end);
}

/** The tile of `newestAt` holds `head`; the older ones are `length` of `bytes` from `start` on. */
export function locateTiles(
  tiles: Tiles,
  newestAt: Instant,
  head: number,
  bytes: Buffer,
  start: number,
  length: number,
): void {
  tiles.slot = slotAt(tiles.ring, newestAt);
  tiles.head = head;
  tiles.bytes = bytes;
  tiles.start = start;
  tiles.end = start + length;
}
