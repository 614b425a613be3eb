/**
 * Packed binary values: unsigned and zigzag varints, doubles, strings, bytes. State lives in one Binary a document because
 * nested sub-documents cost seven times the bytes and twenty times the CPU of BSON.
 */

/** What four bytes of a varint hold. */
const LOW_LIMIT = 2 ** 28;

/** What `begin` leaves for a length. */
const LENGTH_ROOM = 2;

/** An append-only buffer that grows by doubling and is reused from value to value (`reset`). */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** A copy of what was written since `from`. */
  copy(from = 0): Buffer {
    const copy = Buffer.allocUnsafe(this.#length - from);
    this.#bytes.copy(copy, 0, from, this.#length);
    return copy;
  }

  /** A view of what was written, valid until the next write. */
  view(from = 0): Buffer {
    return this.#bytes.subarray(from, this.#length);
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + size));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** Four bytes, the most significant first. */
  uint32(value: number): void {
    this.#room(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
  }

  /** Unsigned varint of a whole number from 0 to 2^53 − 1. */
  uint(value: number): void {
    this.#room(8);
    const bytes = this.#bytes;
    let at = this.#length;
    // Bit operations work on 32 bits only: a larger value, such as a time, is written as 28 bits and the rest.
    if (value > 0x7fffffff) {
      const low = value % LOW_LIMIT;
      bytes[at++] = (low & 0x7f) | 0x80;
      bytes[at++] = ((low >>> 7) & 0x7f) | 0x80;
      bytes[at++] = ((low >>> 14) & 0x7f) | 0x80;
      bytes[at++] = (low >>> 21) | 0x80;
      value = Math.floor(value / LOW_LIMIT);
    }
    while (value > 127) {
      bytes[at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    bytes[at++] = value;
    this.#length = at;
  }

  /** Zigzag varint of a whole number within ± 2^52. */
  int(value: number): void {
    this.uint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  double(value: number): void {
    this.#room(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  bytes(value: Uint8Array): void {
    this.uint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** What another writer wrote, with its length before it. */
  section(part: ByteWriter): void {
    this.uint(part.#length);
    this.raw(part.#bytes, 0, part.#length);
  }

  /** Bytes `start` to `end` of `source`, without their length. */
  raw(source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#room(length);
    // A call into native code costs more than copying a few bytes by hand.
    if (length < 24) {
      for (let index = 0; index < length; index++) this.#bytes[this.#length + index] = source[start + index] ?? 0;
    } else {
      source.copy(this.#bytes, this.#length, start, end);
    }
    this.#length += length;
  }

  /** UTF-8 with its length in bytes before it. */
  string(value: string): void {
    this.#text(value, 0);
  }

  /** As `string`, but with its length as `int` writes it: a string of Avro. */
  avroString(value: string): void {
    this.#text(value, 1);
  }

  /** `shift` 1: the length is written doubled, which is a zigzag varint. */
  #text(value: string, shift: 0 | 1): void {
    const length = value.length;
    this.#room(length * 3 + 5);
    // Nearly every string is short ASCII: written by hand, without a call into the encoder.
    if (length << shift < 128) {
      const bytes = this.#bytes;
      const start = this.#length + 1;
      let index = 0;
      for (; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code > 127) break;
        bytes[start + index] = code;
      }
      if (index === length) {
        bytes[this.#length] = length << shift;
        this.#length = start + length;
        return;
      }
    }
    this.uint(Buffer.byteLength(value) << shift);
    this.#length += this.#bytes.write(value, this.#length);
  }

  /** Begins something whose length goes before it; answers what `end` must be told. */
  begin(): number {
    this.#room(LENGTH_ROOM);
    this.#length += LENGTH_ROOM;
    return this.#length;
  }

  /** Ends what `begin` began: as if `bytes` had written it. */
  end(begun: number): void {
    const length = this.#length - begun;
    const from = begun - LENGTH_ROOM;
    // Most lengths take the two bytes that were left for them; else everything moves.
    if (length >= 128 && length < 16_384) {
      this.#bytes[from] = (length & 0x7f) | 0x80;
      this.#bytes[from + 1] = length >>> 7;
      return;
    }
    this.#room(8);
    const lengthBytes = length < 128 ? 1 : length < 2 ** 21 ? 3 : length < LOW_LIMIT ? 4 : 5;
    this.#bytes.copyWithin(from + lengthBytes, begun, begun + length);
    this.#length = from;
    this.uint(length);
    this.#length += length;
  }
}

/** Reads what `ByteWriter` wrote; throws RangeError at the end of the bytes. */
export class ByteReader {
  #bytes: Buffer;
  #at = 0;
  #end: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Starts over on other bytes, up to `end`, so that one reader can serve a whole batch without a view for each value. */
  reset(bytes: Buffer, at = 0, end = bytes.length): this {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    return this;
  }

  get position(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++] ?? 0;
  }

  uint(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let byte = bytes[at++];
    // Most numbers take one byte; one beyond the bytes reads as undefined, which is not below 128.
    if (byte !== undefined && byte < 128 && at <= this.#end) {
      this.#at = at;
      return byte;
    }
    let value = 0;
    let shift = 0;
    for (; byte !== undefined && byte > 127 && shift < 28; shift += 7) {
      value |= (byte & 0x7f) << shift;
      byte = bytes[at++];
    }
    let scale = 2 ** shift;
    for (; byte !== undefined && byte > 127; scale *= 128) {
      value += (byte & 0x7f) * scale;
      byte = bytes[at++];
    }
    if (byte === undefined || at > this.#end) throw new RangeError('packed value ends early');
    this.#at = at;
    return value + byte * scale;
  }

  int(): number {
    const value = this.uint();
    if (value <= 0x7fffffff) return (value >>> 1) ^ -(value & 1);
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  double(): number {
    this.#need(8);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  /** What it reads. */
  get source(): Buffer {
    return this.#bytes;
  }

  /** Goes on behind so many bytes. */
  skip(length: number): void {
    this.#need(length);
    this.#at += length;
  }

  /** A view into the underlying bytes, not a copy. */
  bytes(): Buffer {
    const length = this.uint();
    this.#need(length);
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /** All that is left, as a view. */
  rest(): Buffer {
    const value = this.#bytes.subarray(this.#at, this.#end);
    this.#at = this.#end;
    return value;
  }

  string(): string {
    const length = this.uint();
    this.#need(length);
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at += length;
    if (length === 1 || length === 2) {
      const first = bytes[at] ?? 0;
      const last = bytes[at + length - 1] ?? 0;
      // A tenth of what decoding costs, and hours, the keys that there are most of, are so short.
      if (first < 128 && last < 128)
        return length === 1 ? String.fromCharCode(first) : String.fromCharCode(first, last);
    }
    return bytes.toString('utf8', at, at + length);
  }

  #need(length: number): void {
    if (this.#at + length > this.#end) throw new RangeError('packed value ends early');
  }
}
