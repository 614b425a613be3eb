import type { Instant } from '../core/processor.ts';
import { cacheState, earliestDue } from './cached-keys.ts';
import { Fold, newDraft, type Draft } from './fold.ts';
import { mustPublishInSweep, publishLedger } from './ledger.ts';
import type { CachedKey, OwnedPartition } from './owned-partition.ts';
import { storeName, type PipelinePorts } from './pipeline-ports.ts';
import type { DueCursor, StoredState } from './ports.ts';
import { stopwatch } from './stopwatch.ts';
import { awaitRoom, publish, withinBlock, writeBlock, type Heartbeat } from './write-block.ts';

/**
 * How many due keys one sweep block takes. What a block costs beside its keys is three answers waited for, so a herd wants
 * large ones; a waiting batch goes between two blocks, so it wants small ones.
 */
const DUE_KEYS_PER_BLOCK = 512;

/** Where a sweep through the index of deadlines stands; a new sweep starts without one. */
export interface SweepCursor {
  readonly keysPerBlock: number;
  after: DueCursor | null;
  /** The index had nothing more: only cached keys can still be due. */
  exhausted: boolean;
  ahead: PageAhead | null;
}

/** A page asked for before the sweep block that comes before it was written. */
interface PageAhead {
  readonly page: Promise<StoredState[]>;
  /** What the partition must still be for the page to be of use: this cache, after this block. */
  readonly cache: ReadonlyMap<string, CachedKey>;
  readonly head: number;
}

export function newSweep(keysPerBlock = DUE_KEYS_PER_BLOCK): SweepCursor {
  return { keysPerBlock, after: null, exhausted: false, ahead: null };
}

/**
 * Lets time pass up to `until` for one block's worth of due keys, the earliest first; the block moves no offset. Answers
 * whether anything may be left. The caller holds the partition alone and has taken it over.
 */
export async function sweepBlock(
  partition: OwnedPartition,
  until: Instant,
  cursor: SweepCursor,
  ports: PipelinePorts,
  heartbeat: Heartbeat,
): Promise<boolean> {
  const swept = stopwatch();
  // What the index has handed out once, this sweep does not find again: it stays cached until it is applied.
  partition.keepDueUntil = until;
  await loadDue(partition, until, cursor, ports);
  await awaitRoom(partition, ports, heartbeat);
  const hasDue = earliestDue(partition) <= until;
  if (!hasDue && !cursor.exhausted) return true;
  if (!hasDue && !mustPublishInSweep(partition, until, ports.time)) {
    partition.keepDueUntil = Number.NEGATIVE_INFINITY;
    return false;
  }
  await withinBlock(partition, async (nonce) => {
    const draft = newDraft();
    const fold = new Fold(partition, ports);
    // The ledger comes last: what the deadlines did to it is in it then.
    if (hasDue) foldDue(fold, partition, until, draft, cursor.keysPerBlock, ports);
    else publishLedger(partition, fold, draft, until);
    readAhead(partition, until, cursor, ports);
    const seq = await writeBlock(partition, draft, partition, nonce, ports);
    await publish(partition, seq, draft.outputs, ports);
  });
  ports.meter.stage(partition.processor.name, 'sweep', swept());
  return true;
}

/** Caches the next page of due documents. A document of a cached key is passed over: the cache is newer. */
async function loadDue(
  partition: OwnedPartition,
  until: Instant,
  cursor: SweepCursor,
  ports: PipelinePorts,
): Promise<void> {
  if (cursor.exhausted) return;
  const page = await nextPage(partition, until, cursor, ports);
  for (const stored of page) if (!partition.cache.has(stored.key)) cacheState(partition, stored);
  const last = page.at(-1);
  if (last !== undefined) cursor.after = { due: last.due, key: last.key };
  cursor.exhausted = page.length < cursor.keysPerBlock;
}

function nextPage(
  partition: OwnedPartition,
  until: Instant,
  cursor: SweepCursor,
  ports: PipelinePorts,
): Promise<StoredState[]> {
  const { ahead } = cursor;
  cursor.ahead = null;
  if (ahead?.cache === partition.cache && ahead.head === partition.head) return ahead.page;
  return readPage(partition, until, cursor, ports);
}

/**
 * Asks for the next page while the block in hand is written. It is used only if nothing but that block came between: a batch
 * may have changed a key of the page, and the key may have been stored and forgotten since, so that nobody would notice that
 * what the page says of it is old. Between the asking and the use no key is forgotten (`awaitRoom`).
 */
function readAhead(partition: OwnedPartition, until: Instant, cursor: SweepCursor, ports: PipelinePorts): void {
  if (cursor.exhausted) return;
  const page = readPage(partition, until, cursor, ports);
  // Whoever uses it awaits it; when nobody does, nobody needs to know.
  page.catch(() => undefined);
  cursor.ahead = { page, cache: partition.cache, head: partition.head + 1 };
}

function readPage(
  { at, processor }: OwnedPartition,
  until: Instant,
  { after, keysPerBlock }: SweepCursor,
  { store }: PipelinePorts,
): Promise<StoredState[]> {
  return store.documents(storeName(processor)).due(at.partition, until, after, keysPerBlock);
}

/** Applies the deadlines of a block's worth of keys, or of as many as fit into one, taking them off the heap. */
function foldDue(
  fold: Fold,
  partition: OwnedPartition,
  until: Instant,
  draft: Draft,
  keysMax: number,
  ports: PipelinePorts,
): void {
  const { dueHeap, cache } = partition;
  while (draft.touched.size < keysMax && draft.bytes < ports.limits.blockBytesMax) {
    // A key that was evicted before the sweep is found by the index; one whose deadline moved has another entry.
    if (earliestDue(partition) > until) return;
    const key = cache.get(dueHeap.pop()?.key ?? '');
    if (key !== undefined) fold.deadlines(key, until, draft);
  }
}
