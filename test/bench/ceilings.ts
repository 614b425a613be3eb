import type { ProvisionedPlace } from '../harness/provisioned-place.ts';
import type { Findings, Surroundings } from './benchmark.ts';
import { runChild } from './child-process.ts';
import type { CeilingReport, CeilingTask } from './ceiling-process.ts';
import { sumOf, type Drained } from './stage.ts';

/** Enough to measure by; more would only take longer. */
const RECORDS_MAX = 300_000;
const BLOCKS_MAX = 400;
const DOCUMENTS_MAX = 100_000;

const OUTPUTS = ['segment-memberships.v1', 'churn-risk.v1', 'customer-traits.v1'];

interface Parts {
  readonly ceilings: NonNullable<Findings['ceilings']>;
  /** What each part alone costs this process's CPU, µs an event of the stage. */
  readonly details: Readonly<Record<string, number>>;
}

/** What the parts of the customer stage reach alone, on what the stage just read and wrote, in events a second. */
export async function customerCeilings(
  drained: Drained,
  events: number,
  place: ProvisionedPlace,
  { progress }: Surroundings,
): Promise<Parts> {
  const { environment } = place;
  const { metrics } = drained;
  const customer = { processor: 'customer' };
  const outputs = sumOf(metrics, 'kizuna_outputs_total', customer);
  const blocks = sumOf(metrics, 'kizuna_journal_block_bytes_count', customer);
  const blockBytes = Math.round(sumOf(metrics, 'kizuna_journal_block_bytes_sum', customer) / blocks);
  const perSend = Math.max(1, Math.round(outputs / blocks));
  const parts = [
    { part: 'decode', topic: 'customer-events.v1', records: Math.min(events, RECORDS_MAX) },
    { part: 'journal', blocks: Math.min(Math.ceil(blocks), BLOCKS_MAX), blockBytes },
    { part: 'produce', topics: OUTPUTS, recordsMax: RECORDS_MAX, perSend },
    { part: 'flush', documents: Math.min(drained.documents, DOCUMENTS_MAX) },
  ] as const;
  // How many of each there are for an event.
  const perEvent = {
    decode: 1,
    journal: blocks / events,
    produce: outputs / events,
    flush: drained.documents / events,
  };
  const values: Record<string, number> = {};
  const details: Record<string, number> = {};
  for (const part of parts) {
    progress(`the ceiling of ${part.part} alone`);
    const task: CeilingTask = { environment, ...part };
    const { count, seconds, cpuSeconds } = await runChild<CeilingTask, CeilingReport>('ceiling-process.ts', task);
    const share = perEvent[part.part];
    values[`${part.part} only`] = count / seconds / share;
    details[`${part.part} only, CPU µs/event`] = (cpuSeconds / count) * share * 1e6;
  }
  return { ceilings: { limits: 'events/s, all flushed', values }, details };
}
