import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ByteWriter } from '../core/packing.ts';
import { StatesWriter, type BlockOutput } from './block.ts';
import { flushOnce, mustFlushFirst } from './flush.ts';
import { finishOutputs, type Draft } from './fold.ts';
import { compactDueHeap, evict } from './cached-keys.ts';
import { advanceFlushed, markDirty } from './dirty-keys.ts';
import { packLedger } from './ledger.ts';
import type { StoredMark } from './input-marks.ts';
import type { OwnedPartition } from './owned-partition.ts';
import { groupName, storeName, type PipelinePorts } from './pipeline-ports.ts';
import { RING_SLOTS } from './ports.ts';
import { formatPosition, POSITION_HEADER, sourceOf } from './position.ts';
import { reportPublished } from './report.ts';
import { stopwatch } from './stopwatch.ts';

export type Heartbeat = () => Promise<void>;

// One of each for the process: a block is packed without awaiting, and finish() and copy() hand out bytes of their own.
const STATES = new StatesWriter();
const BYTES = new ByteWriter(1 << 12);

/**
 * Does the work of one block: folds, writes it with the nonce given, publishes. From its beginning the working copies belong
 * to a block that nobody wrote yet, so any failure on the way, a bug in a rule included, leaves the partition to a take-over
 * before anything else may touch it.
 */
export async function withinBlock<T>(partition: OwnedPartition, work: (nonce: string) => Promise<T>): Promise<T> {
  const nonce = randomUUID();
  partition.cacheNonce = nonce;
  try {
    return await work(nonce);
  } catch (error) {
    partition.mustTakeOver = true;
    throw error;
  }
}

/**
 * Before each block: waits until the ring has a slot to give and the bounds on what is dirty allow another block, and forgets
 * what the cache has too many of. Keys are forgotten at no other time while a sweep is under way, so that what is
 * cached when a page that was asked for earlier is used tells what of it may be old.
 */
export async function awaitRoom(partition: OwnedPartition, ports: PipelinePorts, heartbeat: Heartbeat): Promise<void> {
  while (!ringHasRoom(partition) || mustFlushFirst(partition, ports)) {
    await heartbeat();
    const stored = await flushOnce(partition, ports, 'all');
    // Nothing stored: the store is in trouble, or other partitions hold the bound; both take a moment.
    if (stored === 0) await wait(50);
  }
  // Last: whoever gives up while waiting has forgotten nothing, and whoever fails from here on takes over anew.
  evict(partition, Math.floor(ports.limits.cachedKeysMax / Math.max(1, ports.owned.size)));
}

function ringHasRoom(partition: OwnedPartition): boolean {
  return partition.head + 1 - RING_SLOTS <= Math.min(partition.flushedTo, partition.emittedTo);
}

/**
 * Makes a draft durable as the next block, and its working copies the cache. What the block says is published afterwards
 * (`publish`), and only then may an offset be committed. `next` and `last`: up to where it folds the input. Answers the block's seq.
 */
export async function writeBlock(
  partition: OwnedPartition,
  draft: Draft,
  { next, last }: Pick<StoredMark, 'next' | 'last'>,
  nonce: string,
  ports: PipelinePorts,
): Promise<number> {
  const { processor } = partition;
  const seq = partition.head + 1;
  const keys = [...draft.touched];
  STATES.reset();
  for (const key of keys) STATES.add(key.key, key.due, processor.state, key.state);
  const { states, views } = STATES.finish();
  const outputs = finishOutputs(draft);
  BYTES.reset();
  processor.totals.pack(partition.totals, BYTES);
  const totals = BYTES.copy();
  const ledger = packLedger(partition, seq);

  const journaled = stopwatch();
  const { epoch, flushedTo, emittedTo } = partition;
  const sources = new Map(partition.sources);
  await ports.store.journal(storeName(processor)).write(partition.at, {
    ...{ seq, nonce, epoch, next, flushedTo, emittedTo, last },
    sources,
    totals,
    ledger,
    states,
    outputs,
  });
  ports.meter.stage(processor.name, 'journal', journaled());
  ports.meter.blockBytes(processor.name, states.length + outputs.length + totals.length + ledger.length);

  partition.head = seq;
  partition.next = next;
  partition.last = last;
  keys.forEach((key, index) => {
    if (key.due !== key.packedDue && Number.isFinite(key.due)) partition.dueHeap.push(key.due, key.key);
    markDirty(partition, key, seq, views[index] ?? states);
  });
  if (keys.length > 0) partition.unflushedBytes.set(seq, states.length);
  advanceFlushed(partition);
  compactDueHeap(partition);
  return seq;
}

/**
 * Publishes the outputs of block `seq` with their positions, which are of the epoch that the block was written in. Failed: a
 * take-over will publish them again, before anything else.
 */
export async function publish(
  partition: OwnedPartition,
  seq: number,
  outputs: readonly (BlockOutput | null)[],
  ports: PipelinePorts,
  epoch = partition.epoch,
): Promise<number> {
  const source = sourceOf(groupName(partition.processor), epoch, partition.at);
  const records: BlockOutput[] = [];
  for (let index = 0; index < outputs.length; index++) {
    const output = outputs[index];
    if (output === undefined || output === null) continue;
    output.headers[POSITION_HEADER] = formatPosition(source, seq, index);
    records.push(output);
  }
  if (records.length > 0) {
    const emitted = stopwatch();
    await ports.emitter.send(records);
    ports.meter.stage(partition.processor.name, 'emit', emitted());
    reportPublished(partition.processor, records, ports);
  }
  partition.emittedTo = seq;
  return records.length;
}
