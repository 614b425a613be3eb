import { ByteReader } from '../core/packing.ts';
import { markStored } from './dirty-keys.ts';
import type { CachedKey, OwnedPartition } from './owned-partition.ts';
import { storeName, type PipelinePorts } from './pipeline-ports.ts';
import { RING_SLOTS, type DocumentWrite } from './ports.ts';
import { elapsedMs, stopwatch } from './stopwatch.ts';

/** The most documents and bytes of one bulk write. */
const WRITES_MAX = 1_000;
const WRITE_BYTES_MAX = 4 << 20;
/** How far the dirty keys are looked through for idle ones. */
const SCAN_MAX = 5_000;
/** A key that was changed by one of so many newest blocks is busy: it is passed over until it has been dirty for BUSY_MS. */
const BUSY_BLOCKS = 2;
const BUSY_MS = 1_000;
/** While records or deadlines wait to be folded, documents are held back until so much of a bound is used: one write for many changes. */
const BACKLOG_SHARE = 0.8;

/**
 * Writes dirty keys behind the journal, one bulk write in flight a partition: the longest dirty first, idle keys before busy
 * ones, and none at all behind a backlog or a sweep before a bound draws near (`all`: every one). Answers how many are stored now that
 * were not. The write is guarded by seq, so it needs no ownership and may be repeated by anybody.
 */
export function flushOnce(partition: OwnedPartition, ports: PipelinePorts, which: 'idle' | 'all'): Promise<number> {
  partition.flushing ??= flushBatch(partition, ports, which).finally(() => {
    partition.flushing = null;
  });
  return partition.flushing;
}

async function flushBatch(partition: OwnedPartition, ports: PipelinePorts, which: 'idle' | 'all'): Promise<number> {
  const isBehind = partition.isBehind || isSwept(partition);
  if (which === 'idle' && isBehind && !isDirtyBeyond(BACKLOG_SHARE, partition, ports)) return 0;
  const chosen = chooseKeys(partition, which);
  if (chosen.length === 0) return 0;
  const { processor, at } = partition;
  const reader = new ByteReader(Buffer.alloc(0));
  const writes = chosen.map((key): DocumentWrite => {
    const summary = processor.state.summarize(reader.reset(key.packed));
    const { seq, packed: state, packedDue: due, isNew } = key;
    return { key: key.key, partition: at.partition, seq, state, due, summary, isNew };
  });
  const flushed = stopwatch();
  const answers = await ports.store.documents(storeName(processor)).store(writes);
  ports.meter.stage(processor.name, 'flush', flushed());
  let stored = 0;
  chosen.forEach((key, index) => {
    if (answers[index] !== true) return;
    stored += 1;
    markStored(partition, key, writes[index]?.seq ?? -1);
  });
  return stored;
}

/** Whether a sweep is under way. */
function isSwept({ keepDueUntil }: OwnedPartition): boolean {
  return keepDueUntil !== Number.NEGATIVE_INFINITY;
}

function chooseKeys(partition: OwnedPartition, which: 'idle' | 'all'): CachedKey[] {
  const busyFrom = partition.head - BUSY_BLOCKS + 1;
  const busySince = elapsedMs() - BUSY_MS;
  const chosen: CachedKey[] = [];
  let bytes = 0;
  let scanned = 0;
  for (const key of partition.dirty.values()) {
    if (chosen.length >= WRITES_MAX || bytes >= WRITE_BYTES_MAX || ++scanned > SCAN_MAX) break;
    if (which === 'idle' && key.seq >= busyFrom && key.dirtySince > busySince) continue;
    chosen.push(key);
    bytes += key.packed.length;
  }
  return chosen;
}

/** Writes until nothing of the partition is dirty, or the store stores nothing, or the process has run for `until` ms. */
export async function flushAll(
  partition: OwnedPartition,
  ports: PipelinePorts,
  until = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  // One that is under way passes busy keys over: what it does not store says nothing about the store.
  await partition.flushing;
  while (partition.dirty.size > 0 && elapsedMs() < until) {
    if ((await flushOnce(partition, ports, 'all')) === 0 && partition.dirty.size > 0) return false;
  }
  return partition.dirty.size === 0;
}

/** Whether a batch must wait for the flush: the partition's ring, or what the whole process has dirty, is at its bound. */
export function mustFlushFirst(partition: OwnedPartition, ports: PipelinePorts): boolean {
  return isDirtyBeyond(1, partition, ports);
}

/** Whether more than `share` of any bound on what may be dirty is used. */
function isDirtyBeyond(share: number, partition: OwnedPartition, { limits, owned }: PipelinePorts): boolean {
  if (partition.dirty.size === 0) return false;
  if (partition.head - partition.flushedTo > RING_SLOTS * share) return true;
  if (unflushedBytes(partition) > limits.ringBytesMax * share) return true;
  let documents = 0;
  let bytes = 0;
  for (const each of owned) {
    documents += each.dirty.size;
    bytes += unflushedBytes(each);
  }
  return (
    documents > limits.dirtyDocumentsMax * share ||
    bytes > limits.dirtyBytesMax * share ||
    elapsedMs() - oldestDirty(partition) > limits.dirtyMsMax * share
  );
}

/** When the partition's longest dirty key became so, in elapsed ms; Infinity when none is. */
export function oldestDirty(partition: OwnedPartition): number {
  for (const key of partition.dirty.values()) return key.dirtySince;
  return Number.POSITIVE_INFINITY;
}

function unflushedBytes(partition: OwnedPartition): number {
  let bytes = 0;
  for (const block of partition.unflushedBytes.values()) bytes += block;
  return bytes;
}
