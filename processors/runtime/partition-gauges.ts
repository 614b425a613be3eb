import type { Instant } from '../core/processor.ts';
import { earliestDue } from './cached-keys.ts';
import type { OwnedPartition } from './owned-partition.ts';
import type { PipelinePorts } from './pipeline-ports.ts';
import { elapsedMs } from './stopwatch.ts';
import { oldestDirty } from './flush.ts';

/** A sweep a second, a second behind: only after so much does time count as standing still. */
const STANDSTILL_MS = 10_000;

/**
 * How late the oldest deadline is, or may be: while time does not pass here, nobody knows what is due among the keys that are
 * not cached. In record time nothing is late.
 */
function lateMs(partition: OwnedPartition, now: Instant): number {
  if (partition.sweptTo === null) return 0;
  const standstillMs = now - partition.sweptTo;
  return Math.max(0, now - earliestDue(partition), standstillMs > STANDSTILL_MS ? standstillMs : 0);
}

/** Sets the gauges of one partition. `newest`: the timestamp of the newest record just folded, if any was. */
export function reportPartition(
  partition: OwnedPartition,
  logEnd: number,
  newest: Instant | null,
  ports: PipelinePorts,
): void {
  // Given up while something was under way in it: its gauges are gone, and shall stay so.
  if (!ports.owned.has(partition)) return;
  const { processor, at } = partition;
  const now = ports.clock.now();
  const { records, seconds } = partition.lag.measure(partition.next, logEnd, newest, now);
  ports.meter.partition(processor.name, at, {
    lagRecords: records,
    lagSeconds: seconds,
    dueOldestSeconds: lateMs(partition, now) / 1000,
    totals: processor.totals.gauges(partition.totals),
  });
  reportDirty(processor.name, ports);
}

/** Sets the gauges of what a processor has in the journal only, over all partitions that this process owns. */
export function reportDirty(processor: string, { meter, owned }: PipelinePorts): void {
  let documents = 0;
  let oldest = Number.POSITIVE_INFINITY;
  for (const each of owned) {
    if (each.processor.name !== processor) continue;
    documents += each.dirty.size;
    oldest = Math.min(oldest, oldestDirty(each));
  }
  meter.dirtyDocuments(processor, documents, documents === 0 ? 0 : (elapsedMs() - oldest) / 1000);
}
