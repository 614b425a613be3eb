import { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { NO_BYTES } from './cached-keys.ts';
import type { Draft, Fold } from './fold.ts';
import type { OwnedPartition } from './owned-partition.ts';
import { storeName, type PipelinePorts } from './pipeline-ports.ts';
import { elapsedMs } from './stopwatch.ts';

/** In live time a ledger is published with the first block so long after the last one that published it. */
const SEND_EVERY_MS = 1_000;
/** In record time, where a second of records may be a year, with every so manieth block. */
const SEND_EVERY_BLOCKS = 64;

// One for the process: a ledger is packed without awaiting.
const BYTES = new ByteWriter(1 << 12);

/** What block `seq` says of the ledger. From here on the block must be written, or the partition taken over. */
export function packLedger(partition: OwnedPartition, seq: number): Buffer {
  const { ledger } = partition.processor.totals;
  if (ledger === undefined) return NO_BYTES;
  BYTES.reset();
  ledger.pack(partition.totals, seq, BYTES);
  return BYTES.length === 0 ? NO_BYTES : BYTES.copy();
}

/** Adds the ledger to the restored totals of the head. Answers false when the journal moved while it was read. */
export async function restoreLedger(partition: OwnedPartition, { store }: PipelinePorts): Promise<boolean> {
  const { at, head, processor, totals } = partition;
  const { ledger } = processor.totals;
  if (ledger === undefined) return true;
  const from = Math.max(0, head - ledger.blocks + 1);
  const blocks = await store.journal(storeName(processor)).ledgers(at, from, head);
  if (blocks.length !== head - from + 1) return false;
  const reader = new ByteReader(NO_BYTES);
  for (const block of blocks) if (block.ledger.length > 0) ledger.unpack(totals, reader.reset(block.ledger));
  return true;
}

/** Whether a block of a batch should publish the ledger, too. */
export function mustPublishInBlock(partition: OwnedPartition, time: PipelinePorts['time']): boolean {
  const { ledger } = partition.processor.totals;
  if (ledger === undefined || ledger.nextDue(partition.totals) > Number.NEGATIVE_INFINITY) return false;
  if (time !== 'live') return partition.head + 1 - partition.ledgerSentSeq >= SEND_EVERY_BLOCKS;
  return elapsedMs() - partition.ledgerSentMs >= SEND_EVERY_MS;
}

/** Whether a sweep should: it lets time pass up to `until`, and in record time it is the end. */
export function mustPublishInSweep(partition: OwnedPartition, until: Instant, time: PipelinePorts['time']): boolean {
  const { ledger } = partition.processor.totals;
  if (ledger === undefined || ledger.nextDue(partition.totals) > until) return false;
  return time !== 'live' || elapsedMs() - partition.ledgerSentMs >= SEND_EVERY_MS;
}

/** Adds what the ledger publishes as of `now` to the draft of the next block. */
export function publishLedger(partition: OwnedPartition, fold: Fold, draft: Draft, now: Instant): void {
  fold.ledger(now, draft);
  partition.ledgerSentSeq = partition.head + 1;
  partition.ledgerSentMs = elapsedMs();
}
