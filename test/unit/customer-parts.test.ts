import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { NEVER } from '../../processors/core/processor.ts';
import { NO_PARTS, OpenParts, type Part, type PartId } from '../../processors/customer/parts.ts';

interface Visits {
  count: number;
  due: number;
}

function partOf(id: PartId): Part<Visits> {
  return {
    id,
    initial: () => ({ count: 0, due: NEVER }),
    read: (reader: ByteReader) => {
      const count = reader.uint();
      const due = reader.uint();
      return { count, due: due === 0 ? NEVER : due };
    },
    write({ count, due }, writer: ByteWriter) {
      if (count === 0) return;
      writer.uint(count);
      writer.uint(due === NEVER ? 0 : due);
    },
    nextDue: ({ due }) => due,
  };
}

const FIRST = partOf(1);
const SECOND = partOf(2);

function packed(...values: [Part<Visits>, Visits][]): Buffer {
  const parts = new OpenParts();
  parts.open(NO_PARTS);
  for (const [part, value] of values) parts.put(part, value);
  return parts.close();
}

describe('the parts of a customer', () => {
  test('are what was put, in whatever order', () => {
    const parts = new OpenParts();
    const bytes = packed([SECOND, { count: 2, due: 70 }], [FIRST, { count: 1, due: NEVER }]);
    expect(bytes).toEqual(packed([FIRST, { count: 1, due: NEVER }], [SECOND, { count: 2, due: 70 }]));
    parts.open(bytes);
    expect(parts.get(FIRST)).toEqual({ count: 1, due: NEVER });
    expect(parts.get(SECOND)).toEqual({ count: 2, due: 70 });
    expect(parts.due).toBe(70);
    expect(parts.isDue(SECOND, 69)).toBe(false);
    expect(parts.isDue(SECOND, 70)).toBe(true);
    expect(parts.isDue(FIRST, 70)).toBe(false);
  });

  test('are read in place, up to their own end, until one is put', () => {
    const parts = new OpenParts();
    parts.open(packed([FIRST, { count: 300, due: 5 }], [SECOND, { count: 2, due: 70 }]));
    const reader = parts.packed(FIRST);
    expect([reader?.uint(), reader?.uint(), reader?.done]).toEqual([300, 5, true]);
    expect(() => reader?.byte()).toThrow(RangeError);
    parts.put(FIRST, parts.get(FIRST));
    expect(parts.packed(FIRST)).toBeNull();
  });

  test('of a customer who is opened again are read anew: what was changed and not put is forgotten', () => {
    const parts = new OpenParts();
    const bytes = packed([FIRST, { count: 300, due: 5 }]);
    parts.open(bytes);
    parts.get(FIRST).count = 7;
    parts.open(bytes);
    expect(parts.get(FIRST)).toEqual({ count: 300, due: 5 });
    parts.put(FIRST, { count: 8, due: 5 });
    parts.open(bytes);
    expect([parts.get(FIRST), parts.isChanged]).toEqual([{ count: 300, due: 5 }, false]);
  });

  test('that were not touched stay as they are, beside one that was', () => {
    const parts = new OpenParts();
    parts.open(packed([FIRST, { count: 300, due: 5 }], [SECOND, { count: 2, due: 70 }]));
    const value = parts.get(SECOND);
    value.count += 1;
    expect(parts.isChanged).toBe(false);
    parts.put(SECOND, value);
    expect(parts.isChanged).toBe(true);
    expect(parts.close()).toEqual(packed([FIRST, { count: 300, due: 5 }], [SECOND, { count: 3, due: 70 }]));
  });

  test('that hold nothing any more are gone', () => {
    const parts = new OpenParts();
    parts.open(packed([FIRST, { count: 1, due: 5 }]));
    parts.put(FIRST, { count: 0, due: NEVER });
    expect(parts.due).toBe(NEVER);
    expect(parts.close()).toEqual(NO_PARTS);
    parts.open(parts.close());
    expect(parts.has(FIRST)).toBe(false);
    expect(parts.get(FIRST)).toEqual({ count: 0, due: NEVER });
    expect(parts.due).toBe(NEVER);
  });

  test('of one customer are not those of the next', () => {
    const parts = new OpenParts();
    const one = packed([FIRST, { count: 1, due: 5 }]);
    parts.open(one);
    parts.get(FIRST).count = 99;
    parts.open(NO_PARTS);
    expect(parts.has(FIRST)).toBe(false);
    parts.open(one);
    expect(parts.get(FIRST).count).toBe(1);
  });

  test('survive any values', () => {
    const value = fc.record({
      count: fc.integer({ min: 1, max: 2 ** 50 }),
      due: fc.oneof(fc.constant(NEVER), fc.integer({ min: 1, max: 2 ** 43 })),
    });
    fc.assert(
      fc.property(fc.dictionary(fc.integer({ min: 1, max: 127 }).map(String), value), (values) => {
        const put = Object.entries(values).map(([id, each]): [Part<Visits>, Visits] => [
          partOf(Number(id) as PartId),
          each,
        ]);
        const parts = new OpenParts();
        parts.open(packed(...put));
        for (const [part, each] of put) expect(parts.get(part)).toEqual(each);
        expect(parts.due).toBe(Math.min(NEVER, ...put.map(([, { due }]) => due)));
      }),
    );
  });
});
