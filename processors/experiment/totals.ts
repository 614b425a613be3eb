import { PipelineError } from '../core/errors.ts';
import type { GaugeSample, TotalsDefinition } from '../core/processor.ts';

/** So many experiments of a partition are counted under their own names, the first ones; the rest together as this. */
export const EXPERIMENTS_MAX = 50;
const OTHER = 'other';

/** Something more or less of an experiment. */
export interface ExperimentAddition {
  readonly brandId: string;
  readonly experimentId: string;
  /** Null: of the experiment as a whole. */
  readonly variant: string | null;
  readonly of: 'units' | 'crossovers' | 'ratioFailed';
  readonly by: number;
}

interface ExperimentCounts {
  ratioFailed: number;
  readonly variants: Map<string, { units: number; crossovers: number }>;
}

/** Of one partition, by brand and experiment. */
export interface ExperimentTotals {
  readonly brands: Map<string, Map<string, ExperimentCounts>>;
  /** How many experiments have a name of their own. */
  named: number;
}

const VERSION = 1;

export const experimentTotals: TotalsDefinition<ExperimentTotals, ExperimentAddition> = {
  initial: () => ({ brands: new Map(), named: 0 }),

  contribute(totals, { brandId, experimentId, variant, of, by }) {
    const [name, counts] = countsOf(totals, brandId, experimentId);
    if (of === 'ratioFailed') {
      counts.ratioFailed += by;
      return;
    }
    const own = name === OTHER ? OTHER : (variant ?? OTHER);
    const known = counts.variants.get(own) ?? { units: 0, crossovers: 0 };
    known[of] += by;
    counts.variants.set(own, known);
  },

  *gauges({ brands }): Iterable<GaugeSample> {
    for (const [brand, experiments] of brands) {
      for (const [experiment, { ratioFailed, variants }] of experiments) {
        yield { name: 'experiment_ratio_failed', labels: { brand, experiment }, value: ratioFailed };
        for (const [variant, { units, crossovers }] of variants) {
          const labels = { brand, experiment, variant };
          yield { name: 'experiment_units', labels, value: units };
          yield { name: 'experiment_crossovers', labels, value: crossovers };
        }
      }
    }
  },

  pack({ brands, named }, writer) {
    writer.byte(VERSION);
    writer.uint(named);
    writer.uint(brands.size);
    for (const [brandId, experiments] of brands) {
      writer.string(brandId);
      writer.uint(experiments.size);
      for (const [experimentId, { ratioFailed, variants }] of experiments) {
        writer.string(experimentId);
        writer.int(ratioFailed);
        writer.uint(variants.size);
        for (const [variant, { units, crossovers }] of variants) {
          writer.string(variant);
          writer.int(units);
          writer.int(crossovers);
        }
      }
    }
  },

  unpack(reader) {
    const version = reader.byte();
    if (version !== VERSION) {
      const message = `experiment totals have version ${version}; this program reads version ${VERSION}`;
      throw new PipelineError('store_unreadable', message, { retriable: false });
    }
    const totals: ExperimentTotals = { brands: new Map(), named: reader.uint() };
    for (let brands = reader.uint(); brands > 0; brands--) {
      const experiments = new Map<string, ExperimentCounts>();
      totals.brands.set(reader.string(), experiments);
      for (let left = reader.uint(); left > 0; left--) {
        const experimentId = reader.string();
        const counts: ExperimentCounts = { ratioFailed: reader.int(), variants: new Map() };
        experiments.set(experimentId, counts);
        for (let variants = reader.uint(); variants > 0; variants--) {
          counts.variants.set(reader.string(), { units: reader.int(), crossovers: reader.int() });
        }
      }
    }
    return totals;
  },
};

function countsOf(
  totals: ExperimentTotals,
  brandId: string,
  experimentId: string,
): [name: string, counts: ExperimentCounts] {
  const experiments = totals.brands.get(brandId) ?? new Map<string, ExperimentCounts>();
  totals.brands.set(brandId, experiments);
  const own = experiments.get(experimentId);
  if (own !== undefined) return [experimentId, own];
  const isNamed = totals.named < EXPERIMENTS_MAX;
  if (isNamed) totals.named += 1;
  const name = isNamed ? experimentId : OTHER;
  const counts = experiments.get(name) ?? { ratioFailed: 0, variants: new Map() };
  experiments.set(name, counts);
  return [name, counts];
}
