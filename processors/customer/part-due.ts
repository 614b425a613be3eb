import { DAY_MS } from '../core/event-time.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';

/** A deadline in few bytes: most are midnights UTC, which take three of them, an odd number of days; 0 is never. */
export function writeDue(due: Instant, writer: ByteWriter): void {
  if (due === NEVER) writer.uint(0);
  else writer.uint(due % DAY_MS === 0 ? (due / DAY_MS) * 2 + 1 : due * 2);
}

export function readDue(reader: ByteReader): Instant {
  const packed = reader.uint();
  if (packed === 0) return NEVER;
  return packed % 2 === 1 ? ((packed - 1) / 2) * DAY_MS : packed / 2;
}
