import type { Rejected } from '../core/processor.ts';
import type { RejectReason } from '../core/reasons.ts';

/**
 * A refusal. The message stands in the dead letter: it names the field and the limit and never quotes the value, which may be
 * personal. Refusals are constants made at start, so that refusing a record costs no more than passing it.
 */
export function refusal(reason: RejectReason, message: string): Rejected {
  return { kind: 'reject', reason, message };
}
