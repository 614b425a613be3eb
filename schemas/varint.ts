/** Longer varints do not fit 64 bits. */
const VARINT_BYTES_MAX = 10;

/** Where something ends that is not there. */
export const BAD = -1;

/** Where the last varint ended, or BAD. Shared, because a pair for each varint would cost more than the varint. */
export let next = 0;

/** A zigzag varint of up to 64 bits, as Avro writes whole numbers; beyond 2^53 the last bits are lost. */
export function readVarint(bytes: Buffer, at: number): number {
  let byte = bytes[at];
  if (byte === undefined) {
    next = BAD;
    return 0;
  }
  if (byte < 128) {
    next = at + 1;
    return byte & 1 ? -((byte + 1) >> 1) : byte >> 1;
  }
  let value = byte & 0x7f;
  let scale = 128;
  for (let index = 1; index < VARINT_BYTES_MAX; index++) {
    byte = bytes[at + index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * scale;
    if (byte < 128) {
      next = at + index + 1;
      // Beyond 2^53 the last bit is lost, but not the size.
      return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
    }
    scale *= 128;
  }
  next = BAD;
  return 0;
}
