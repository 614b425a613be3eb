import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { readTiles, writeTiles } from '../../processors/core/tiles-packing.ts';
import { addToTiles, clearTiles, newTiles } from '../../processors/core/tiles.ts';
import type { Tiles } from '../../processors/core/tiles.ts';
import { unroll, Unrolled } from '../../processors/core/unroll.ts';
import { oldestSlot, slotAt } from '../../processors/core/window.ts';
import { Surroundings } from '../../processors/customer/surroundings.ts';
import { region } from '../../processors/customer/brand-rules.ts';

const RING = { hopMs: 10, tiles: 30 };

function contents(tiles: Tiles, from: number): Map<number, number> {
  const unrolled = new Unrolled();
  unroll(tiles, from, unrolled);
  const found = new Map<number, number>();
  for (let index = 0; index < unrolled.length; index++) {
    if (unrolled.value(index) !== 0) found.set(unrolled.slot(index), unrolled.value(index));
  }
  return found;
}

function packed(tiles: Tiles): Buffer {
  const writer = new ByteWriter();
  writeTiles(tiles, writer);
  return writer.copy();
}

describe('tiles', () => {
  test('hold what was added, late or in order, through packing, within the ring', () => {
    const addition = fc.record({
      gap: fc.oneof(
        fc.constant(10),
        fc.constant(10),
        fc.integer({ min: 0, max: 15 }),
        fc.integer({ min: 0, max: 250 }),
      ),
      late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })),
      amount: fc.oneof(
        fc.constant(2),
        fc.constant(2),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: -(10 ** 9), max: 10 ** 12 }),
      ),
      isRepacked: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(addition, { maxLength: 60 }), (additions) => {
        const tiles = newTiles(RING);
        const sums = new Map<number, number>();
        let now = 1000;
        let newestAt = 0;
        for (const { gap, late, amount, isRepacked } of additions) {
          now += gap;
          const at = Math.max(0, now - late);
          addToTiles(tiles, at, amount, now);
          newestAt = Math.max(newestAt, at);
          const slot = slotAt(RING, at);
          if (slot >= oldestSlot(RING, now)) sums.set(slot, (sums.get(slot) ?? 0) + amount);
          if (isRepacked) {
            const bytes = packed(tiles);
            readTiles(tiles, newestAt, bytes, new ByteReader(bytes));
          }
          const oldest = oldestSlot(RING, now);
          const expected = [...sums].filter(([each, sum]) => each >= oldest && sum !== 0).sort(([a], [b]) => b - a);
          expect([...contents(tiles, oldest)]).toEqual(expected);
        }
      }),
    );
  });

  test('never hold more tiles than the ring has, and take a byte each while small', () => {
    const tiles = newTiles(RING);
    for (let now = 0; now < 5000; now += 10) addToTiles(tiles, now, 1 + ((now / 10) % 15), now);
    expect(contents(tiles, 0).size).toBe(RING.tiles);
    expect(packed(tiles).length).toBe(RING.tiles - 1 + 2);
  });

  test('that are the same take three bytes for seventeen, whether they come in order or late', () => {
    const lengths = [false, true].map((isLate) => {
      const tiles = newTiles(RING);
      addToTiles(tiles, 0, 2, 0);
      if (isLate) addToTiles(tiles, 29 * 10, 2, 29 * 10);
      for (let slot = 1; slot < 30; slot++) if (!isLate || slot < 29) addToTiles(tiles, slot * 10, 2, 29 * 10);
      expect([...contents(tiles, 0).values()]).toEqual(Array.from({ length: 30 }, () => 2));
      return packed(tiles).length;
    });
    expect(lengths).toEqual([2 + 6, 2 + 6]);
  });

  test('in a run go one by one for who looks, and with the run from what is kept', () => {
    const tiles = newTiles(RING);
    for (let slot = 0; slot < 20; slot++) addToTiles(tiles, slot * 10, 3, slot * 10);
    addToTiles(tiles, 40 * 10, 1, 40 * 10);
    expect([...contents(tiles, oldestSlot(RING, 400)).keys()]).toEqual([40, 19, 18, 17, 16, 15, 14, 13, 12, 11]);
    addToTiles(tiles, 60 * 10, 1, 60 * 10);
    expect([...contents(tiles, 0).keys()]).toEqual([60, 40]);
  });

  test('an amount taken out again leaves nothing', () => {
    const tiles = newTiles(RING);
    addToTiles(tiles, 105, 7, 105);
    addToTiles(tiles, 125, 5, 125);
    addToTiles(tiles, 105, -7, 130);
    expect([...contents(tiles, 0)]).toEqual([[12, 5]]);
    clearTiles(tiles);
    expect(contents(tiles, -100).size).toBe(0);
  });
});

test('the surroundings of a number are its region of the thresholds', () => {
  const thresholds = fc
    .uniqueArray(fc.integer({ min: -5, max: 10 }), { maxLength: 5 })
    .map((each) => each.sort((a, b) => a - b));
  const number = fc.oneof(fc.integer({ min: -7, max: 12 }), fc.double({ min: -7, max: 12, noNaN: true }));
  const surroundings = new Surroundings();
  fc.assert(
    fc.property(thresholds, number, number, (limits, from, to) => {
      const excluded = surroundings.around(limits, from).excludes(to);
      expect(excluded).toBe(region(limits, from) !== region(limits, to));
    }),
    { numRuns: 1000 },
  );
});
