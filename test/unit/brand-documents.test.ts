import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../processors/core/packing.ts';
import { BrandChanges, STAYS } from '../../processors/customer/brand-changes.ts';
import { packDocuments, unpackDocuments } from '../../processors/customer/brand-document-packing.ts';
import {
  addChanges,
  BRANDS_MAX,
  LEDGER_BLOCKS,
  newDocuments,
  settlePending,
  VALUES_MAX,
  type BrandDocuments,
} from '../../processors/customer/brand-documents.ts';
import { brandLedger } from '../../processors/customer/brand-partials.ts';
import { segmentList } from '../../processors/customer/segment-list.ts';
import { Random } from '../../processors/simulation/random.ts';
import type { BrandPartial } from '../../schemas/types.ts';

const DAY = 86_400_000;
const T = Date.UTC(2026, 0, 1, 12);
const ORDERS = 1;
const ACTIVE = 0;

const changes = new BrandChanges();

function order(
  documents: BrandDocuments,
  brandId: string,
  at: number,
  now: number,
  segments: readonly string[] = [],
): void {
  changes.begin(brandId, now, segmentList(segments));
  changes.addSum(ORDERS, at, 1);
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
  settlePending(documents);
  const { byKey } = documents;
  const content = new Map<string, unknown>();
  for (const key of [...byKey.keys()].sort()) {
    const document = byKey.get(key);
    if (document === undefined) continue;
    const { cells, sums, standings } = document;
    if (cells.size === 0 && standings.every((count) => count === 0)) continue;
    content.set(key, { cells: [...cells].sort(([a], [b]) => a - b), sums: [...sums], standings: [...standings] });
  }
  return content;
}

describe("the brand's documents of a partition", () => {
  test('hold 366 days of a sum, and lose the oldest at midnight by silence', () => {
    const documents = newDocuments();
    for (let day = 0; day < 500; day++) order(documents, 'acme', T + day * DAY, T + day * DAY);
    publish(documents, T + 499 * DAY);
    const [document] = documents.byKey.values();
    expect(document?.cells.size).toBe(366);
    expect(document?.sums[ORDERS]).toBe(366);
    const midnight = Date.UTC(2026, 0, 1) + 500 * DAY;
    expect(due(documents)).toBe(midnight);
    expect(publish(documents, midnight - 1)).toEqual([]);
    expect(publish(documents, midnight)).toMatchObject([{ amounts: { orders: 365 }, partition: 3, asOf: midnight }]);
    expect(publish(documents, T + 5000 * DAY)).toMatchObject([{ amounts: {} }]);
    expect(due(documents)).toBe(Infinity);
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
    settlePending(documents);
    expect(documents.byKey.size).toBe(BRANDS_MAX);
    for (let campaign = 0; campaign < 2 * VALUES_MAX.campaign; campaign++) {
      changes.begin('brand-1', T).add('campaign', `campaign-${campaign}`, Math.floor(T / DAY), 9, 1);
      addChanges(documents, changes);
    }
    settlePending(documents);
    expect(documents.byKey.size).toBe(BRANDS_MAX + VALUES_MAX.campaign + 1);
    expect(documents.byKey.get('brand-1|campaign|other')?.sums[9]).toBe(VALUES_MAX.campaign);
  });

  test('know which of them a list of segments counts in, also after one has come or gone', () => {
    const documents = newDocuments();
    const list = segmentList(['a', 'b']);
    const count = (now: number, segments = list): void => {
      changes.begin('acme', now, segments);
      changes.addSum(ORDERS, now, 1);
      addChanges(documents, changes);
    };
    count(T);
    count(T, segmentList(['b', 'c']));
    // Another day, and back again, before anything is settled.
    count(T + DAY);
    count(T);
    settlePending(documents);
    const sums = Object.fromEntries([...documents.byKey].map(([key, { sums }]) => [key, sums[ORDERS]]));
    expect(sums).toEqual({ 'acme|brand|all': 4, 'acme|segment|a': 3, 'acme|segment|b': 4, 'acme|segment|c': 1 });
  });

  test('forget a campaign of which nothing is left, and give its place to another one', () => {
    const documents = newDocuments();
    changes.begin('acme', T).add('campaign', 'spring', Math.floor(T / DAY), 9, 1);
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
        changes.addSum(random.below(5), now - random.below(30 * DAY), 1 + random.below(500));
        changes.bitsBefore = random.below(2) << ACTIVE;
        changes.bitsAfter = random.below(2) << ACTIVE;
        changes.move('segment', `segment-${random.below(20)}`, STAYS);
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
  for (const cell of changed) document.changed.add(cell);
  return block;
}
