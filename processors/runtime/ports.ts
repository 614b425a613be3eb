import type { PipelineError } from '../core/errors.ts';
import type { ByteWriter } from '../core/packing.ts';
import type { Instant, ReadFields, Summary } from '../core/processor.ts';
import type { Generations } from './definition-generations.ts';
import type { FoldMarks } from './fold-marks.ts';
import type { InputMarks, StoredMark } from './input-marks.ts';

/**
 * What the runtime needs of the world. Topics are named as in the catalog, without prefix; adapters add it. Every method
 * that talks to a service rejects with a PipelineError (core/errors.ts) whose `retriable` tells whether waiting helps.
 */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export type HeaderValue = Buffer | string | (Buffer | string)[] | undefined;

// --- the log ---

export interface LogRecord {
  readonly offset: number;
  readonly timestamp: Instant;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, HeaderValue>>;
}

export interface LogBatch extends TopicPartition {
  /** None when the broker filtered all of them out: `next` is behind them. */
  readonly records: readonly LogRecord[];
  /** The offset after the last one of the batch, records that the broker filtered out included. */
  readonly next: number;
  /** The offset after the last record of the partition when the batch was fetched. */
  readonly logEnd: number;
}

export interface OutgoingRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: Instant;
  readonly headers: Readonly<Record<string, Buffer | string>>;
}

export interface OffsetRange {
  readonly partition: number;
  /** The first offset still kept. */
  readonly start: number;
  /** The offset the next record will get. */
  readonly end: number;
}

export interface CommittedOffset {
  readonly partition: number;
  /** null: the group never committed here. */
  readonly offset: number | null;
  readonly metadata: string;
}

/** What a member of a group does with what it is given. Calls for one partition never overlap. */
export interface GroupHandler {
  /**
   * After each join of the group, with everything this member owns now, whether or not it owned it before. Never before
   * `join` has resolved; what is sought or paused in here holds from the first batch on. A pause outlives assignments.
   */
  assigned(partitions: readonly TopicPartition[]): void;
  /** Every partition may be lost from here on: a rebalance began or the member was evicted. */
  revoked(): void;
  /**
   * `done`: the batch is behind us. `again`: fetch the same records again (after a seek: those of the new place), after a
   * short rest unless the partition was sought or paused.
   * `heartbeat` must be called at every await of more than a moment; it rejects with `rebalancing` when the batch must be
   * given up. A rejection of `onBatch` itself is a crash.
   */
  onBatch(batch: LogBatch, heartbeat: () => Promise<void>): Promise<'done' | 'again'>;
  /** What comes next of the partition cannot be read. It is fetched again after a short rest, unless the partition was paused. */
  unreadable(at: TopicPartition, why: PipelineError): void;
  /** The member is dead and will not come back by itself. */
  crashed(error: Error): void;
}

export interface Membership {
  commit(at: TopicPartition, offset: number, metadata: string): Promise<void>;
  /** The next batch of this partition starts at `offset`. */
  seek(at: TopicPartition, offset: number): void;
  pause(at: TopicPartition): void;
  resume(at: TopicPartition): void;
  /** Waits for the batch in hand, then leaves the group. Harmless when repeated. */
  leave(): Promise<void>;
}

export interface EventLog {
  /** Joins `group`. A group without a commit starts at the beginning of each partition. */
  join(group: string, topics: readonly string[], handler: GroupHandler): Promise<Membership>;
  /** Every partition's first and next offset. Rejects with `log_unavailable`, not retriable, for a topic that does not exist. */
  ranges(topic: string): Promise<OffsetRange[]>;
  /** For each partition the first offset whose record is at or after `time`; the end when there is none. */
  offsetsAt(topic: string, time: Instant): Promise<{ partition: number; offset: number }[]>;
  committed(group: string, topic: string): Promise<CommittedOffset[]>;
  /** How many members the group has now. */
  members(group: string): Promise<number>;
  /**
   * Deletes what lies below each offset, for good: resolves once the partitions begin there. Harmless for what is gone
   * already; rejects, not retriable, for an offset beyond the end.
   */
  deleteBefore(topic: string, offsets: readonly { partition: number; offset: number }[]): Promise<void>;
  close(): Promise<void>;
}

export interface Emitter {
  /**
   * Sends in order and resolves once all replicas in sync have acknowledged every record. A record goes to the partition
   * that the Java client's default partitioner (murmur2 of the key) would choose. After a rejection any prefix, and any part
   * of the slice in flight, may have arrived or may arrive later; the producer that failed is never used again.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Values as bytes: Confluent frame and Avro (schemas/codec.ts). */
export interface Codec {
  /** Asks the registry for every writer schema of these values that is not known yet. Rejects with `registry_unavailable`. */
  learn(topic: string, values: readonly (Buffer | null)[]): Promise<void>;
  /** Synchronous and total; only for values that were learnt. `fields`: nothing is made of the others. */
  decode(topic: string, value: Buffer, fields?: ReadFields): object | 'undecodable' | 'unknown_schema';
  /** A value that does not fit its schema is a bug and throws. */
  encode(topic: string, value: object): Buffer;
  /**
   * The same behind what is in `writer`. A part of the value that is the very record that `origin` was decoded to, which
   * nobody may have changed, may be written as the bytes that it came as.
   */
  encodeInto(topic: string, value: object, writer: ByteWriter, origin: DecodedValue | null): void;
}

/** What a value of a topic was decoded to, whole, and its bytes. */
export interface DecodedValue {
  readonly topic: string;
  readonly value: object;
  readonly bytes: Buffer;
}

// --- the store ---

/** The place of a record among those of one source: `n` the journal seq (input offset for a stateless processor). */
export interface Position {
  readonly n: number;
  readonly index: number;
}

/** Up to where the input is folded into this block and earlier ones. */
export interface BlockHeader extends StoredMark {
  readonly seq: number;
  /** Fresh for each write: tells whose block it is when the answer to the write was lost. */
  readonly nonce: string;
  /** Every key of the blocks up to here is stored as a document. */
  readonly flushedTo: number;
  /** The outputs of the blocks up to here are acknowledged. */
  readonly emittedTo: number;
}

export interface Block extends BlockHeader {
  /** The last position folded of each upstream source. */
  readonly sources: ReadonlyMap<string, Position>;
  readonly totals: Buffer;
  /** What it says of the ledger (core/processor.ts). */
  readonly ledger: Buffer;
  /** Packed states and outputs: runtime/block.ts. */
  readonly states: Buffer;
  readonly outputs: Buffer;
}
export type BlockLedger = Pick<Block, 'seq' | 'ledger'>;

/** How many blocks a partition's ring holds: slot = seq mod RING_SLOTS. */
export const RING_SLOTS = 256;

/** The journal of one processor. */
export interface Journal {
  /** The headers of every occupied slot, in no order. Majority read. */
  headers(at: TopicPartition): Promise<BlockHeader[]>;
  /** The whole blocks with `from` ≤ seq ≤ `to`, in order of seq; absent ones are left out. Majority read. */
  blocks(at: TopicPartition, from: number, to: number): Promise<Block[]>;
  /** The ledgers alone of the blocks with `from` ≤ seq ≤ `to`, in order of seq; absent blocks are left out. Majority read. */
  ledgers(at: TopicPartition, from: number, to: number): Promise<BlockLedger[]>;
  /**
   * Compare-and-set: an insert into a slot never used (seq < RING_SLOTS), else an overwrite of exactly seq − RING_SLOTS.
   * Majority, journaled. An unknown result is settled inside by writing again and looking whose nonce the slot holds.
   * Rejects with `ownership_lost` when somebody else's block is there, `store_unavailable` when it cannot be settled.
   */
  write(at: TopicPartition, block: Block): Promise<void>;
}

export interface StoredState {
  readonly key: string;
  readonly seq: number;
  readonly state: Buffer;
  /** The key's next deadline; NEVER when none. */
  readonly due: Instant;
}

export interface DocumentWrite extends StoredState {
  readonly partition: number;
  readonly summary: Summary;
  /** A hint, which may be wrong: no document of this key is known to exist. */
  readonly isNew?: boolean;
}

/** Where a page of due keys ended. */
export interface DueCursor {
  readonly due: Instant;
  readonly key: string;
}

/** A state, and what its document says of the definitions it was last evaluated under; null: it says nothing. */
export interface RevisedState extends StoredState {
  readonly revision: number | null;
}

/** Where a page of documents of other revisions ended. */
export interface RevisionCursor {
  readonly revision: number | null;
  readonly key: string;
}

/** The documents of one processor. Reads are majority reads that see every acknowledged write of this process, journal included. */
export interface Documents {
  load(keys: readonly string[]): Promise<StoredState[]>;
  /** Up to `limit` documents of the partition with due ≤ `until` and beyond `after`, ordered by (due, key). */
  due(partition: number, until: Instant, after: DueCursor | null, limit: number): Promise<StoredState[]>;
  /**
   * Up to `limit` documents of the partition of another revision than `current` (`summary.revision`), those of none included and
   * those of revision 0 not, and beyond `after`: ordered by (revision, key), those of none first.
   */
  outdated(partition: number, current: number, after: RevisionCursor | null, limit: number): Promise<RevisedState[]>;
  /** How many there are. */
  countOutdated(partition: number, current: number): Promise<number>;
  /**
   * Replaces each document whose stored seq is lower, inserting where there is none; majority. Answers for each write whether
   * that state or a newer one is now stored; a `false` must be tried again. Never rejects for a single write's sake;
   * rejects, not retriable, when the store refuses this process for good: a role it lacks, a request that never works.
   */
  store(writes: readonly DocumentWrite[]): Promise<boolean[]>;
}

/** What the processors keep. */
export interface Store {
  journal(processor: string): Journal;
  documents(processor: string): Documents;
  /** How far a processor without a journal is. */
  inputMarks(processor: string): InputMarks;
  /** Which definitions came into use, and are active. */
  readonly generations: Generations;
  /** Where each group stood, for the purge. */
  readonly marks: FoldMarks;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

// --- the rest ---

export interface Clock {
  now(): Instant;
}

export interface Log {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
  /** A logger that adds `fields` to every line. */
  child(fields: object): Log;
}
