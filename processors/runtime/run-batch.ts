import { findKeys, Fold, newDraft, type Draft, type FoundKey } from './fold.ts';
import { cacheState } from './cached-keys.ts';
import type { StoredMark } from './input-marks.ts';
import { refuseGap } from './input-range.ts';
import { mustPublishInBlock, publishLedger } from './ledger.ts';
import type { OwnedPartition } from './owned-partition.ts';
import { storeName, type PipelinePorts } from './pipeline-ports.ts';
import type { LogBatch, LogRecord } from './ports.ts';
import { recordMark } from './same-log.ts';
import { reportLatency, reportOutcomes } from './report.ts';
import { stopwatch } from './stopwatch.ts';
import { Tally } from './tally.ts';
import { awaitRoom, publish, withinBlock, writeBlock, type Heartbeat } from './write-block.ts';

/** How many keys are read with one query. */
const LOAD_KEYS_MAX = 5_000;

/**
 * Folds one batch of a stateful processor's partition into blocks, usually one. The caller holds the partition alone, has
 * taken it over, and commits afterwards. Records below `next` are `replayed`; so is every record of a batch that is
 * delivered again after its block became durable.
 */
export async function runBatch(
  partition: OwnedPartition,
  batch: LogBatch,
  ports: PipelinePorts,
  heartbeat: Heartbeat,
): Promise<void> {
  partition.isBehind = batch.next < batch.logEnd;
  if (batch.next <= partition.next) return reportReplayed(partition, batch, ports);
  await refuseGap(batch, partition.next, ports.log);
  const { processor, at } = partition;
  const decoded = stopwatch();
  await ports.codec.learn(at.topic, valuesOf(batch.records));
  ports.meter.stage(processor.name, 'decode', decoded());

  const fold = new Fold(partition, ports);
  const keys = new Array<FoundKey | undefined>(batch.records.length).fill(undefined);
  let from = 0;
  let newest: object | null = null;
  do {
    await heartbeat();
    await awaitRoom(partition, ports, heartbeat);
    await loadKeys(partition, findKeys(partition, batch.records, from, keys), ports);
    await withinBlock(partition, async (nonce) => {
      const draft = newDraft();
      const folded = stopwatch();
      const to = foldUntilFull(fold, batch.records, keys, from, draft, ports.limits.blockBytesMax);
      if (mustPublishInBlock(partition, ports.time)) publishLedger(partition, fold, draft, draft.now);
      ports.meter.stage(processor.name, 'fold', folded());
      ports.refusals?.guard(processor.name, draft.tally);
      const seq = await writeBlock(partition, draft, markBehind(partition, batch, to), nonce, ports);
      // The block is durable: its records are counted now, for if publishing fails they come again as replayed.
      ports.refusals?.count(processor.name, draft.tally);
      reportOutcomes(processor, at.topic, to - from, draft.tally, ports);
      await publish(partition, seq, draft.outputs, ports);
      newest = draft.newest ?? newest;
      from = to;
    });
  } while (from < batch.records.length);

  ports.meter.batchRecords(processor.name, batch.records.length);
  reportLatency(processor, batch.records.at(-1), newest, ports);
}

/** Up to where the input is folded with the records of the batch before the one at `to`. */
function markBehind({ next, last }: OwnedPartition, batch: LogBatch, to: number): Pick<StoredMark, 'next' | 'last'> {
  const newest = batch.records[to - 1];
  const isNew = newest !== undefined && newest.offset >= next;
  return {
    next: Math.max(next, batch.records[to]?.offset ?? batch.next),
    last: isNew ? recordMark(newest) : last,
  };
}

/** A batch that is folded already, as after a take-over: nothing of it moves, so no block is written for it. */
function reportReplayed(partition: OwnedPartition, { topic, records }: LogBatch, ports: PipelinePorts): void {
  const tally = new Tally();
  tally.replayed = records.length;
  reportOutcomes(partition.processor, topic, records.length, tally, ports);
}

function valuesOf(records: readonly LogRecord[]): (Buffer | null)[] {
  return records.map((record) => record.value);
}

/** Folds records from `from` on until the block is full; answers the index of the first one left. */
function foldUntilFull(
  fold: Fold,
  records: readonly LogRecord[],
  keys: readonly (FoundKey | undefined)[],
  from: number,
  draft: Draft,
  bytesMax: number,
): number {
  for (let index = from; index < records.length; index++) {
    const record = records[index];
    if (record === undefined) break;
    if (index > from && draft.bytes >= bytesMax) return index;
    fold.record(record, keys[index], draft);
  }
  return records.length;
}

async function loadKeys(partition: OwnedPartition, missing: readonly string[], ports: PipelinePorts): Promise<void> {
  if (missing.length === 0) return;
  const loaded = stopwatch();
  const documents = ports.store.documents(storeName(partition.processor));
  for (let from = 0; from < missing.length; from += LOAD_KEYS_MAX) {
    for (const stored of await documents.load(missing.slice(from, from + LOAD_KEYS_MAX))) cacheState(partition, stored);
  }
  ports.meter.stage(partition.processor.name, 'load', loaded());
}
