/** Reflected form of the polynomial 0x1EDC6F41. Source: RFC 3720, section 12.1; its examples are in appendix B.4. */
const POLYNOMIAL = 0x82f63b78;
/** How many bytes are taken at once: one table for each. */
const SLICES = 16;

/** Table s holds what a byte does to the checksum when s more bytes follow it in the same step. */
const TABLES = new Int32Array(256 * SLICES);
for (let byte = 0; byte < 256; byte++) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 0 ? sum >>> 1 : (sum >>> 1) ^ POLYNOMIAL;
  TABLES[byte] = sum;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256] ?? 0;
  TABLES[at] = (before >>> 8) ^ (TABLES[before & 255] ?? 0);
}

const tableOf = (slice: number, byte: number): number => TABLES[slice * 256 + byte] ?? 0;

/** The Castagnoli checksum that guards a record batch. By sixteen bytes at once: a quarter of the work of one by one. */
export function crc32c(bytes: Uint8Array): number {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = -1;
  let at = 0;
  for (; at + SLICES <= bytes.length; at += SLICES) {
    sum =
      fourOf(12, sum ^ words.getInt32(at, true)) ^
      fourOf(8, words.getInt32(at + 4, true)) ^
      fourOf(4, words.getInt32(at + 8, true)) ^
      fourOf(0, words.getInt32(at + 12, true));
  }
  for (; at < bytes.length; at++) sum = tableOf(0, (sum ^ (bytes[at] ?? 0)) & 255) ^ (sum >>> 8);
  return (sum ^ -1) >>> 0;
}

/** What four bytes do, of which the last has `slice` bytes behind it. */
function fourOf(slice: number, word: number): number {
  return (
    tableOf(slice + 3, word & 255) ^
    tableOf(slice + 2, (word >>> 8) & 255) ^
    tableOf(slice + 1, (word >>> 16) & 255) ^
    tableOf(slice, word >>> 24)
  );
}
