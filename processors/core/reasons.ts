/**
 * The closed list of reasons. A reason is at once the metric label, the dead-letter code and the word in a summary, so
 * nothing may be added here without adding it to the contract (README, "Reasons").
 */

/** The record was understood and rightly changes nothing. */
export const SKIP_REASONS = [
  'erased',
  'duplicate_event',
  'duplicate_order',
  'unknown_order',
  'unknown_case',
  'identity_conflict',
  'beyond_horizon',
  'unknown_type',
] as const;

/** The record is bad data: it goes to the dead letters. In the order in which they are checked. */
export const REJECT_REASONS = [
  'undecodable',
  'null_value',
  'unknown_schema',
  'invalid_brand',
  'invalid_event_id',
  'invalid_identifier',
  'no_identifier',
  'future_timestamp',
  'missing_order',
  'invalid_order',
  'missing_score',
  'invalid_score',
  'too_many_attributes',
  'field_too_long',
] as const;

export type SkipReason = (typeof SKIP_REASONS)[number];
export type RejectReason = (typeof REJECT_REASONS)[number];
export type Reason = SkipReason | RejectReason;
