import type { Instant } from '../core/processor.ts';

/** What became of a dead letter. `redriving`: claimed by a command that has not told the end yet, or never will. */
export type ReceiptStatus = 'redriving' | 'redriven' | 'discarded';

/** Who did something, when, and in which run of a command. */
export interface ReceiptStamp {
  readonly at: Instant;
  readonly by: string;
  /** Unique for each run of a command: tells whose claim stands. */
  readonly run: string;
  /** Why, in the operator's words; may be empty. */
  readonly note: string;
}

export interface ReceiptEvent extends ReceiptStamp {
  readonly status: ReceiptStatus;
}

export interface Receipt extends ReceiptEvent {
  /** Everything that was ever done with the letter, oldest first; the last one is the receipt's own. */
  readonly history: readonly ReceiptEvent[];
}

/** A letter to claim: `id` names it, `facts` go into the audit as they are. No key and no value: neither is kept here. */
export interface ClaimedLetter {
  readonly id: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How long a claim that was not settled keeps others off: longer than a send takes unless brokers are hanging. */
export const CLAIM_MS = 120_000;

/**
 * The audit of dead letters: one receipt for each that was ever worked on, kept for good. Every method rejects with a
 * PipelineError when the store does not answer.
 */
export interface DeadLetterReceipts {
  find(ids: readonly string[]): Promise<Map<string, Receipt>>;
  /**
   * Writes `status` for each letter that nobody has a say in: without a receipt, or with a claim older than CLAIM_MS, or,
   * with `again`, done with before. Answers the ids that are this run's now; the others are somebody else's.
   */
  claim(
    letters: readonly ClaimedLetter[],
    status: 'redriving' | 'discarded',
    stamp: ReceiptStamp,
    again: boolean,
  ): Promise<ReadonlySet<string>>;
  /** This run's claims become `redriven`. */
  settle(ids: readonly string[], stamp: ReceiptStamp): Promise<void>;
  close(): Promise<void>;
}

/** Whether a claim was given up by whoever made it: sent or not, nobody knows. */
export function isAbandoned(receipt: Receipt, now: Instant): boolean {
  return receipt.status === 'redriving' && receipt.at <= now - CLAIM_MS;
}
