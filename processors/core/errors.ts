/**
 * A broken world: something outside the data failed. Bad data is never an error but an outcome (processor.ts), and a
 * broken configuration is a `ConfigurationError` at boot.
 */
export const ERROR_CODES = [
  /** The store did not answer, or answered with an error that may pass. */
  'store_unavailable',
  /** The committed position is beyond the journal: the database was restored to an older state. */
  'store_behind',
  /** A document or block that this version cannot read. */
  'store_unreadable',
  /** The broker did not answer, or answered with an error that may pass. */
  'log_unavailable',
  /** The input topic was re-created, or retention removed records that were not folded yet. */
  'input_lost',
  /** A batch of the input that cannot be unpacked: too much, or damaged. */
  'batch_unreadable',
  /** The schema registry did not answer. */
  'registry_unavailable',
  /** The registry refuses a schema of ours as incompatible. */
  'schema_incompatible',
  /** Another process owns the partition now; nothing is wrong with the data. */
  'ownership_lost',
  /** The group is rebalancing: the batch must be given up and comes again. */
  'rebalancing',
  /** More than half of at least 1,000 consecutive records were refused (KIZUNA_STOP_WHEN_REFUSED). */
  'mostly_refused',
  /** A broken rule of our own: a bug. */
  'invariant_broken',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly code: ErrorCode;
  /** True when waiting and trying again can help; false ends the process. */
  readonly retriable: boolean;

  constructor(code: ErrorCode, message: string, options: { retriable: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retriable = options.retriable;
  }
}

/** One fault of a configuration or definition: where it stands and what would mend it. */
export interface Fault {
  /** The variable, or `file: path` of a definition. */
  readonly where: string;
  readonly message: string;
}

/** A broken configuration. Thrown once, at boot, with every fault. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map((fault) => `${fault.where}: ${fault.message}`).join('\n'));
    this.faults = faults;
  }
}
