import { CUSTOMER_METRICS } from './metrics-of-customers.ts';
import type { MetricRow } from './metrics-labels.ts';

/** Gauges that add up what the totals of the owned partitions say: how many customers, answers, cases, units. */
export const TOTALS_METRICS = {
  kizuna_segment_members: {
    type: 'gauge',
    labels: ['brand', 'segment'],
    help: 'Customers in a segment, over the partitions this process owns.',
    fromTotals: true,
  },
  kizuna_customers: {
    type: 'gauge',
    labels: ['brand', 'churn_band'],
    help: 'Customers by churn band, over the partitions this process owns.',
    fromTotals: true,
  },
  kizuna_brand_kpi: {
    type: 'gauge',
    labels: ['brand', 'kpi', 'window'],
    help: 'A measure of a brand as a whole, as last published to brand-kpis.v1; absent while it has no value. 20 brands of a partition at most, and windows shorter than a year of the first of them, as long as all are 1,000 series at most.',
    fromTotals: true,
  },
  ...CUSTOMER_METRICS,
  kizuna_churn_matured_orders: {
    type: 'gauge',
    labels: ['brand'],
    help: 'Orders of the newest four weeks whose churn horizon has passed, over the partitions this process owns.',
    fromTotals: true,
  },
  kizuna_churn_predicted_lost: {
    type: 'gauge',
    labels: ['brand'],
    help: 'The sum of the churn risks at these orders: so many should not have been followed by another one.',
    fromTotals: true,
  },
  kizuna_churn_observed_lost: {
    type: 'gauge',
    labels: ['brand'],
    help: 'How many of these orders were not followed by another one within the horizon.',
    fromTotals: true,
  },
  kizuna_touchpoint_answers: {
    type: 'gauge',
    labels: ['brand', 'touchpoint', 'channel', 'metric', 'answer'],
    help: 'Answers of the last 30 days by what they say, as last published; NPS is 100 times satisfied less dissatisfied, over all. Of metric SENTIMENT: texts, positive, neutral and negative.',
    fromTotals: true,
  },
  kizuna_touchpoint_alerts: {
    type: 'gauge',
    labels: ['brand', 'touchpoint', 'channel'],
    help: 'Open alerts of the control charts.',
    fromTotals: true,
  },
  kizuna_cases: {
    type: 'gauge',
    labels: ['brand', 'touchpoint', 'case_state'],
    help: 'Cases by where they stand; VERIFIED are all that ever ended so.',
    fromTotals: true,
  },
  kizuna_cases_overdue: {
    type: 'gauge',
    labels: ['brand', 'touchpoint'],
    help: 'Cases that were not resolved in time and are not resolved yet.',
    fromTotals: true,
  },
  kizuna_case_reopenings: {
    type: 'gauge',
    labels: ['brand', 'touchpoint'],
    help: 'How often a customer was still dissatisfied after a case was resolved; the recovery rate is VERIFIED over VERIFIED and these.',
    fromTotals: true,
  },
  kizuna_case_resolutions: {
    type: 'gauge',
    labels: ['brand', 'touchpoint'],
    help: 'How often a case was resolved.',
    fromTotals: true,
  },
  kizuna_case_resolve_seconds: {
    type: 'gauge',
    labels: ['brand', 'touchpoint'],
    help: 'Time from opened or reopened to resolved, added up over all resolutions.',
    fromTotals: true,
  },
  kizuna_experiment_units: {
    type: 'gauge',
    labels: ['brand', 'experiment', 'variant'],
    help: 'Customers that count for a variant of an experiment.',
    fromTotals: true,
  },
  kizuna_experiment_crossovers: {
    type: 'gauge',
    labels: ['brand', 'experiment', 'variant'],
    help: 'How many of them were exposed to another variant, too.',
    fromTotals: true,
  },
  kizuna_experiment_ratio_failed: {
    type: 'gauge',
    labels: ['brand', 'experiment'],
    help: 'Whether units of an experiment do not fall to the variants as they should, 1 or 0; with 1 no winner is named.',
    fromTotals: true,
  },
} as const satisfies Record<`kizuna_${string}`, MetricRow>;
