import type { Instant } from '../core/processor.ts';
import { Fold, newDraft } from './fold.ts';
import { cacheState } from './cached-keys.ts';
import type { CachedKey, OwnedPartition } from './owned-partition.ts';
import { storeName, type PipelinePorts } from './pipeline-ports.ts';
import type { DueCursor } from './ports.ts';
import { stopwatch } from './stopwatch.ts';
import { awaitRoom, publish, withinBlock, writeBlock, type Heartbeat } from './write-block.ts';

/** How many due keys one sweep block takes: small, so that a waiting batch goes between two blocks. */
const KEYS_PER_BLOCK = 256;

/** Where a sweep through the index of deadlines stands; a new sweep starts without one. */
export interface SweepCursor {
  after: DueCursor | null;
  /** The index had nothing more: only cached keys can still be due. */
  exhausted: boolean;
}

export function newSweep(): SweepCursor {
  return { after: null, exhausted: false };
}

/**
 * Lets time pass up to `until` for up to 256 due keys, the earliest first, as one block that moves no offset. Answers whether
 * anything may be left. The caller holds the partition alone and has taken it over.
 */
export async function sweepBlock(
  partition: OwnedPartition,
  until: Instant,
  cursor: SweepCursor,
  ports: PipelinePorts,
  heartbeat: Heartbeat,
): Promise<boolean> {
  const swept = stopwatch();
  await awaitRoom(partition, ports, heartbeat);
  // What the index has handed out once, this sweep does not find again: it stays cached until it is applied.
  partition.keepDueUntil = until;
  await loadDue(partition, until, cursor, ports);
  const keys = takeDue(partition, until);
  if (keys.length === 0) {
    if (cursor.exhausted) partition.keepDueUntil = Number.NEGATIVE_INFINITY;
    return !cursor.exhausted;
  }
  await withinBlock(partition, async (nonce) => {
    const draft = newDraft();
    const fold = new Fold(partition, ports);
    for (const key of keys) fold.deadlines(key, until, draft);
    const seq = await writeBlock(partition, draft, partition.next, nonce, ports);
    await publish(partition, seq, draft.outputs, ports);
  });
  ports.meter.stage(partition.processor.name, 'sweep', swept());
  return true;
}

/**
 * Caches the next page of due documents. A document of a cached key is passed over: the cache is newer. The page is read
 * and folded while the partition is held, so that no batch comes between.
 */
async function loadDue(
  partition: OwnedPartition,
  until: Instant,
  cursor: SweepCursor,
  ports: PipelinePorts,
): Promise<void> {
  if (cursor.exhausted) return;
  const documents = ports.store.documents(storeName(partition.processor));
  const page = await documents.due(partition.at.partition, until, cursor.after, KEYS_PER_BLOCK);
  for (const stored of page) if (!partition.cache.has(stored.key)) cacheState(partition, stored);
  const last = page.at(-1);
  if (last !== undefined) cursor.after = { due: last.due, key: last.key };
  cursor.exhausted = page.length < KEYS_PER_BLOCK;
}

/** Takes up to a block's worth of keys that are really due off the heap. */
function takeDue(partition: OwnedPartition, until: Instant): CachedKey[] {
  const taken = new Set<CachedKey>();
  const { dueHeap, cache } = partition;
  while (taken.size < KEYS_PER_BLOCK) {
    const earliest = dueHeap.peek();
    if (earliest === undefined || earliest.due > until) break;
    dueHeap.pop();
    const key = cache.get(earliest.key);
    // A key that was evicted before the sweep is found by the index; one whose deadline moved has another entry.
    if (key?.due === earliest.due) taken.add(key);
  }
  return [...taken];
}
