import { PipelineError } from '../core/errors.ts';
import type { GaugeSample, TotalsDefinition } from '../core/processor.ts';

/** So many brands of a partition have gauges, the first ones. */
export const BRANDS_MAX = 20;

/** What was just published of a brand as a whole; null: it has no value. */
export interface BrandAddition {
  readonly brandId: string;
  readonly measure: string;
  readonly value: number | null;
}

/** Of one partition: by brand the measures that have a value. */
export type BrandTotals = Map<string, Map<string, number>>;

const VERSION = 1;

export const brandTotals: TotalsDefinition<BrandTotals, BrandAddition> = {
  initial: () => new Map(),

  /** Replaces, for a brand as a whole is one document, and that lies in one partition. */
  contribute(totals, { brandId, measure, value }) {
    let measures = totals.get(brandId);
    if (measures === undefined) {
      if (totals.size >= BRANDS_MAX) return;
      measures = new Map();
      totals.set(brandId, measures);
    }
    if (value === null) measures.delete(measure);
    else measures.set(measure, value);
  },

  *gauges(totals): Iterable<GaugeSample> {
    for (const [brand, measures] of totals) {
      for (const [kpi, value] of measures) yield { name: 'brand_kpi', labels: { brand, kpi }, value };
    }
  },

  pack(totals, writer) {
    writer.byte(VERSION);
    writer.uint(totals.size);
    for (const [brandId, measures] of totals) {
      writer.string(brandId);
      writer.uint(measures.size);
      for (const [measure, value] of measures) {
        writer.string(measure);
        writer.double(value);
      }
    }
  },

  unpack(reader) {
    const version = reader.byte();
    if (version !== VERSION) {
      const message = `brand totals have version ${version}; this program reads version ${VERSION}`;
      throw new PipelineError('store_unreadable', message, { retriable: false });
    }
    const totals: BrandTotals = new Map();
    for (let brands = reader.uint(); brands > 0; brands--) {
      const measures = new Map<string, number>();
      totals.set(reader.string(), measures);
      for (let left = reader.uint(); left > 0; left--) measures.set(reader.string(), reader.double());
    }
    return totals;
  },
};
