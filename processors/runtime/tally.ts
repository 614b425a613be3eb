import type { RejectReason, SkipReason } from '../core/reasons.ts';
import type { Meter } from './ports.ts';

/** The outcomes of one batch. Given to the meter only once the batch is durable, so that a repeat is not counted twice. */
export class Tally {
  applied = 0;
  replayed = 0;
  readonly skipped = new Map<SkipReason, number>();
  readonly rejected = new Map<RejectReason, number>();

  skip(reason: SkipReason): void {
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
  }

  reject(reason: RejectReason): void {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + 1);
  }

  /** Every record counted, by whichever outcome: what `consumed` is compared with. */
  get total(): number {
    let total = this.applied + this.replayed;
    for (const count of this.skipped.values()) total += count;
    for (const count of this.rejected.values()) total += count;
    return total;
  }

  /** `consumed` counts the records that went in, independently of the outcomes that came out. */
  report(meter: Meter, processor: string, consumed: number): void {
    meter.consumed(processor, consumed);
    if (this.applied > 0) meter.outcome(processor, 'applied', '', this.applied);
    if (this.replayed > 0) meter.outcome(processor, 'replayed', '', this.replayed);
    for (const [reason, count] of this.skipped) meter.outcome(processor, 'skipped', reason, count);
    for (const [reason, count] of this.rejected) meter.outcome(processor, 'rejected', reason, count);
  }
}
