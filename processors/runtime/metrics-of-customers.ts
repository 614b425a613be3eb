/** Rows of METRICS (metrics-table.ts): what the totals of customers say of a brand beside segments, bands and churn. */
export const CUSTOMER_METRICS = {
  kizuna_stage_customers: {
    type: 'gauge',
    labels: ['brand', 'journey_stage'],
    help: 'Customers by stage of the journey, over the partitions this process owns.',
    fromTotals: true,
  },
  kizuna_lifecycle_customers: {
    type: 'gauge',
    labels: ['brand', 'lifecycle'],
    help: 'Customers by lifecycle, over the partitions this process owns.',
    fromTotals: true,
  },
  kizuna_closed_sessions: {
    type: 'gauge',
    labels: ['brand'],
    help: 'Sessions that closed since ever, over the partitions this process owns. Falls when a late event joins two.',
    fromTotals: true,
  },
  kizuna_engaged_sessions: {
    type: 'gauge',
    labels: ['brand'],
    help: 'Those of them longer than 10 seconds, with a key event or with two page views.',
    fromTotals: true,
  },
  kizuna_machine_opens: {
    type: 'gauge',
    labels: ['brand'],
    help: 'Messages that a machine opened since ever, over the partitions this process owns: no measure has them.',
    fromTotals: true,
  },
  kizuna_machine_clicks: {
    type: 'gauge',
    labels: ['brand'],
    help: 'Clicks of machines since ever, over the partitions this process owns: no measure has them.',
    fromTotals: true,
  },
} as const;
