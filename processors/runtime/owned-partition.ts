import { NEVER, type AnyStateful, type Instant } from '../core/processor.ts';
import { ByteReader } from '../core/packing.ts';
import { DueHeap } from './due-heap.ts';
import type { Position, StoredState, TopicPartition } from './ports.ts';
import { elapsedMs } from './stopwatch.ts';

const NO_BYTES = Buffer.alloc(0);

/**
 * A key as this process knows it. `state` is the live value, which a batch in hand may be changing; `packed` is the last
 * durable form (in the journal or read from its document), and the only one a flush may write.
 */
export interface CachedKey {
  readonly key: string;
  state: unknown;
  due: Instant;
  packed: Buffer;
  packedDue: Instant;
  /** The seq of the block or document that `packed` comes from; −1 for a key never stored. */
  seq: number;
  /** While dirty: the oldest block whose change to this key is not known to be stored. */
  unstoredFrom: number;
  /** While dirty: when it became so, in elapsed ms. */
  dirtySince: number;
}

/**
 * What one process knows of a partition it owns. All of it is a copy of what the journal and the documents hold, and is
 * forgotten whole whenever a block could not be written: `cacheNonce` names the block whose working copies it holds.
 */
export interface OwnedPartition {
  readonly at: TopicPartition;
  readonly processor: AnyStateful;
  /** `<group>@<epoch>/<topic>/<partition>`. */
  readonly source: string;
  /** Seq of the newest block; −1 before the first. */
  head: number;
  cacheNonce: string;
  /** The first input offset not folded yet. */
  next: number;
  flushedTo: number;
  emittedTo: number;
  /** The offset last sought after a gap: a gap that stays there is a real one. */
  soughtTo: number;
  /** True until a take-over has succeeded, and again after every failure. */
  mustTakeOver: boolean;
  sources: Map<string, Position>;
  totals: unknown;
  cache: Map<string, CachedKey>;
  /** Keys with a change that is in the journal but not known to be stored, the longest dirty first. */
  dirty: Map<string, CachedKey>;
  /** How many dirty keys have each `unstoredFrom`. */
  dirtyBySeq: Map<number, number>;
  /** Bytes of the states of the blocks above `flushedTo`, by seq. */
  unflushedBytes: Map<number, number>;
  /** The one bulk write under way. */
  flushing: Promise<number> | null;
  readonly dueHeap: DueHeap;
}

export function ownPartition(processor: AnyStateful, at: TopicPartition, source: string): OwnedPartition {
  return {
    at,
    processor,
    source,
    head: -1,
    cacheNonce: '',
    next: 0,
    flushedTo: -1,
    emittedTo: -1,
    soughtTo: -1,
    mustTakeOver: true,
    sources: new Map(),
    totals: processor.totals.initial(),
    cache: new Map(),
    dirty: new Map(),
    dirtyBySeq: new Map(),
    unflushedBytes: new Map(),
    flushing: null,
    dueHeap: new DueHeap(),
  };
}

/** Drops every cached state. The dirty keys are in the journal, from where a take-over brings them back. */
export function forget(partition: OwnedPartition): void {
  partition.cacheNonce = '';
  partition.mustTakeOver = true;
  partition.sources = new Map();
  partition.totals = partition.processor.totals.initial();
  partition.cache = new Map();
  // New maps, so that a flush still in flight cannot mark keys of the next ownership as stored.
  partition.dirty = new Map();
  partition.dirtyBySeq = new Map();
  partition.unflushedBytes = new Map();
  partition.dueHeap.clear();
}

/** Puts the durable form of a key, from block `seq`, into the cache as dirty. */
export function markDirty(partition: OwnedPartition, key: CachedKey, seq: number, packed: Buffer): void {
  key.seq = seq;
  key.packed = packed;
  key.packedDue = key.due;
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
  if (key.seq > storedSeq) {
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

/** Takes a state that was read from a document or a block into the cache. */
export function cacheState(partition: OwnedPartition, stored: StoredState): CachedKey {
  const { processor } = partition;
  const key: CachedKey = {
    key: stored.key,
    state: processor.state.unpack(new ByteReader(stored.state)),
    due: stored.due,
    packed: stored.state,
    packedDue: stored.due,
    seq: stored.seq,
    unstoredFrom: stored.seq,
    dirtySince: 0,
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
    packedDue: NEVER,
    seq: -1,
    unstoredFrom: -1,
    dirtySince: 0,
  };
  partition.cache.set(name, key);
  return key;
}

/** Forgets clean keys, the longest cached first, until at most `limit` are left. Costs only a read when one comes back. */
export function evict(partition: OwnedPartition, limit: number): void {
  let surplus = partition.cache.size - limit;
  for (const name of partition.cache.keys()) {
    if (surplus <= 0) return;
    if (partition.dirty.has(name)) continue;
    partition.cache.delete(name);
    surplus -= 1;
  }
}

/** Rebuilds the heap of deadlines when most of its entries are of deadlines that moved. */
export function compactDueHeap(partition: OwnedPartition): void {
  const { dueHeap, cache } = partition;
  if (dueHeap.size < 1024 || dueHeap.size < 4 * cache.size) return;
  dueHeap.clear();
  for (const key of cache.values()) if (key.due !== NEVER) dueHeap.push(key.due, key.key);
}
