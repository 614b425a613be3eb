import { BatchTooLarge } from './batch-too-large.ts';

// Source: LZ4 Frame Format Description 1.6, LZ4 Block Format Description.
const MAGIC = 0x184d2204;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const IS_STORED = 0x80000000;
const LENGTH_GOES_ON = 15;
const MATCH_LEAST = 4;

/**
 * How many bytes an LZ4 frame holds, by counting its sequences: what the frame says of itself may be a lie, and lz4js believes
 * it. Throws a RangeError when the frame is cut off or is none, and a BatchTooLarge above `maxBytes`.
 */
export function lz4Length(frame: Buffer, maxBytes: number): number {
  if (frame.readUInt32LE(0) !== MAGIC) throw new RangeError('it is no LZ4 frame');
  const flags = frame.readUInt8(4);
  // Magic, flags, block size, checksum of the head.
  let at = (flags & CONTENT_SIZE) === 0 ? 7 : 15;
  let length = 0;
  for (;;) {
    const size = frame.readUInt32LE(at);
    at += 4;
    if (size === 0) return length;
    const bytes = size & ~IS_STORED;
    const end = at + bytes;
    if (end > frame.length) throw new RangeError('a block ends beyond its LZ4 frame');
    length += (size & IS_STORED) === 0 ? blockLength(frame, at, end) : bytes;
    if (length > maxBytes) throw new BatchTooLarge(maxBytes);
    at = end + ((flags & BLOCK_CHECKSUM) === 0 ? 0 : 4);
  }
}

function blockLength(frame: Buffer, from: number, end: number): number {
  let length = 0;
  let at = from;
  /** Reads on where four bits did not suffice. */
  const whole = (bits: number): number => {
    let sum = bits;
    if (bits < LENGTH_GOES_ON) return sum;
    for (let byte = 255; byte === 255 && at < end;) {
      byte = frame[at++] ?? 0;
      sum += byte;
    }
    return sum;
  };
  while (at < end) {
    const token = frame[at++] ?? 0;
    const literals = whole(token >>> 4);
    length += literals;
    at += literals;
    if (at >= end) break;
    // The distance of the match.
    at += 2;
    length += whole(token & 15) + MATCH_LEAST;
  }
  return length;
}
