import type { RejectReason, SkipReason } from '../core/reasons.ts';

/** The outcomes of one batch. Told to the meter only once the batch is durable, so that a repeat is not counted twice. */
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

  /** Every record counted, by whichever outcome. */
  get total(): number {
    let total = this.applied + this.replayed;
    for (const count of this.skipped.values()) total += count;
    for (const count of this.rejected.values()) total += count;
    return total;
  }
}
