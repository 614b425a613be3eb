import type { Kizuna } from '../../processors/main.ts';
import { StatefulMember } from '../../processors/runtime/consume-stateful.ts';
import { waitUntil } from './wait-until.ts';

/** Lets time pass up to `until` for every customer, as `kizuna sweep` does: nothing may be on its way. */
export async function sweepTo({ pipeline }: Kizuna, until: number): Promise<void> {
  for (const member of pipeline.members) {
    if (!(member instanceof StatefulMember)) continue;
    const swept = await Promise.all(member.partitions().map(({ at }) => member.sweep(at, until)));
    if (!swept.every(Boolean)) throw new Error(`a partition of ${member.processor.name} was lost while it was swept`);
  }
}

/** Resolves once every change is in the documents, not in the journal alone. */
export async function untilStored({ ports, pipeline }: Kizuna, withinMs: number): Promise<void> {
  const dirty = (): number => [...ports.owned].reduce((sum, partition) => sum + partition.dirty.size, 0);
  await waitUntil('every document stored', () => (dirty() === 0 ? true : undefined), {
    withinMs,
    failed: pipeline.failed,
    seen: () => `${dirty()} dirty`,
  });
}
