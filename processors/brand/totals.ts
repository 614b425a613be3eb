import { PipelineError } from '../core/errors.ts';
import { BRAND_WINDOWS } from '../core/brand-amounts.ts';
import type { GaugeSample, TotalsDefinition } from '../core/processor.ts';
import { MEASURES } from './measures.ts';

/** So many brands of a partition have gauges, the first ones. */
export const BRANDS_MAX = 20;
/** And so many gauges there are: those of the longest window come first, and then those of other windows, brand by brand. */
export const GAUGES_MAX = 1000;

/** What was just published of a brand as a whole; null: it has no value. */
export interface BrandAddition {
  readonly brandId: string;
  readonly measure: string;
  readonly window: string;
  readonly value: number | null;
}

/** Of one partition: by brand and window the measures that have a value. */
export type BrandTotals = Map<string, Map<string, Map<string, number>>>;

const VERSION = 2;
/** The version that knew no window but the longest, and now. */
const YEAR_ALONE = 1;
const NOW = 'now';
const LONGEST: string = BRAND_WINDOWS[BRAND_WINDOWS.length - 1] ?? NOW;

export const brandTotals: TotalsDefinition<BrandTotals, BrandAddition> = {
  initial: () => new Map(),

  /** Replaces, for a brand as a whole is one document, and that lies in one partition. */
  contribute(totals, { brandId, measure, window, value }) {
    if (!totals.has(brandId) && totals.size >= BRANDS_MAX) return;
    set(totals, brandId, window, measure, value);
  },

  *gauges(totals): Iterable<GaugeSample> {
    let left = GAUGES_MAX;
    for (const isLong of [true, false]) {
      for (const [brand, windows] of totals) {
        const own = [...windows].filter(([window]) => (window === NOW || window === LONGEST) === isLong);
        const count = own.reduce((sum, [, measures]) => sum + measures.size, 0);
        if (count > left) return;
        left -= count;
        for (const [window, measures] of own) {
          for (const [kpi, value] of measures) {
            const sample = { name: 'brand_kpi', labels: { brand, kpi, window }, value };
            yield isLong ? sample : { ...sample, isExtra: true };
          }
        }
      }
    }
  },

  pack(totals, writer) {
    writer.byte(VERSION);
    writer.uint(totals.size);
    for (const [brandId, windows] of totals) {
      writer.string(brandId);
      writer.uint(windows.size);
      for (const [window, measures] of windows) {
        writer.string(window);
        writer.uint(measures.size);
        for (const [measure, value] of measures) {
          writer.string(measure);
          writer.double(value);
        }
      }
    }
  },

  unpack(reader) {
    const version = reader.byte();
    if (version !== VERSION && version !== YEAR_ALONE) {
      const message = `brand totals have version ${version}; this program reads versions ${YEAR_ALONE} and ${VERSION}`;
      throw new PipelineError('store_unreadable', message, { retriable: false });
    }
    const totals: BrandTotals = new Map();
    for (let brands = reader.uint(); brands > 0; brands--) {
      const brandId = reader.string();
      for (let windows = version === YEAR_ALONE ? 1 : reader.uint(); windows > 0; windows--) {
        const window = version === YEAR_ALONE ? null : reader.string();
        for (let left = reader.uint(); left > 0; left--) {
          const measure = reader.string();
          set(totals, brandId, window ?? onlyWindowOf(measure), measure, reader.double());
        }
      }
    }
    return totals;
  },
};

function set(totals: BrandTotals, brandId: string, window: string, measure: string, value: number | null): void {
  const windows = totals.get(brandId) ?? new Map<string, Map<string, number>>();
  totals.set(brandId, windows);
  const measures = windows.get(window) ?? new Map<string, number>();
  windows.set(window, measures);
  if (value === null) measures.delete(measure);
  else measures.set(measure, value);
}

function onlyWindowOf(measure: string): string {
  return MEASURES.find(({ name }) => name === measure)?.isOfNow === true ? NOW : LONGEST;
}
