import { ByteReader } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { CachedKey, OwnedPartition } from './owned-partition.ts';
import type { StoredState } from './ports.ts';

export const NO_BYTES = Buffer.alloc(0);

/** Takes a state that was read from a document or a block into the cache. */
export function cacheState(partition: OwnedPartition, stored: StoredState): CachedKey {
  const { processor } = partition;
  const key: CachedKey = {
    key: stored.key,
    state: processor.state.unpack(new ByteReader(stored.state)),
    due: stored.due,
    packed: NO_BYTES,
    packedBytes: stored.state.length,
    packedDue: stored.due,
    seq: stored.seq,
    unstoredFrom: stored.seq,
    dirtySince: 0,
    isNew: false,
    isFresh: false,
  };
  partition.cache.set(stored.key, key);
  if (stored.due !== NEVER) partition.dueHeap.push(stored.due, stored.key);
  return key;
}

/** A key that is stored nowhere yet. */
export function cacheNewKey(partition: OwnedPartition, name: string): CachedKey {
  const key: CachedKey = {
    key: name,
    state: partition.processor.initial(name),
    due: NEVER,
    packed: NO_BYTES,
    packedBytes: 0,
    packedDue: NEVER,
    seq: -1,
    unstoredFrom: -1,
    dirtySince: 0,
    isNew: true,
    isFresh: false,
  };
  partition.cache.set(name, key);
  return key;
}

/**
 * Forgets clean keys until at most `limit` are left, those first that were not changed since they were last passed by here
 * (the second chance, or clock, algorithm: to move a key at each change would cost more than to look once more before it
 * goes). Costs only a read when one comes back.
 */
export function evict(partition: OwnedPartition, limit: number): void {
  const { cache } = partition;
  let surplus = cache.size - limit;
  for (const [name, key] of cache) {
    if (surplus <= 0) return;
    if (key.isFresh) {
      key.isFresh = false;
      cache.delete(name);
      cache.set(name, key);
      continue;
    }
    if (partition.dirty.has(name) || key.due <= partition.keepDueUntil) continue;
    cache.delete(name);
    surplus -= 1;
  }
}

/** When the earliest deadline of a cached key falls; Infinity when there is none. Drops entries of deadlines that moved. */
export function earliestDue(partition: OwnedPartition): Instant {
  const { dueHeap, cache } = partition;
  for (let first = dueHeap.peek(); first !== undefined; first = dueHeap.peek()) {
    if (cache.get(first.key)?.due === first.due) return first.due;
    dueHeap.pop();
  }
  return Number.POSITIVE_INFINITY;
}

/** Rebuilds the heap of deadlines when most of its entries are of deadlines that moved. */
export function compactDueHeap(partition: OwnedPartition): void {
  const { dueHeap, cache } = partition;
  if (dueHeap.size < 1024 || dueHeap.size < 4 * cache.size) return;
  dueHeap.clear();
  for (const key of cache.values()) if (key.due !== NEVER) dueHeap.push(key.due, key.key);
}
