import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { placeOfSum } from '../../processors/core/brand-amounts.ts';
import { BrandChanges, NOW } from '../../processors/customer/brand-changes.ts';
import { sumsOf, tilesOf } from '../../processors/customer/brand-columns.ts';
import { packDocuments, unpackDocuments } from '../../processors/customer/brand-document-packing.ts';
import {
  addChanges,
  BRANDS_MAX,
  LEDGER_BLOCKS,
  newDocuments,
  VALUES_MAX,
  type BrandDocuments,
} from '../../processors/customer/brand-documents.ts';
import { brandLedger } from '../../processors/customer/brand-partials.ts';
import { PLACES } from '../../processors/customer/brand-places.ts';
import { hourOf } from '../../processors/customer/brand-tiles.ts';
import { segmentList } from '../../processors/customer/segment-list.ts';
import { Random } from '../../processors/simulation/random.ts';
import type { BrandPartial } from '../../schemas/types.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T = Date.UTC(2026, 0, 1, 12);
const ORDERS = placeOfSum('orders');
const CUSTOMERS = 3;

const changes = new BrandChanges();

function order(
  documents: BrandDocuments,
  brandId: string,
  at: number,
  now: number,
  segments: readonly string[] = [],
): void {
  changes.begin(brandId, now, segmentList(segments));
  changes.addSum(ORDERS, Math.floor(at / HOUR), 1);
  addChanges(documents, changes);
}

function publish(documents: BrandDocuments, now: number): BrandPartial[] {
  return brandLedger.publish({ documents }, now, 3).map(({ value }) => value as BrandPartial);
}

function due(documents: BrandDocuments): number {
  return brandLedger.nextDue({ documents });
}

function packed(documents: BrandDocuments, seq: number): Buffer {
  const writer = new ByteWriter();
  packDocuments(documents, seq, writer);
  return writer.copy();
}

/** What documents say, whatever they were made of. */
function contentOf(documents: BrandDocuments): Map<string, unknown> {
  const { byKey } = documents;
  const content = new Map<string, unknown>();
  for (const key of [...byKey.keys()].sort()) {
    const document = byKey.get(key);
    if (document === undefined) continue;
    const { columns, standings, hour } = document;
    const own = columns.flatMap((column, place) =>
      column === null || tilesOf(column).next().done === true
        ? []
        : [
            [
              place,
              sumsIn(documents, key, place),
              [...tilesOf(column)].map((tile) => [hourOf(tile, hour), column.cells[tile]]),
            ],
          ],
    );
    if (own.length === 0 && standings.every((count) => count === 0)) continue;
    content.set(key, { own, standings: [...standings] });
  }
  return content;
}

function sumsIn({ byKey }: BrandDocuments, key: string, place: number): number[] {
  const sums = new Float64Array(5);
  const column = byKey.get(key)?.columns[place] ?? null;
  if (column !== null) sumsOf(column, sums);
  return [...sums];
}

describe("the brand's documents of a partition", () => {
  test('hold a year of a sum, and lose the oldest day at midnight by silence', () => {
    const documents = newDocuments();
    for (let day = 0; day < 500; day++) order(documents, 'acme', T + day * DAY, T + day * DAY);
    publish(documents, T + 499 * DAY);
    expect(sumsIn(documents, 'acme|brand|all', ORDERS)).toEqual([2, 8, 31, 91, 366]);
    const midnight = Date.UTC(2026, 0, 1) + 500 * DAY;
    expect(publish(documents, midnight - 1)).toMatchObject([{ shorter: { orders: [1, 7, 31, 91] } }]);
    expect(publish(documents, midnight)).toMatchObject([
      { amounts: { orders: 365 }, shorter: { orders: [1, 7, 30, 90] }, partition: 3, asOf: midnight },
    ]);
    expect(publish(documents, T + 5000 * DAY)).toMatchObject([{ amounts: {}, shorter: {} }]);
    expect(due(documents)).toBe(Infinity);
  });

  test('lose each hour at the exact hour by silence, and say nothing at any other', () => {
    const documents = newDocuments();
    order(documents, 'acme', T + 59 * 60_000, T + 59 * 60_000);
    publish(documents, T + 59 * 60_000);
    const said: [number, readonly number[] | undefined, number | undefined][] = [];
    for (let asOf = due(documents); asOf < Infinity; asOf = due(documents)) {
      expect(publish(documents, asOf - 1)).toEqual([]);
      for (const { amounts, shorter } of publish(documents, asOf)) {
        said.push([asOf, shorter['orders'], amounts['orders']]);
      }
    }
    const midnight = Date.UTC(2026, 0, 1);
    expect(said).toEqual([
      [T + 25 * HOUR, [0, 1, 1, 1], 1],
      [T + 169 * HOUR, [0, 0, 1, 1], 1],
      [midnight + 31 * DAY, [0, 0, 0, 1], 1],
      [midnight + 91 * DAY, undefined, 1],
      [midnight + 366 * DAY, undefined, undefined],
    ]);
  });

  test('hold of every window what a count of its hours, or days, gives: late, taken out again, at any time', () => {
    const random = new Random(11);
    const documents = newDocuments();
    const all: { hour: number; by: number }[] = [];
    let now = T;
    for (let step = 0; step < 3000; step++) {
      now += random.below(random.chance(0.02) ? 20 * DAY : 3 * HOUR);
      const reach = [HOUR, 2 * DAY, 9 * DAY, 100 * DAY, 420 * DAY][random.below(5)] ?? HOUR;
      const again = random.chance(0.3) ? all[random.below(all.length)] : undefined;
      const own =
        again === undefined
          ? { hour: Math.floor((now - random.below(reach)) / HOUR), by: 1 + random.below(9) }
          : { hour: again.hour, by: -again.by };
      all.push(own);
      changes.begin('acme', now).add('brand', 'all', own.hour, ORDERS, own.by);
      addChanges(documents, changes);
      if (step % 10 !== 0) continue;
      publish(documents, now);
      const [hour, day] = [Math.floor(now / HOUR), Math.floor(now / DAY)];
      const firsts = [hour - 24, hour - 168, (day - 30) * 24, (day - 90) * 24, (day - 365) * 24];
      const counted = firsts.map((first) => all.reduce((sum, each) => sum + (each.hour >= first ? each.by : 0), 0));
      expect({ step, sums: sumsIn(documents, 'acme|brand|all', ORDERS) }).toEqual({ step, sums: counted });
    }
  });

  test('count nothing of days that have left, whether they come late or are taken out late', () => {
    const documents = newDocuments();
    order(documents, 'acme', T, T);
    order(documents, 'acme', T + 366 * DAY, T + 366 * DAY);
    order(documents, 'acme', T, T);
    expect(publish(documents, T + 366 * DAY)).toMatchObject([{ amounts: { orders: 1 } }]);
  });

  test('publish what changed, once', () => {
    const documents = newDocuments();
    order(documents, 'acme', T, T, ['vip']);
    order(documents, 'zen', T, T);
    expect(due(documents)).toBe(-Infinity);
    expect(publish(documents, T).map(({ brandId, dimension, value }) => `${brandId} ${dimension} ${value}`)).toEqual([
      'acme brand all',
      'acme segment vip',
      'zen brand all',
    ]);
    expect(publish(documents, T + 1)).toEqual([]);
    order(documents, 'zen', T, T);
    expect(publish(documents, T + 1)).toMatchObject([{ brandId: 'zen', amounts: { orders: 2 } }]);
  });

  test('are so many at most: further values are counted together, further brands not at all', () => {
    const documents = newDocuments();
    for (let brand = 0; brand < BRANDS_MAX + 5; brand++) order(documents, `brand-${brand}`, T, T);
    expect(documents.byKey.size).toBe(BRANDS_MAX);
    for (let campaign = 0; campaign < 2 * VALUES_MAX.campaign; campaign++) {
      changes.begin('brand-1', T).add('campaign', `campaign-${campaign}`, Math.floor(T / HOUR), 9, 1);
      addChanges(documents, changes);
    }
    expect(documents.byKey.size).toBe(BRANDS_MAX + VALUES_MAX.campaign + 1);
    expect(sumsIn(documents, 'brand-1|campaign|other', 9).at(-1)).toBe(VALUES_MAX.campaign);
  });

  test('know which of them a list of segments counts in, also after one has come or gone', () => {
    const documents = newDocuments();
    const list = segmentList(['a', 'b']);
    const count = (now: number, segments = list): void => {
      changes.begin('acme', now, segments);
      changes.addSum(ORDERS, Math.floor(now / HOUR), 1);
      addChanges(documents, changes);
    };
    count(T);
    count(T, segmentList(['b', 'c']));
    // Another day, and back again, before anything is settled.
    count(T + DAY);
    count(T);
    const sums = Object.fromEntries(
      [...documents.byKey.keys()].map((key) => [key, sumsIn(documents, key, ORDERS).at(-1)]),
    );
    expect(sums).toEqual({ 'acme|brand|all': 4, 'acme|segment|a': 3, 'acme|segment|b': 4, 'acme|segment|c': 1 });
  });

  test('forget a campaign of which nothing is left, and give its place to another one', () => {
    const documents = newDocuments();
    changes.begin('acme', T).add('campaign', 'spring', Math.floor(T / HOUR), 9, 1);
    addChanges(documents, changes);
    publish(documents, T);
    expect(publish(documents, T + 366 * DAY)).toMatchObject([{ value: 'spring', amounts: {} }]);
    expect(documents.byKey.size).toBe(0);
    expect(documents.byName.get('acme')?.get('campaign')?.size).toBe(0);
  });

  test('are whole in any 64 blocks, each of which holds little', () => {
    const random = new Random(7);
    const documents = newDocuments();
    const blocks: Buffer[] = [];
    let now = T;
    for (let seq = 0; seq < 400; seq++) {
      now += random.below(3 * DAY);
      for (let count = random.below(6); count > 0; count--) {
        changes.begin(`brand-${random.below(3)}`, now, segmentList([`segment-${random.below(20)}`]));
        changes.addSum(
          random.below(5),
          Math.floor((now - random.below(random.chance(0.5) ? 8 * DAY : 200 * DAY)) / HOUR),
          1 + random.below(500),
        );
        changes.add('segment', `segment-${random.below(20)}`, NOW, CUSTOMERS, random.below(3) - 1);
        addChanges(documents, changes);
      }
      if (random.chance(0.3)) publish(documents, now);
      blocks.push(packed(documents, seq));
      if (seq % 7 !== 0) continue;
      const restored = newDocuments();
      for (const block of blocks.slice(-LEDGER_BLOCKS)) {
        if (block.length > 0) unpackDocuments(restored, new ByteReader(block));
      }
      // What left the window meanwhile leaves it again.
      brandLedger.publish({ documents: restored }, documents.clock, 0);
      const live = newDocuments();
      for (const block of [...documents.byKey.keys()].map((key) => wholeOf(documents, key))) {
        unpackDocuments(live, new ByteReader(block));
      }
      brandLedger.publish({ documents: live }, documents.clock, 0);
      expect(contentOf(restored)).toEqual(contentOf(live));
    }
    const everything = [...documents.byKey.keys()].reduce((sum, key) => sum + wholeOf(documents, key).length, 0);
    const mean = blocks.slice(200).reduce((sum, { length }) => sum + length, 0) / 200;
    expect(mean).toBeLessThan(everything / 8);
  });

  test('know after a take-over what was published', () => {
    const documents = newDocuments();
    order(documents, 'acme', T, T, ['vip']);
    const first = packed(documents, 1);
    const restored = newDocuments();
    unpackDocuments(restored, new ByteReader(first));
    expect(due(restored)).toBe(-Infinity);
    publish(documents, T);
    unpackDocuments(restored, new ByteReader(packed(documents, 2)));
    expect(restored.unsent.size).toBe(0);
  });
});

/** All of one document, as a block says it. */
function wholeOf(documents: BrandDocuments, key: string): Buffer {
  const document = documents.byKey.get(key);
  if (document === undefined) return Buffer.alloc(0);
  const alone: BrandDocuments = {
    ...documents,
    byKey: new Map([[key, document]]),
    changed: new Set(),
    unsent: new Set(),
  };
  const changed = [...document.changed];
  const block = packed(alone, document.turn);
  // What it looks at stays as it was.
  for (const cell of changed) {
    const column = document.columns[cell % PLACES];
    if (column !== null && column !== undefined) column.changed[Math.floor(cell / PLACES)] = 1;
  }
  document.changed.push(...changed);
  return block;
}
