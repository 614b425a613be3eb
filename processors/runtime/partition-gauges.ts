import type { Instant } from '../core/processor.ts';
import type { OwnedPartition } from './owned-partition.ts';
import type { PipelinePorts } from './pipeline-ports.ts';
import { elapsedMs } from './stopwatch.ts';
import { oldestDirty } from './flush.ts';

/** When the earliest deadline of a cached key falls; Infinity when there is none. Drops entries of deadlines that moved. */
function earliestDue(partition: OwnedPartition): Instant {
  const { dueHeap, cache } = partition;
  for (let first = dueHeap.peek(); first !== undefined; first = dueHeap.peek()) {
    if (cache.get(first.key)?.due === first.due) return first.due;
    dueHeap.pop();
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * Sets the gauges of one partition. `newest` is the timestamp of the newest record folded: as long as there is lag, the
 * oldest record not folded is no older.
 */
export function reportPartition(
  partition: OwnedPartition,
  logEnd: number,
  newest: Instant | null,
  ports: PipelinePorts,
): void {
  const { processor, at } = partition;
  const now = ports.clock.now();
  const lagRecords = Math.max(0, logEnd - partition.next);
  ports.meter.partition(processor.name, at, {
    lagRecords,
    lagSeconds: lagRecords === 0 || newest === null ? 0 : Math.max(0, now - newest) / 1000,
    dueOldestSeconds: Math.max(0, now - earliestDue(partition)) / 1000,
    totals: processor.totals.gauges(partition.totals),
  });
  let documents = 0;
  let oldest = Number.POSITIVE_INFINITY;
  for (const each of ports.owned) {
    if (each.processor.name !== processor.name) continue;
    documents += each.dirty.size;
    oldest = Math.min(oldest, oldestDirty(each));
  }
  ports.meter.dirtyDocuments(processor.name, documents, documents === 0 ? 0 : (elapsedMs() - oldest) / 1000);
}
