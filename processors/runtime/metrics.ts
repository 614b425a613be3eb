import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Definitions } from '../core/definitions.ts';
import { REJECT_REASONS, SKIP_REASONS } from '../core/reasons.ts';
import { LABELS, type LabelName } from './metrics-labels.ts';
import { METRIC_NAMES, metricRow, type MetricName, type METRICS } from './metrics-table.ts';
import { PartitionTotals } from './metrics-totals.ts';
import type { Meter, PartitionGauges } from './meter.ts';
import type { TopicPartition } from './ports.ts';

export interface Metrics {
  readonly meter: Meter;
  /** Shows the counters of these processors at 0: Prometheus sees a rise only from a value it has seen. */
  readonly startAtZero: (processors: readonly { readonly name: string; readonly inputs: readonly string[] }[]) => void;
  /** Which definitions are in use from now on. */
  readonly setDefinitions: (definitions: Pick<Definitions, 'hash' | 'churn'>) => void;
  /** What /metrics answers, in the Prometheus text format. `conditions`: which of /readyz hold now. */
  readonly render: (
    conditions?: Readonly<Record<string, boolean>>,
  ) => Promise<{ readonly contentType: string; readonly body: string }>;
}

const REASONS_BY_OUTCOME = { applied: [''], skipped: SKIP_REASONS, rejected: REJECT_REASONS, replayed: [''] };
const TAKE_OVER_REASONS = ['joined', 'ownership_lost', 'store_error', 'producer_error'] as const;

type NamesOf<Type> = { [N in MetricName]: (typeof METRICS)[N] extends { readonly type: Type } ? N : never }[MetricName];
type LabelsOf<N extends MetricName> = Record<(typeof METRICS)[N]['labels'][number], string>;

/**
 * Registers every metric of metrics-table.ts, and those of the process, on `registry`. Recording costs about a quarter of a
 * microsecond and is done for each batch, not for each record.
 */
export function createMetrics(registry: Registry, version: string): Metrics {
  collectDefaultMetrics({ register: registry });
  const { inc, observe, gauge } = register(registry);
  const passedBy = new Map<string, readonly TopicPartition[]>();
  const owned = new Map<string, { processor: string; at: TopicPartition; gauges: PartitionGauges }>();
  /** Of each processor: one that counts many things leaves the others their place. */
  const totals = new Map<string, PartitionTotals>();
  gauge('kizuna_build_info').set({ version, node: process.versions.node }, 1);

  const meter: Meter = {
    consumed: (processor, records) => inc('kizuna_records_consumed_total', { processor }, records),
    outcome: (processor, outcome, reason, records) =>
      inc('kizuna_records_total', { processor, outcome, reason }, records),
    published: (processor, topic, records) => inc('kizuna_outputs_total', { processor, topic }, records),
    republished: (processor, records) => inc('kizuna_outputs_replayed_total', { processor }, records),
    deadLetter: (topic, reason, records) =>
      inc('kizuna_dead_letters_total', { topic, reason: closed('reason', reason) }, records),
    latency: (processor, kind, seconds) => observe(`kizuna_${kind}_seconds`, { processor }, seconds),
    stage: (processor, stage, seconds) => observe('kizuna_batch_seconds', { processor, stage }, seconds),
    batchRecords: (processor, records) => observe('kizuna_batch_records', { processor }, records),
    store: (operation, seconds) =>
      observe('kizuna_store_seconds', { operation: closed('operation', operation) }, seconds),
    blockBytes: (processor, bytes) => observe('kizuna_journal_block_bytes', { processor }, bytes),
    takeover: (reason) => inc('kizuna_takeovers_total', { reason }, 1),
    rebalance: () => inc('kizuna_rebalances_total', {}, 1),
    partition(processor, at, gauges) {
      const id = `${processor}/${at.topic}/${at.partition}`;
      const known = totals.get(processor) ?? new PartitionTotals();
      totals.set(processor, known);
      known.set(id, gauges === null ? null : gauges.totals);
      if (gauges === null) owned.delete(id);
      else owned.set(id, { processor, at, gauges });
    },
    passedBy: (processor, partitions) => void passedBy.set(processor, partitions),
    dirtyDocuments(processor, documents, oldestSeconds) {
      gauge('kizuna_dirty_documents').set({ processor }, documents);
      gauge('kizuna_document_lag_seconds').set({ processor }, oldestSeconds);
    },
    backfilled: (processor, documents) => inc('kizuna_backfill_documents_total', { processor }, documents),
    backfillLeft(processor, documents) {
      // Shown before the first, so that the first is a rise.
      inc('kizuna_backfill_documents_total', { processor }, 0);
      gauge('kizuna_backfill_left_documents').set({ processor }, documents);
    },
    purged: (topic, records) => inc('kizuna_purged_records_total', { topic }, records),
    purgeLeft(topic, records, lateSeconds) {
      // Shown before the first record is deleted, so that the first is a rise.
      inc('kizuna_purged_records_total', { topic }, 0);
      gauge('kizuna_purge_kept_records').set({ topic }, records);
      gauge('kizuna_purge_late_seconds').set({ topic }, lateSeconds);
    },
    apiRequest(route, status, seconds) {
      const labels = { route: closed('route', route), status: String(status) };
      inc('kizuna_api_requests_total', labels, 1);
      observe('kizuna_api_request_seconds', { route: labels.route }, seconds);
    },
    stopped: (code) => gauge('kizuna_stopped').set({ code }, 1),
  };

  /** The gauges of partitions are set only when somebody looks: those given up must be gone, and sums are work. */
  const refresh = (): void => {
    for (const name of METRIC_NAMES) {
      const { labels, fromTotals } = metricRow(name);
      if (fromTotals === true || labels.includes('partition')) gauge(name as NamesOf<'gauge'>).reset();
    }
    const late = gauge('kizuna_due_oldest_seconds');
    late.reset();
    const latest = new Map<string, number>();
    for (const { processor, at, gauges } of owned.values()) {
      const labels = { processor, topic: at.topic, partition: String(at.partition) };
      gauge('kizuna_consumer_lag_records').set(labels, gauges.lagRecords);
      gauge('kizuna_consumer_lag_seconds').set(labels, gauges.lagSeconds);
      latest.set(processor, Math.max(latest.get(processor) ?? 0, gauges.dueOldestSeconds));
    }
    for (const [processor, partitions] of passedBy) {
      for (const { topic, partition } of partitions) {
        gauge('kizuna_partition_passed_by').set({ processor, topic, partition: String(partition) }, 1);
      }
    }
    for (const [processor, seconds] of latest) late.set({ processor }, seconds);
    let left = 0;
    for (const each of totals.values()) {
      const { samples, dropped } = each.sums();
      for (const { metric, labels, value } of samples) gauge(metric as NamesOf<'gauge'>).set(labels, value);
      left += dropped;
    }
    gauge('kizuna_series_dropped').set(left);
  };

  return {
    meter,
    startAtZero(processors) {
      for (const reason of TAKE_OVER_REASONS) inc('kizuna_takeovers_total', { reason }, 0);
      for (const { name: processor, inputs } of processors) {
        inc('kizuna_records_consumed_total', { processor }, 0);
        for (const [outcome, reasons] of Object.entries(REASONS_BY_OUTCOME)) {
          for (const reason of reasons) inc('kizuna_records_total', { processor, outcome, reason }, 0);
        }
        for (const topic of inputs) {
          for (const reason of REJECT_REASONS) inc('kizuna_dead_letters_total', { topic, reason }, 0);
        }
      }
    },
    setDefinitions({ hash, churn }) {
      gauge('kizuna_definitions_info').reset();
      gauge('kizuna_definitions_info').set({ hash }, 1);
      gauge('kizuna_churn_model_quality').reset();
      for (const { brandId: brand, quality } of churn.values()) {
        for (const measure of LABELS.measure) {
          const value = quality[measure];
          if (typeof value === 'number') gauge('kizuna_churn_model_quality').set({ brand, measure }, value);
        }
      }
    },
    async render(conditions = {}) {
      refresh();
      for (const [condition, holds] of Object.entries(conditions)) {
        gauge('kizuna_ready').set({ condition }, holds ? 1 : 0);
      }
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

/** A value of a closed label, or `other`. */
function closed(label: LabelName, value: string): string {
  const values: string | readonly string[] = LABELS[label];
  return typeof values === 'string' || values.includes(value) ? value : 'other';
}

/** Makes one prom-client metric of each row; answers typed ways to record into them. */
function register(registry: Registry) {
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const name of METRIC_NAMES) {
    const { type, help, labels, buckets = [] } = metricRow(name);
    const base = { name, help, labelNames: labels, registers: [registry] };
    switch (type) {
      case 'counter':
        counters.set(name, new Counter(base));
        break;
      case 'gauge':
        gauges.set(name, new Gauge(base));
        break;
      case 'histogram':
        histograms.set(name, new Histogram({ ...base, buckets: [...buckets] }));
    }
  }
  return {
    inc: <N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>, by: number) =>
      counters.get(name)?.inc(labels, by),
    observe: <N extends NamesOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number) =>
      histograms.get(name)?.observe(labels, value),
    gauge: (name: NamesOf<'gauge'>): Gauge => {
      const found = gauges.get(name);
      if (found === undefined) throw new TypeError(`${name} is no gauge`);
      return found;
    },
  };
}
