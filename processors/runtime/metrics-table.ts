import type { MetricRow } from './metrics-labels.ts';
import { TOTALS_METRICS } from './metrics-of-totals.ts';

/** Seconds; objectives stand at 250 ms, 1 s, 3 s and 7 s. */
const LATENCY = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7, 10, 30, 60, 300];
const DURATION = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 7, 20];
const RECORDS = [1, 5, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000];
const BYTES = [1e3, 1e4, 1e5, 2.5e5, 5e5, 1e6, 2e6, 4e6, 8e6, 1.6e7];

/** Every metric there is. The names are public: they are added to, never renamed. */
export const METRICS = {
  kizuna_records_consumed_total: {
    type: 'counter',
    labels: ['processor'],
    help: 'Records read and settled; equals the sum of kizuna_records_total over outcome and reason.',
  },
  kizuna_records_total: {
    type: 'counter',
    labels: ['processor', 'outcome', 'reason'],
    help: 'Records by what became of them; reason is empty for applied and replayed.',
  },
  kizuna_outputs_total: {
    type: 'counter',
    labels: ['processor', 'topic'],
    help: 'Records published, dead letters excepted.',
  },
  kizuna_outputs_replayed_total: {
    type: 'counter',
    labels: ['processor'],
    help: 'Outputs sent again at a take-over; readers drop them by their position.',
  },
  kizuna_dead_letters_total: {
    type: 'counter',
    labels: ['topic', 'reason'],
    help: 'Refused records, by the topic they came from.',
  },
  kizuna_pipeline_seconds: {
    type: 'histogram',
    labels: ['processor'],
    help: 'From the timestamp of the newest record of a batch until its outputs were acknowledged.',
    buckets: LATENCY,
  },
  kizuna_end_to_end_seconds: {
    type: 'histogram',
    labels: ['processor'],
    help: 'From the moment the newest interaction of a batch occurred until its outputs were acknowledged.',
    buckets: LATENCY,
  },
  kizuna_batch_seconds: {
    type: 'histogram',
    labels: ['processor', 'stage'],
    help: 'Time spent in each stage of a batch.',
    buckets: DURATION,
  },
  kizuna_batch_records: { type: 'histogram', labels: ['processor'], help: 'Records of a batch.', buckets: RECORDS },
  kizuna_consumer_lag_records: {
    type: 'gauge',
    labels: ['processor', 'topic', 'partition'],
    help: 'Records of an owned partition that are not folded yet.',
  },
  kizuna_consumer_lag_seconds: {
    type: 'gauge',
    labels: ['processor', 'topic', 'partition'],
    help: 'Age of the oldest record of an owned partition that is not folded yet; 0 when caught up.',
  },
  kizuna_due_oldest_seconds: {
    type: 'gauge',
    labels: ['processor'],
    help: 'How late the oldest deadline of the owned partitions is; 0 when none is late.',
  },
  kizuna_partition_passed_by: {
    type: 'gauge',
    labels: ['processor', 'topic', 'partition'],
    help: 'Always 1; deadlines of the processor wait no longer for this partition, which stands still while others get on.',
  },
  kizuna_store_seconds: {
    type: 'histogram',
    labels: ['operation'],
    help: 'Time a store operation took.',
    buckets: DURATION,
  },
  kizuna_takeovers_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Partitions taken over, by what made it necessary.',
  },
  kizuna_rebalances_total: {
    type: 'counter',
    labels: [],
    help: 'Rebalances of a consumer group that this process saw.',
  },
  kizuna_journal_block_bytes: {
    type: 'histogram',
    labels: ['processor'],
    help: 'Size of the journal blocks written.',
    buckets: BYTES,
  },
  kizuna_dirty_documents: {
    type: 'gauge',
    labels: ['processor'],
    help: 'Documents whose newest state is in the journal only.',
  },
  kizuna_document_lag_seconds: {
    type: 'gauge',
    labels: ['processor'],
    help: 'Age of the oldest change that is in the journal only; 0 when there is none.',
  },
  kizuna_backfill_documents_total: {
    type: 'counter',
    labels: ['processor'],
    help: 'Documents evaluated anew because they were last evaluated under other definitions, without having been touched.',
  },
  kizuna_backfill_left_documents: {
    type: 'gauge',
    labels: ['processor'],
    help: 'Documents of the owned partitions that are to be evaluated anew; 0 when all are, or none were counted yet.',
  },
  ...TOTALS_METRICS,
  kizuna_series_dropped: {
    type: 'gauge',
    labels: [],
    help: 'Series counted from totals (segment members, customers, churn outcomes, touchpoints, cases, experiments) that are not shown, because 1,000 of their processor are.',
  },
  kizuna_purged_records_total: {
    type: 'counter',
    labels: ['topic'],
    help: 'Records deleted from an internal topic, KIZUNA_PURGE_AFTER after every group had folded them.',
  },
  kizuna_purge_kept_records: {
    type: 'gauge',
    labels: ['topic'],
    help: 'Folded records that the owned partitions of an internal topic still keep, as of the last purge.',
  },
  kizuna_purge_late_seconds: {
    type: 'gauge',
    labels: ['topic'],
    help: 'For how long the oldest of them could have been deleted; 0 when none could.',
  },
  kizuna_api_requests_total: {
    type: 'counter',
    labels: ['route', 'status'],
    help: 'Requests to the API that were answered.',
  },
  kizuna_api_request_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'From a request to the API until its answer.',
    buckets: DURATION,
  },
  kizuna_ready: {
    type: 'gauge',
    labels: ['condition'],
    help: 'Whether a condition of /readyz held when the metrics were asked for, 1 or 0.',
  },
  kizuna_stopped: {
    type: 'gauge',
    labels: ['code'],
    help: 'Always 1; why this process stopped for good. Shown until it ends, for KIZUNA_STOP_VISIBLE_MS.',
  },
  kizuna_churn_model_quality: {
    type: 'gauge',
    labels: ['brand', 'measure'],
    help: 'How the churn model in use did when it was judged: the numbers of this name in its quality.',
  },
  kizuna_definitions_info: { type: 'gauge', labels: ['hash'], help: 'Always 1; the hash of the definitions in use.' },
  kizuna_build_info: {
    type: 'gauge',
    labels: ['version', 'node'],
    help: 'Always 1; the version of Kizuna and of Node.',
  },
} as const satisfies Record<`kizuna_${string}`, MetricRow>;

export type MetricName = keyof typeof METRICS;

/** A row as seen without knowing which. */
export const metricRow = (name: MetricName): MetricRow => METRICS[name];

export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];
