import type { BrandPartial } from '../../schemas/types.ts';
import {
  BRAND_STANDINGS,
  BRAND_SUMS,
  BRAND_WINDOWS,
  splitBrandKey,
  type BrandAmount,
  type BrandStanding,
} from '../core/brand-amounts.ts';
import type { Instant, LedgerDefinition, Output } from '../core/processor.ts';
import { sumsOf } from './brand-columns.ts';
import { packDocuments, unpackDocuments } from './brand-document-packing.ts';
import { LEDGER_BLOCKS, type BrandDocument, type BrandDocuments } from './brand-documents.ts';
import { ACTIVE, LOST, PURCHASERS, REFERRERS, REPEAT_PURCHASERS, WON, WON_OF_LOST } from './brand-places.ts';
import { advance, dropEmpty, nextLeaving } from './brand-window.ts';

/** The brand's documents of a partition, journaled in parts and published as partials, each of which replaces the one before. */
export const brandLedger: LedgerDefinition<{ readonly documents: BrandDocuments }> = {
  blocks: LEDGER_BLOCKS,
  pack: ({ documents }, seq, writer) => packDocuments(documents, seq, writer),
  unpack: ({ documents }, reader) => unpackDocuments(documents, reader),
  nextDue: ({ documents }) => (documents.unsent.size > 0 ? Number.NEGATIVE_INFINITY : nextLeaving(documents)),

  publish({ documents }, now, partition) {
    advance(documents, now);
    const outputs = Array.from(documents.unsent, (document) => partialOf(document, documents.clock, partition));
    for (const document of documents.unsent) {
      // The block that says it must say that it did.
      documents.changed.add(document);
      document.isTouched = false;
      dropEmpty(documents, document);
    }
    documents.unsent.clear();
    return outputs;
  },
};

/** The places whose sums over a window are how many customers are something in it. */
const COUNTED: readonly (readonly [BrandStanding, number])[] = [
  ['active', ACTIVE],
  ['purchasers', PURCHASERS],
  ['repeatPurchasers', REPEAT_PURCHASERS],
  ['referrers', REFERRERS],
  ['lost', LOST],
];
const CUSTOMERS = BRAND_STANDINGS.indexOf('customers');
const sums = new Float64Array(BRAND_WINDOWS.length);

function partialOf({ key, columns, standings }: BrandDocument, asOf: Instant, partition: number): Output {
  const amounts: Record<string, number> = {};
  const shorter: Record<string, number[]> = {};
  /** What is not 0 of `base` + `sign` times the sums over the windows. */
  const say = (name: BrandAmount, place: number, sign: 1 | -1 = 1, base = 0): void => {
    const column = columns[place] ?? null;
    if (column === null) sums.fill(0);
    else sumsOf(column, sums);
    for (let window = 0; window < sums.length; window++) sums[window] = base + sign * (sums[window] ?? 0);
    const year = sums.length - 1;
    if (sums[year] !== 0) amounts[name] = sums[year] ?? 0;
    const others = sums.subarray(0, year);
    if (others.some((each) => each !== 0)) shorter[name] = [...others];
  };
  for (const [place, name] of BRAND_SUMS.entries()) if (columns[place] !== null) say(name, place);
  for (const [name, place] of COUNTED) say(name, place);
  // Those of the start are those of now, less who was won since, and more who ceased to be one; of those lost now none is one.
  say('customersAtStart', WON, -1, standings[CUSTOMERS]);
  say('lostOfStart', WON_OF_LOST, -1);
  for (const [place, name] of BRAND_STANDINGS.entries()) {
    if (standings[place] !== 0) amounts[name] = standings[place] ?? 0;
  }
  const { brandId, dimension, value } = splitBrandKey(key);
  const partial: BrandPartial = { brandId, dimension, value, partition, asOf, amounts, shorter };
  return { topic: 'brand-partials.v1', key, value: partial, timestamp: asOf };
}
