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
  kizuna_triggers: {
    type: 'gauge',
    labels: ['brand', 'trigger', 'trigger_change'],
    help: 'Triggers that were fired, and that were cancelled, since ever, over the partitions this process owns.',
    fromTotals: true,
  },
} as const;
