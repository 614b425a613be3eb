import { NO_BYTES } from './cached-keys.ts';
import type { CachedKey, OwnedPartition } from './owned-partition.ts';
import { elapsedMs } from './stopwatch.ts';

/** Puts the durable form of a key, from block `seq`, into the cache as dirty. */
export function markDirty(partition: OwnedPartition, key: CachedKey, seq: number, packed: Buffer): void {
  key.seq = seq;
  key.packed = packed;
  key.packedBytes = packed.length;
  key.packedDue = key.due;
  key.isFresh = true;
  if (partition.dirty.has(key.key)) return;
  key.unstoredFrom = seq;
  key.dirtySince = elapsedMs();
  partition.dirty.set(key.key, key);
  partition.dirtyBySeq.set(seq, (partition.dirtyBySeq.get(seq) ?? 0) + 1);
}

/** Notes that the state of block `storedSeq`, or a newer one, is stored for a key; advances `flushedTo`. */
export function markStored(partition: OwnedPartition, key: CachedKey, storedSeq: number): void {
  if (partition.dirty.get(key.key) !== key) return;
  const left = (partition.dirtyBySeq.get(key.unstoredFrom) ?? 0) - 1;
  if (left > 0) partition.dirtyBySeq.set(key.unstoredFrom, left);
  else partition.dirtyBySeq.delete(key.unstoredFrom);
  partition.dirty.delete(key.key);
  key.isNew = false;
  if (key.seq <= storedSeq) {
    key.packed = NO_BYTES;
  } else {
    // A newer block changed it while the write was under way; at the earliest the one after the stored.
    key.unstoredFrom = storedSeq + 1;
    key.dirtySince = elapsedMs();
    partition.dirty.set(key.key, key);
    partition.dirtyBySeq.set(key.unstoredFrom, (partition.dirtyBySeq.get(key.unstoredFrom) ?? 0) + 1);
  }
  advanceFlushed(partition);
}

/** Raises `flushedTo` over every block of which no key is dirty any more. */
export function advanceFlushed(partition: OwnedPartition): void {
  while (partition.flushedTo < partition.head && !partition.dirtyBySeq.has(partition.flushedTo + 1)) {
    partition.flushedTo += 1;
    partition.unflushedBytes.delete(partition.flushedTo);
  }
}
