import { RINGS, type Span } from '../core/window.ts';

/** The windows of scores and complaints, shortest first: last24h, last7d, last30d, last90d, last365d. */
export const SPANS = [
  { ring: 1, hops: 24 },
  { ring: 1, hops: 168 },
  { ring: 2, hops: 30 },
  { ring: 2, hops: 90 },
  { ring: 2, hops: 365 },
] as const satisfies readonly Span[];

/** The window that gauges and summaries tell of: 30 days. */
export const SUMMARY_SPAN: Span = SPANS[2];

export const HOUR_RING = RINGS[1];
export const DAY_RING = RINGS[2];
