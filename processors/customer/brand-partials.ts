import type { BrandPartial } from '../../schemas/types.ts';
import { BRAND_STANDINGS, BRAND_SUMS, splitBrandKey } from '../core/brand-amounts.ts';
import type { Instant, LedgerDefinition, Output } from '../core/processor.ts';
import { packDocuments, unpackDocuments } from './brand-document-packing.ts';
import { LEDGER_BLOCKS, settlePending, type BrandDocument, type BrandDocuments } from './brand-documents.ts';
import { advance, dropEmpty, nextLeaving } from './brand-window.ts';

/** The brand's documents of a partition, journaled in parts and published as partials, each of which replaces the one before. */
export const brandLedger: LedgerDefinition<{ readonly documents: BrandDocuments }> = {
  blocks: LEDGER_BLOCKS,
  pack: ({ documents }, seq, writer) => packDocuments(documents, seq, writer),
  unpack: ({ documents }, reader) => unpackDocuments(documents, reader),
  nextDue: ({ documents }) => (documents.unsent.size > 0 ? Number.NEGATIVE_INFINITY : nextLeaving(documents)),

  publish({ documents }, now, partition) {
    settlePending(documents);
    advance(documents, now);
    const outputs = Array.from(documents.unsent, (document) => partialOf(document, documents.clock, partition));
    for (const document of documents.unsent) {
      // The block that says it must say that it did.
      documents.changed.add(document);
      dropEmpty(documents, document);
    }
    documents.unsent.clear();
    return outputs;
  },
};

function partialOf({ key, sums, standings }: BrandDocument, asOf: Instant, partition: number): Output {
  const amounts: Record<string, number> = {};
  for (const [place, name] of BRAND_SUMS.entries()) if (sums[place] !== 0) amounts[name] = sums[place] ?? 0;
  for (const [place, name] of BRAND_STANDINGS.entries()) {
    if (standings[place] !== 0) amounts[name] = standings[place] ?? 0;
  }
  const { brandId, dimension, value } = splitBrandKey(key);
  const partial: BrandPartial = { brandId, dimension, value, partition, asOf, amounts };
  return { topic: 'brand-partials.v1', key, value: partial, timestamp: asOf };
}
