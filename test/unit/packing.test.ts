import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';

const edges = [
  0,
  1,
  127,
  128,
  2 ** 14 - 1,
  2 ** 14,
  2 ** 28 - 1,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 35,
  2 ** 52,
];
const whole = fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat());

test('whole numbers come back, in as many bytes as they have groups of seven bits', () => {
  fc.assert(
    fc.property(whole, (value) => {
      const writer = new ByteWriter(1);
      writer.uint(value);
      expect(writer.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)));
      expect(new ByteReader(writer.copy()).uint()).toBe(value);
    }),
    { numRuns: 1000 },
  );
});

test('signed numbers come back', () => {
  const signed = fc.tuple(whole, fc.boolean()).map(([value, isNegative]) => {
    const within = Math.min(value, 2 ** 52 - 1);
    return isNegative && within !== 0 ? -within : within;
  });
  fc.assert(
    fc.property(fc.array(signed), (values) => {
      const writer = new ByteWriter(1);
      for (const value of values) writer.int(value);
      const reader = new ByteReader(writer.copy());
      expect(values.map(() => reader.int())).toEqual(values);
      expect(reader.done).toBe(true);
    }),
  );
});

test('texts, bytes, sections and raw bytes come back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 60 }), (text, bytes) => {
      const part = new ByteWriter(1);
      part.string(text);
      const writer = new ByteWriter(1);
      writer.section(part);
      writer.bytes(bytes);
      writer.raw(Buffer.from(bytes), 0, bytes.length);
      const written = writer.copy();
      const reader = new ByteReader(written);
      expect(new ByteReader(reader.bytes()).string()).toBe(text);
      expect([...reader.bytes()]).toEqual([...bytes]);
      expect([...written.subarray(reader.position)]).toEqual([...bytes]);
    }),
  );
});

test('bytes that end early are refused', () => {
  expect(() => new ByteReader(Buffer.from([200])).uint()).toThrow(RangeError);
  expect(() => new ByteReader(Buffer.from([200, 200, 200, 200])).uint()).toThrow(RangeError);
  expect(() => new ByteReader(Buffer.from([5, 1])).string()).toThrow(RangeError);
});

test('what was begun and ended is as if its bytes had been written, whatever its length', () => {
  const lengths = fc.oneof(fc.nat(300), fc.constantFrom(0, 127, 128, 16_383, 16_384, 2 ** 21));
  fc.assert(
    fc.property(fc.array(lengths, { minLength: 1, maxLength: 3 }), (all) => {
      const writer = new ByteWriter(1);
      const expected = new ByteWriter(1);
      for (const length of all) {
        const value = Buffer.alloc(length, length);
        const begun = writer.begin();
        writer.raw(value, 0, length);
        writer.end(begun);
        writer.byte(7);
        expected.bytes(value);
        expected.byte(7);
      }
      expect(writer.copy().equals(expected.copy())).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('texts of a byte or two come back, of one character or none that is whole', () => {
  for (const text of ['', '0', '23', 'é', '\u007f', '\u0000', 'a\u0000', 'éa', '日']) {
    const writer = new ByteWriter(1);
    writer.string(text);
    writer.string('next');
    const reader = new ByteReader(writer.copy());
    expect([reader.string(), reader.string()]).toEqual([text, 'next']);
  }
  expect(new ByteReader(Buffer.from([2, 0xc3, 0x28])).string()).toBe('\ufffd(');
  const reader = new ByteReader(Buffer.from([1, 2, 3]));
  reader.skip(2);
  expect(reader.byte()).toBe(3);
  expect(() => {
    reader.skip(1);
  }).toThrow(RangeError);
});

test('an Avro string has its length as a signed number before it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 150 }), (text) => {
      const writer = new ByteWriter(1);
      writer.avroString(text);
      const reader = new ByteReader(writer.copy());
      expect(reader.int()).toBe(Buffer.byteLength(text));
      expect(writer.copy().subarray(reader.position).toString()).toBe(text);
    }),
  );
});
