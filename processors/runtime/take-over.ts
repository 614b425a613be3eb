import { randomUUID } from 'node:crypto';
import { PipelineError } from '../core/errors.ts';
import { ByteReader, ByteWriter } from '../core/packing.ts';
import { unpackOutputs, unpackStates } from './block.ts';
import { cacheState, NO_BYTES } from './cached-keys.ts';
import { advanceFlushed, markDirty } from './dirty-keys.ts';
import { forget, type OwnedPartition } from './owned-partition.ts';
import { readCommit, type GroupCommit } from './group-commit.ts';
import { rangeOf } from './input-range.ts';
import { judgeJournal, refuseLoss, type Standing } from './loss.ts';
import { packLedger, restoreLedger } from './ledger.ts';
import { groupName, storeName, type PipelinePorts } from './pipeline-ports.ts';
import { RING_SLOTS, type Block, type BlockHeader, type TopicPartition } from './ports.ts';
import { settle } from './same-log.ts';
import { stopwatch } from './stopwatch.ts';
import { publish } from './write-block.ts';

/** How many times the claim may be lost to a rival in a row before the world counts as broken. */
const CLAIMS_MAX = 20;
/** How many blocks are read with one query. */
const BLOCKS_PER_READ = 32;

/**
 * Takes a partition over, or makes sure of it again after any failure: finds the head of the journal, claims the next seq
 * with an empty block (which shuts every former owner out), brings unflushed blocks back as dirty keys, and publishes again
 * whatever is not known to be acknowledged. Afterwards the next input offset is `partition.next`. A loss stops it, unless
 * `onLoss` returns: then the claim begins the next epoch.
 */
export async function takeOver(
  partition: OwnedPartition,
  ports: PipelinePorts,
  onLoss: (standing: Standing) => void = refuseLoss,
): Promise<void> {
  const took = stopwatch();
  await ports.mayOwn?.();
  let torn: number | null = null;
  for (let attempt = 0; attempt < CLAIMS_MAX; attempt++) {
    // Before the journal: an owner who comes after the headers were read may fold and commit beyond them.
    const commit = await readCommit(ports.log, groupName(partition.processor), partition.at);
    const headers = await ports.store.journal(storeName(partition.processor)).headers(partition.at);
    // A rival who writes while the headers are read can make them look torn; only if that lasts are they.
    torn = missingSeq(headers);
    if (torn === null && (await claim(partition, newestOf(headers), commit, ports, onLoss))) {
      // Who brought newer definitions into use since the first question may have folded before this claim. Who does so from
      // here on claims the partition later, and shuts this owner out.
      await ports.mayOwn?.();
      partition.mustTakeOver = false;
      ports.meter.stage(partition.processor.name, 'takeover', took());
      return;
    }
  }
  const where = `${partition.at.topic}/${partition.at.partition}`;
  if (torn !== null) {
    throw new PipelineError('store_unreadable', `${where}: block ${torn} of the journal is missing`, {
      retriable: false,
    });
  }
  throw new PipelineError('store_unavailable', `${where}: lost the claim ${CLAIMS_MAX} times in a row`, {
    retriable: true,
  });
}

async function claim(
  partition: OwnedPartition,
  head: BlockHeader | null,
  commit: GroupCommit,
  ports: PipelinePorts,
  onLoss: (standing: Standing) => void,
): Promise<boolean> {
  const standing = await examineJournal(partition.at, head, commit, ports);
  if (standing.losses.length > 0) onLoss(standing);
  // The cache is the head's only if that block's write also came back: else its keys were never marked dirty.
  const keep = head !== null && head.nonce === partition.cacheNonce && head.seq === partition.head;
  if (!keep) forget(partition);
  const headSeq = head?.seq ?? -1;
  // A slot is overwritten only when its block is stored and published: the ring itself raises the marks.
  const oldest = headSeq - RING_SLOTS;
  partition.flushedTo = Math.max(keep ? partition.flushedTo : -1, head?.flushedTo ?? -1, oldest);
  // What was committed had been acknowledged: without it, each start would repeat the last block of the owner before. What
  // was committed in an epoch that is over says nothing of the blocks after it.
  const committedSeq = commit.epoch === head?.epoch && commit.seq <= headSeq ? commit.seq : -1;
  partition.emittedTo = Math.max(keep ? partition.emittedTo : -1, head?.emittedTo ?? -1, oldest, committedSeq);
  partition.head = headSeq;
  partition.next = standing.next;
  partition.last = standing.last;
  partition.epoch = standing.epoch;

  const from = Math.min(partition.flushedTo, partition.emittedTo) + 1;
  const blocks =
    keep && partition.emittedTo === headSeq ? [] : await readBlocks(partition, Math.min(from, headSeq), headSeq, ports);
  if (blocks.length > 0 && blocks.length !== headSeq - Math.min(from, headSeq) + 1) return false;
  if (!keep && head !== null) {
    restoreHead(partition, blocks.at(-1));
    if (!(await restoreLedger(partition, ports))) return false;
  }
  await vacateNextSlot(partition, blocks, ports);
  if (!(await writeClaim(partition, ports))) {
    forget(partition);
    return false;
  }
  if (!keep) for (const block of blocks) if (block.seq > partition.flushedTo) restoreStates(partition, block);
  advanceFlushed(partition);
  await publishAgain(partition, blocks, ports);
  return true;
}

/** How a partition stands by the head of its journal, what was committed, and what the log holds: read in this order. */
export async function examineJournal(
  at: TopicPartition,
  head: BlockHeader | null,
  commit: GroupCommit,
  { log }: Pick<PipelinePorts, 'log'>,
): Promise<Standing> {
  const range = await rangeOf(at, log);
  return settle(at, judgeJournal(at, head, commit, range), log, range);
}

/** The head of a journal; null when there is no block. */
export function newestOf(headers: readonly BlockHeader[]): BlockHeader | null {
  return headers.reduce<BlockHeader | null>((head, each) => (head === null || each.seq > head.seq ? each : head), null);
}

/** The first seq that the ring below its newest block should hold and does not; null when it is whole. */
function missingSeq(headers: readonly BlockHeader[]): number | null {
  const seqs = new Set(headers.map((header) => header.seq));
  const head = newestOf(headers)?.seq ?? -1;
  for (let seq = Math.max(0, head - RING_SLOTS + 1); seq < head; seq++) if (!seqs.has(seq)) return seq;
  return null;
}

async function readBlocks(partition: OwnedPartition, from: number, to: number, ports: PipelinePorts): Promise<Block[]> {
  const journal = ports.store.journal(storeName(partition.processor));
  const blocks: Block[] = [];
  for (let first = Math.max(0, from); first <= to; first += BLOCKS_PER_READ) {
    blocks.push(...(await journal.blocks(partition.at, first, Math.min(first + BLOCKS_PER_READ - 1, to))));
  }
  return blocks;
}

function restoreHead(partition: OwnedPartition, head: Block | undefined): void {
  if (head?.seq !== partition.head) {
    throw new PipelineError('store_unavailable', 'the head of the journal moved while it was read', {
      retriable: true,
    });
  }
  partition.sources = new Map(head.sources);
  if (head.totals.length > 0) partition.totals = partition.processor.totals.unpack(new ByteReader(head.totals));
}

/** The slot the claim will overwrite may still hold a block that is not stored or not published: that comes first. */
async function vacateNextSlot(
  partition: OwnedPartition,
  blocks: readonly Block[],
  ports: PipelinePorts,
): Promise<void> {
  const seq = partition.head + 1 - RING_SLOTS;
  if (seq < 0 || seq <= Math.min(partition.flushedTo, partition.emittedTo)) return;
  const block = blocks.find((each) => each.seq === seq) ?? (await readBlocks(partition, seq, seq, ports))[0];
  if (block === undefined)
    throw new PipelineError('store_unavailable', `block ${seq} moved while it was read`, { retriable: true });
  if (seq > partition.flushedTo) {
    await storeStates(partition, block, ports);
    partition.flushedTo = seq;
    partition.unflushedBytes.delete(seq);
  }
  if (seq > partition.emittedTo) await publish(partition, seq, unpackOutputs(block.outputs), ports, block.epoch);
}

async function storeStates(partition: OwnedPartition, block: Block, ports: PipelinePorts): Promise<void> {
  const { processor, at } = partition;
  const reader = new ByteReader(Buffer.alloc(0));
  const writes = [...unpackStates(block.states)].map(({ key, due, state }) => {
    return {
      key,
      partition: at.partition,
      seq: block.seq,
      state,
      due,
      summary: processor.state.summarize(reader.reset(state)),
    };
  });
  const stored = await ports.store.documents(storeName(processor)).store(writes);
  if (stored.includes(false) || stored.length < writes.length) {
    throw new PipelineError('store_unavailable', `block ${block.seq} could not be stored`, { retriable: true });
  }
}

/** An empty block with the advanced marks. Answers false when a rival was faster. */
async function writeClaim(partition: OwnedPartition, ports: PipelinePorts): Promise<boolean> {
  const { processor, at, epoch, next, last, flushedTo, emittedTo } = partition;
  const totals = new ByteWriter(64);
  processor.totals.pack(partition.totals, totals);
  const block: Block = {
    seq: partition.head + 1,
    nonce: randomUUID(),
    epoch,
    next,
    flushedTo,
    emittedTo,
    last,
    sources: new Map(partition.sources),
    totals: totals.copy(),
    ledger: packLedger(partition, partition.head + 1),
    states: NO_BYTES,
    outputs: NO_BYTES,
  };
  try {
    await ports.store.journal(storeName(processor)).write(at, block);
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'ownership_lost') return false;
    throw error;
  }
  partition.head = block.seq;
  partition.cacheNonce = block.nonce;
  return true;
}

/** Brings a block's states back as dirty keys: a later block's replaces an earlier one's. */
function restoreStates(partition: OwnedPartition, block: Block): void {
  let any = false;
  for (const { key, due, state } of unpackStates(block.states)) {
    const before = partition.cache.get(key);
    const cached = cacheState(partition, { key, seq: block.seq, state, due });
    if (before !== undefined) {
      // The dirty entry must be the object that the cache holds, dirty since the earlier block.
      cached.unstoredFrom = before.unstoredFrom;
      cached.dirtySince = before.dirtySince;
      partition.dirty.set(key, cached);
    }
    markDirty(partition, cached, block.seq, state);
    any = true;
  }
  if (any) partition.unflushedBytes.set(block.seq, block.states.length);
}

/** In order, before any batch: the outputs of every block that is not known to be acknowledged. */
async function publishAgain(partition: OwnedPartition, blocks: readonly Block[], ports: PipelinePorts): Promise<void> {
  for (const block of blocks) {
    if (block.seq <= partition.emittedTo) continue;
    const count = await publish(partition, block.seq, unpackOutputs(block.outputs), ports, block.epoch);
    ports.meter.republished(partition.processor.name, count);
  }
  partition.emittedTo = partition.head;
}
