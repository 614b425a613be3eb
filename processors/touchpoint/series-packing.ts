import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { readTiles, writeTiles } from '../core/tiles-packing.ts';
import { newBundle, type Bundle } from './series.ts';

export function writeBundle({ newestAt, series }: Bundle, writer: ByteWriter): void {
  writer.uint(newestAt);
  for (const { hours, days } of series) {
    writeTiles(hours, writer);
    writeTiles(days, writer);
  }
}

/** Reads what `writeBundle` wrote, as views into `bytes`, which is what `reader` reads. */
export function readBundle(size: number, bytes: Buffer, reader: ByteReader): Bundle {
  const bundle = newBundle(size);
  bundle.newestAt = reader.uint();
  for (const { hours, days } of bundle.series) {
    readTiles(hours, bundle.newestAt, bytes, reader);
    readTiles(days, bundle.newestAt, bytes, reader);
  }
  return bundle;
}
