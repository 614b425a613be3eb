import type { Reason } from '../core/reasons.ts';
import type { Meter } from '../runtime/meter.ts';

interface Outcomes {
  applied: number;
  readonly skipped: Record<string, number>;
  readonly rejected: Record<string, number>;
}

/** Of a link alone, which comes beside the interaction that told of it. */
const OF_LINKS: Reason = 'identity_conflict';

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
   * Each input record by its final outcome in a chain in which every processor hands each applied record on as one, to the
   * next or to itself: skipped or rejected by any, else applied. Processors beside the chain see parts of some records, and do
   * not count. Neither does what is applied of records beside those handed on, nor the one reason for which such are skipped.
   */
  finalOutcomes(chain: readonly string[]): Outcomes {
    const final: Outcomes = { applied: 0, skipped: {}, rejected: {} };
    for (const [place, processor] of chain.entries()) {
      const counted = this.#byProcessor.get(processor);
      if (counted === undefined) continue;
      if (place === 0) final.applied = counted.applied;
      for (const which of ['skipped', 'rejected'] as const) {
        for (const [reason, records] of Object.entries(counted[which])) {
          if (reason === OF_LINKS) continue;
          if (place > 0) final.applied -= records;
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
  readonly passedBy = nothing;
  readonly dirtyDocuments = nothing;
  readonly backfilled = nothing;
  readonly backfillLeft = nothing;
  readonly purged = nothing;
  readonly purgeLeft = nothing;
  readonly apiRequest = nothing;
  readonly stopped = nothing;
}
