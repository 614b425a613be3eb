import { PipelineError } from '../core/errors.ts';
import type { GaugeSample } from '../core/processor.ts';
import { METRIC_NAMES, metricRow, type MetricName } from './metrics-table.ts';

/** Scrapes stay quick and the database of metrics small: so many series of one processor's totals at most. */
export const TOTALS_SERIES_MAX = 1000;

export interface TotalsSample {
  readonly metric: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  value: number;
}

const TOTALS = new Map<string, MetricName>(
  METRIC_NAMES.filter((name) => metricRow(name).fromTotals).map((name) => [name.slice('kizuna_'.length), name]),
);

/**
 * What the totals of a processor's owned partitions say, added up when somebody looks. Series are shown in the order in which they
 * first appeared, the extra ones behind all others: one that is shown stays until it is gone, whatever of its kind comes later.
 */
export class PartitionTotals {
  readonly #byPartition = new Map<string, readonly GaugeSample[]>();
  #shown = new Set<string>();

  /** `null`: the partition was given up. Throws on a name or label that metrics-table.ts does not declare. */
  set(partition: string, samples: Iterable<GaugeSample> | null): void {
    if (samples === null) {
      this.#byPartition.delete(partition);
      return;
    }
    const kept = Array.from(samples);
    for (const { name, labels } of kept) {
      const metric = TOTALS.get(name);
      const declared = metric === undefined ? null : metricRow(metric).labels.toSorted().join();
      const given = Object.keys(labels).toSorted().join();
      if (declared === given) continue;
      const message = `the totals name a gauge that is not declared: ${name}{${given}}`;
      throw new PipelineError('invariant_broken', message, { retriable: false });
    }
    this.#byPartition.set(partition, kept);
  }

  /** The sums, at most TOTALS_SERIES_MAX of them, and how many were left out. */
  sums(): { samples: TotalsSample[]; dropped: number } {
    const sums = new Map<string, TotalsSample>();
    const extra = new Set<string>();
    for (const samples of this.#byPartition.values()) {
      for (const { name, labels, value, isExtra = false } of samples) {
        const metric = TOTALS.get(name);
        if (metric === undefined) continue;
        const series = [name, ...metricRow(metric).labels.map((label) => labels[label])].join('|');
        const sum = sums.get(series);
        if (sum === undefined) sums.set(series, { metric, labels, value });
        else sum.value += value;
        if (isExtra) extra.add(series);
      }
    }
    const known = [...this.#shown].filter((series) => sums.has(series));
    const shown = new Set<string>();
    for (const kind of [false, true]) {
      for (const series of [...known, ...sums.keys()]) {
        if (extra.has(series) === kind && shown.size < TOTALS_SERIES_MAX) shown.add(series);
      }
    }
    this.#shown = shown;
    const samples = [...sums].filter(([series]) => shown.has(series)).map(([, sample]) => sample);
    return { samples, dropped: sums.size - samples.length };
  }
}
