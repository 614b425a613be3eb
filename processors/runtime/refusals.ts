import { PipelineError } from '../core/errors.ts';
import type { Tally } from './tally.ts';

/** Over fewer records nothing is concluded: a handful of broken ones may come in a row. */
const RECORDS_MIN = 1_000;
const REASONS_TOLD = 3;

/** What one batch adds: records that were judged (replayed ones are not), and those refused, by reason. */
interface Verdicts {
  readonly judged: number;
  readonly refused: number;
  readonly reasons: ReadonlyMap<string, number>;
}

/**
 * Stops a processor that refuses more than half of at least 1,000 consecutive records: then it is not the data that is bad,
 * and going on would shovel the whole topic to the dead letters. Consecutive as this process folds them, whatever the
 * partition; the newest whole batches that make 1,000 are looked at.
 */
export class Refusals {
  readonly #newest = new Map<string, Verdicts[]>();

  /** Before anything of a batch is written. Throws `mostly_refused`, not retriable. */
  guard(processor: string, tally: Tally): void {
    const window = shortened([...(this.#newest.get(processor) ?? []), verdictsOf(tally)]);
    const judged = sum(window, (each) => each.judged);
    const refused = sum(window, (each) => each.refused);
    if (judged < RECORDS_MIN || refused * 2 <= judged) return;
    const message = `${processor} refused ${refused} of ${judged} consecutive records: ${reasonsOf(window)}`;
    throw new PipelineError('mostly_refused', message, { retriable: false });
  }

  /** Once the batch is durable, so that one that is folded again counts once. */
  count(processor: string, tally: Tally): void {
    this.#newest.set(processor, shortened([...(this.#newest.get(processor) ?? []), verdictsOf(tally)]));
  }
}

function verdictsOf(tally: Tally): Verdicts {
  return {
    judged: tally.total - tally.replayed,
    refused: sum([...tally.rejected.values()], (records) => records),
    reasons: new Map(tally.rejected),
  };
}

/** Without the oldest batches that are not needed to make enough records. */
function shortened(window: readonly Verdicts[]): Verdicts[] {
  let judged = sum(window, (each) => each.judged);
  let first = 0;
  for (const batch of window) {
    if (judged - batch.judged < RECORDS_MIN) break;
    judged -= batch.judged;
    first += 1;
  }
  return window.slice(first).filter((each) => each.judged > 0);
}

function reasonsOf(window: readonly Verdicts[]): string {
  const counts = new Map<string, number>();
  for (const { reasons } of window) {
    for (const [reason, records] of reasons) counts.set(reason, (counts.get(reason) ?? 0) + records);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, REASONS_TOLD)
    .map(([reason, records]) => `${reason} ${records}`)
    .join(', ');
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
