import type { AnyStateful, Instant } from '../core/processor.ts';
import { DueHeap } from './due-heap.ts';
import type { RecordMark } from './input-marks.ts';
import { Lag } from './lag.ts';
import type { Position, TopicPartition } from './ports.ts';
import { FIRST_EPOCH } from './position.ts';
import { newBackfill, type Backfill } from './revisions.ts';

/**
 * A key as this process knows it. `state` is the live value, which a batch in hand may be changing; `packed` is the last
 * durable form (in the journal or read from its document), and the only one a flush may write.
 */
export interface CachedKey {
  readonly key: string;
  state: unknown;
  due: Instant;
  /** Only while dirty: a view into its block's bytes, which it keeps alive. */
  packed: Buffer;
  packedBytes: number;
  packedDue: Instant;
  /** The seq of the block or document that `packed` comes from; −1 for a key never stored. */
  seq: number;
  /** While dirty: the oldest block whose change to this key is not known to be stored. */
  unstoredFrom: number;
  /** While dirty: when it became so, in elapsed ms. */
  dirtySince: number;
  /** No document of it is known to exist. */
  isNew: boolean;
  /** It was changed since eviction last passed it by. */
  isFresh: boolean;
}

/**
 * What one process knows of a partition it owns. All of it is a copy of what the journal and the documents hold, and is
 * forgotten whole whenever a block could not be written: `cacheNonce` names the block whose working copies it holds.
 */
export interface OwnedPartition {
  readonly at: TopicPartition;
  readonly processor: AnyStateful;
  /** As of the newest block: part of the source of what is published. */
  epoch: number;
  /** Seq of the newest block; −1 before the first. */
  head: number;
  cacheNonce: string;
  /** The first input offset not folded yet. */
  next: number;
  /** The last record folded in this epoch, as far as it is known. */
  last: RecordMark | null;
  flushedTo: number;
  emittedTo: number;
  /** More records waited when the last batch was fetched. */
  isBehind: boolean;
  /** A sweep under way: keys due up to here are not evicted. */
  keepDueUntil: Instant;
  /** In live time: up to when every deadline is applied. */
  sweptTo: Instant | null;
  /** How far what is stored under other definitions was evaluated anew. */
  backfill: Backfill;
  /** True until a take-over has succeeded, and again after every failure. */
  mustTakeOver: boolean;
  sources: Map<string, Position>;
  totals: unknown;
  /** The newest block that published the ledger, and when that was in elapsed ms. */
  ledgerSentSeq: number;
  ledgerSentMs: number;
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
  readonly lag: Lag;
}

export function ownPartition(processor: AnyStateful, at: TopicPartition): OwnedPartition {
  return {
    at,
    processor,
    epoch: FIRST_EPOCH,
    head: -1,
    cacheNonce: '',
    next: 0,
    last: null,
    flushedTo: -1,
    emittedTo: -1,
    sweptTo: null,
    backfill: newBackfill(),
    isBehind: false,
    keepDueUntil: Number.NEGATIVE_INFINITY,
    mustTakeOver: true,
    sources: new Map(),
    totals: processor.totals.initial(),
    ledgerSentSeq: -1,
    ledgerSentMs: Number.NEGATIVE_INFINITY,
    cache: new Map(),
    dirty: new Map(),
    dirtyBySeq: new Map(),
    unflushedBytes: new Map(),
    flushing: null,
    dueHeap: new DueHeap(),
    lag: new Lag(),
  };
}

/** Drops every cached state. The dirty keys are in the journal, from where a take-over brings them back. */
export function forget(partition: OwnedPartition): void {
  partition.cacheNonce = '';
  partition.mustTakeOver = true;
  partition.isBehind = false;
  partition.backfill = newBackfill();
  partition.keepDueUntil = Number.NEGATIVE_INFINITY;
  partition.sources = new Map();
  partition.totals = partition.processor.totals.initial();
  partition.ledgerSentSeq = -1;
  partition.ledgerSentMs = Number.NEGATIVE_INFINITY;
  partition.cache = new Map();
  // New maps, so that a flush still in flight cannot mark keys of the next ownership as stored.
  partition.dirty = new Map();
  partition.dirtyBySeq = new Map();
  partition.unflushedBytes = new Map();
  partition.dueHeap.clear();
}
