import { PipelineError } from '../core/errors.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { GaugeSample, TotalsDefinition } from '../core/processor.ts';
import type { BrandChanges } from './brand-changes.ts';
import { addChanges, newDocuments, type BrandDocuments } from './brand-documents.ts';
import { brandLedger } from './brand-partials.ts';
import type { ChurnBand } from './features.ts';
import { ACTIVITIES, type ActivityAddition } from './activity-totals.ts';
import {
  addOutcome,
  newOutcomes,
  outcomeGauges,
  packOutcomes,
  unpackOutcomes,
  type OutcomeAddition,
  type OutcomeTotals,
} from './outcome-totals.ts';

/** The label of a customer without a churn probability. */
export const INSUFFICIENT_DATA = 'INSUFFICIENT_DATA';
export type BandLabel = ChurnBand | typeof INSUFFICIENT_DATA;

/** One customer more or less in a segment or a band of a brand. */
interface CountAddition {
  readonly brandId: string;
  readonly of: 'segment' | 'band';
  /** Segment id or band label. */
  readonly label: string;
  readonly by: number;
}

export type CustomerAddition = CountAddition | ActivityAddition | OutcomeAddition | BrandChanges;

interface BrandTotals {
  readonly segments: Map<string, number>;
  readonly bands: Map<string, number>;
  /** By ACTIVITIES. */
  readonly activities: Map<string, number>;
  readonly outcomes: OutcomeTotals;
}

/** Of one partition. */
export interface CustomerTotals {
  /** How many customers each brand has in each segment and churn band, what they did, and what came of churn risks. */
  readonly brands: Map<string, BrandTotals>;
  /** What the measures of brands are made of. */
  readonly documents: BrandDocuments;
}

export const customerTotals: TotalsDefinition<CustomerTotals, CustomerAddition> = {
  initial: () => ({ brands: new Map(), documents: newDocuments() }),
  ledger: brandLedger,

  contribute({ brands, documents }, addition) {
    if (addition.of === 'brand') {
      addChanges(documents, addition);
      return;
    }
    const { brandId } = addition;
    let brand = brands.get(brandId);
    if (brand === undefined) {
      brand = { segments: new Map(), bands: new Map(), activities: new Map(), outcomes: newOutcomes() };
      brands.set(brandId, brand);
    }
    if (addition.of === 'outcome') {
      addOutcome(brand.outcomes, addition);
      return;
    }
    const { of, label, by } = addition;
    const counts = { segment: brand.segments, band: brand.bands, activity: brand.activities }[of];
    // An empty segment stays as 0, so that its gauge falls to 0 instead of standing still.
    counts.set(label, (counts.get(label) ?? 0) + by);
  },

  *gauges({ brands }): Iterable<GaugeSample> {
    for (const [brand, { segments, bands, activities, outcomes }] of brands) {
      for (const [segment, value] of segments) yield { name: 'segment_members', labels: { brand, segment }, value };
      for (const [band, value] of bands) yield { name: 'customers', labels: { brand, churn_band: band }, value };
      for (const name of ACTIVITIES) {
        const value = activities.get(name);
        if (value !== undefined) yield { name, labels: { brand }, value };
      }
      yield* outcomeGauges(brand, outcomes);
    }
  },

  pack({ brands }, writer) {
    writer.byte(VERSION);
    writer.uint(brands.size);
    for (const [brandId, { segments, bands, activities, outcomes }] of brands) {
      writer.string(brandId);
      packCounts(segments, writer);
      packCounts(bands, writer);
      packCounts(activities, writer);
      packOutcomes(outcomes, writer);
    }
  },

  unpack(reader) {
    const version = reader.byte();
    // Version 1 knew nothing of outcomes, version 2 nothing of activities.
    if (version < 1 || version > VERSION) {
      throw new PipelineError(
        'store_unreadable',
        `customer totals have version ${version}; this program reads ${VERSION}`,
        {
          retriable: false,
        },
      );
    }
    const totals = customerTotals.initial();
    for (let left = reader.uint(); left > 0; left--) {
      const brandId = reader.string();
      const [segments, bands] = [unpackCounts(reader), unpackCounts(reader)];
      const activities = version < 3 ? new Map<string, number>() : unpackCounts(reader);
      const outcomes = version === 1 ? newOutcomes() : unpackOutcomes(reader);
      totals.brands.set(brandId, { segments, bands, activities, outcomes });
    }
    return totals;
  },
};

const VERSION = 3;

function packCounts(counts: ReadonlyMap<string, number>, writer: ByteWriter): void {
  writer.uint(counts.size);
  for (const [label, count] of counts) {
    writer.string(label);
    writer.int(count);
  }
}

function unpackCounts(reader: ByteReader): Map<string, number> {
  const counts = new Map<string, number>();
  for (let left = reader.uint(); left > 0; left--) counts.set(reader.string(), reader.int());
  return counts;
}
