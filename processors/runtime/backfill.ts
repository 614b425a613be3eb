import type { AnyStateful, Instant } from '../core/processor.ts';
import { cacheState } from './cached-keys.ts';
import { Fold, newDraft } from './fold.ts';
import type { OwnedPartition } from './owned-partition.ts';
import { storeName, type PipelinePorts } from './pipeline-ports.ts';
import { isOutdated, newBackfill } from './revisions.ts';
import { awaitRoom, publish, withinBlock, writeBlock, type Heartbeat } from './write-block.ts';

/** As many as of a sweep, and for the same reasons: a waiting batch goes between two blocks. */
const KEYS_PER_BLOCK = 512;

/**
 * Evaluates one block's worth of keys anew that were last evaluated under other definitions, as of `until`, up to which the
 * partition was swept; the block moves no offset. What is left is found by the documents' own words, so whoever takes the
 * partition over goes on. Answers how many keys it evaluated. The caller holds the partition alone and has taken it over.
 */
export async function backfillBlock(
  partition: OwnedPartition,
  until: Instant,
  ports: PipelinePorts,
  heartbeat: Heartbeat,
): Promise<number> {
  const { processor, at, backfill } = partition;
  const { revisions } = processor;
  if (revisions === undefined || backfill.isDone) return 0;
  // Keys are forgotten here and not later: what is not cached below is read as it is stored.
  await awaitRoom(partition, ports, heartbeat);
  const documents = ports.store.documents(storeName(processor));
  backfill.left ??= await documents.countOutdated(at.partition, revisions.current);
  const page = await documents.outdated(at.partition, revisions.current, backfill.after, KEYS_PER_BLOCK);
  const keys = page.map((stored) => partition.cache.get(stored.key) ?? cacheState(partition, stored));
  // What is cached may be newer than its document, which follows when it is dirty. One that is current and clean is stored
  // without its revision, by a version of this program that did not write it: written anew, it is found no more.
  const chosen = keys.map(({ key, state }) => isOutdated(processor, state) || !partition.dirty.has(key));
  let evaluated = 0;
  let taken = page.length;
  if (chosen.includes(true)) {
    await withinBlock(partition, async (nonce) => {
      const draft = newDraft();
      const fold = new Fold(partition, ports);
      for (const [index, key] of keys.entries()) {
        if (draft.bytes >= ports.limits.blockBytesMax) {
          taken = index;
          break;
        }
        if (chosen[index] !== true) continue;
        if (isOutdated(processor, key.state)) evaluated += 1;
        fold.revise(key, until, draft);
      }
      const seq = await writeBlock(partition, draft, partition, nonce, ports);
      ports.meter.backfilled(processor.name, evaluated);
      await publish(partition, seq, draft.outputs, ports);
    });
  }
  // All that were found were counted: those that a record was faster with, and those that are only written anew, too.
  backfill.left = Math.max(0, backfill.left - taken);
  if (taken > 0) backfill.hasFound = true;
  const last = page[taken - 1];
  if (taken === page.length && page.length < KEYS_PER_BLOCK) endPass(partition);
  else if (last !== undefined) backfill.after = { revision: last.revision, key: last.key };
  return evaluated;
}

function endPass(partition: OwnedPartition): void {
  const isClean = !partition.backfill.hasFound && !isAnyDirtyOutdated(partition);
  partition.backfill = { ...newBackfill(), ...(isClean && { isDone: true, left: 0 }) };
}

/** What a take-over brought back is not stored yet: the index does not know of it. */
function isAnyDirtyOutdated({ dirty, processor }: OwnedPartition): boolean {
  for (const key of dirty.values()) if (isOutdated(processor, key.state)) return true;
  return false;
}

/** How many documents of a processor are left on the partitions that this process owns, as far as they were counted. */
export function backfillLeft(processor: AnyStateful, owned: Iterable<OwnedPartition>): number {
  let left = 0;
  for (const each of owned) if (each.processor === processor) left += each.backfill.left ?? 0;
  return left;
}
