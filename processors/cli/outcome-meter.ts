import type { Reason } from '../core/reasons.ts';
import type { Meter } from '../runtime/meter.ts';

interface Outcomes {
  applied: number;
  readonly skipped: Record<string, number>;
  readonly rejected: Record<string, number>;
}

const nothing = (): void => undefined;

/** Counts outcomes and nothing else. */
export class OutcomeMeter implements Meter {
  readonly #byProcessor = new Map<string, Outcomes>();

  outcome(
    processor: string,
    outcome: 'applied' | 'skipped' | 'rejected' | 'replayed',
    reason: Reason | '',
    records: number,
  ): void {
    let counted = this.#byProcessor.get(processor);
    if (counted === undefined) {
      counted = { applied: 0, skipped: {}, rejected: {} };
      this.#byProcessor.set(processor, counted);
    }
    if (outcome === 'applied') counted.applied += records;
    else if (outcome !== 'replayed') counted[outcome][reason] = (counted[outcome][reason] ?? 0) + records;
  }

  /**
   * Each input record by its final outcome in a chain in which every processor hands each applied record on as one: applied
   * by the last, or skipped or rejected by any. Processors beside the chain see parts of some records, and do not count.
   */
  finalOutcomes(chain: readonly string[]): Outcomes {
    const final: Outcomes = { applied: 0, skipped: {}, rejected: {} };
    for (const processor of chain) {
      const counted = this.#byProcessor.get(processor);
      if (counted === undefined) continue;
      final.applied = counted.applied;
      for (const which of ['skipped', 'rejected'] as const) {
        for (const [reason, records] of Object.entries(counted[which])) {
          final[which][reason] = (final[which][reason] ?? 0) + records;
        }
      }
    }
    return final;
  }

  readonly consumed = nothing;
  readonly published = nothing;
  readonly republished = nothing;
  readonly deadLetter = nothing;
  readonly latency = nothing;
  readonly stage = nothing;
  readonly batchRecords = nothing;
  readonly store = nothing;
  readonly blockBytes = nothing;
  readonly takeover = nothing;
  readonly rebalance = nothing;
  readonly partition = nothing;
  readonly dirtyDocuments = nothing;
  readonly purged = nothing;
  readonly purgeLeft = nothing;
  readonly apiRequest = nothing;
  readonly stopped = nothing;
}
