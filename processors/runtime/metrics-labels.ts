import { BRAND_WINDOWS } from '../core/brand-amounts.ts';
import { TRIGGERS } from '../core/definitions.ts';
import { ERROR_CODES } from '../core/errors.ts';
import { REJECT_REASONS, SKIP_REASONS } from '../core/reasons.ts';

const REASONS = [...SKIP_REASONS, ...REJECT_REASONS];

/**
 * Every label there is, and what bounds its values: a closed list, of which anything else is counted as `other`, or the
 * catalogs and definitions of this installation. Never a customer, a campaign or an address.
 */
export const LABELS = {
  processor: 'the catalog of processors',
  topic: 'the catalog of topics',
  partition: 'the partitions of a topic; on gauges only',
  outcome: ['applied', 'skipped', 'rejected', 'replayed'],
  reason: [...REASONS, 'joined', 'ownership_lost', 'store_error', 'producer_error', ''],
  stage: ['decode', 'load', 'fold', 'journal', 'emit', 'commit', 'sweep', 'flush', 'takeover'],
  operation: [
    'journal_headers',
    'journal_blocks',
    'journal_write',
    'documents_load',
    'documents_due',
    'documents_outdated',
    'documents_store',
    'generations_read',
    'generations_add',
    'marks_load',
    'marks_store',
    'input_marks_read',
    'input_marks_raise',
    'ping',
  ],
  brand: 'the definitions and brands seen; bounded by the number of series',
  segment: 'the definitions; bounded by the number of series',
  touchpoint:
    'those that settings list, else 100 of a brand by hash, the others as other; bounded by the number of series',
  channel: 'the channels of an interaction',
  metric: ['NPS', 'CSAT', 'CES', 'RATING', 'SENTIMENT'],
  answer: ['satisfied', 'neutral', 'dissatisfied'],
  experiment: 'the first 50 of a partition, the others as other; bounded by the number of series',
  variant: 'the variants of the definitions',
  case_state: ['OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'VERIFIED'],
  churn_band: ['LOW', 'MEDIUM', 'HIGH', 'INSUFFICIENT_DATA'],
  journey_stage: ['awareness', 'consideration', 'purchase', 'retention', 'advocacy'],
  lifecycle: ['new', 'active', 'at_risk', 'dormant', 'resurrected', 'churned'],
  trigger: TRIGGERS,
  trigger_change: ['FIRED', 'CANCELLED'],
  measure: ['auc', 'brier', 'logLoss', 'calibrationError', 'lift'],
  kpi: 'the measures of a brand (processors/brand/measures.ts)',
  window: [...BRAND_WINDOWS, 'now'],
  route: [
    '/customers/{brand}/{id}',
    '/customers/{brand}/{id}/explain',
    '/customers/{brand}/{id}/history',
    '/openapi.json',
    'none',
  ],
  status: 'the statuses of HTTP',
  code: ERROR_CODES,
  condition: 'the conditions of /readyz',
  hash: 'one value a process',
  version: 'one value a process',
  node: 'one value a process',
} as const satisfies Record<string, string | readonly string[]>;

export type LabelName = keyof typeof LABELS;

/** One metric, as it is declared and documented. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly LabelName[];
  readonly help: string;
  /** Upper bounds of a histogram, with one at each objective. */
  readonly buckets?: readonly number[];
  /** A gauge that adds up what the totals of the owned partitions say. */
  readonly fromTotals?: true;
}
