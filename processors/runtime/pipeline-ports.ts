import type { OwnedPartition } from './owned-partition.ts';
import type { Meter } from './meter.ts';
import type { Clock, Codec, Emitter, EventLog, Log, Store } from './ports.ts';
import type { Refusals } from './refusals.ts';

/** The bounds of one process. Bytes, counts, milliseconds. */
export interface Limits {
  /** A block's binaries together; a batch that would make more is split. */
  readonly blockBytesMax: number;
  /** The states of one partition that are in the journal only. */
  readonly ringBytesMax: number;
  /** Over all partitions of the process: keys that are in the journal only, their bytes, and the age of the oldest. */
  readonly dirtyDocumentsMax: number;
  readonly dirtyBytesMax: number;
  readonly dirtyMsMax: number;
  /** Unpacked keys kept over all partitions of the process. */
  readonly cachedKeysMax: number;
}

/** What the runtime needs to know of the catalog of topics. */
export interface TopicDirectory {
  /** The groups that write a topic: only their positions count as positions. */
  writers(topic: string): readonly string[];
  /** Where a group sends what it must refuse of a topic. */
  deadLetterTopic(topic: string, group: string): string;
  /** The groups behind which a topic is purged, every one of them; empty: nothing but its retention deletes from it. */
  purgedBehind(topic: string): readonly string[];
}

/** Everything a processor runs on, handed down from the composition root. */
export interface PipelinePorts {
  readonly log: EventLog;
  readonly emitter: Emitter;
  readonly store: Store;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly logger: Log;
  readonly topics: TopicDirectory;
  readonly limits: Limits;
  /** Every stateful partition this process owns: the bounds above are over all of them. */
  readonly owned: Set<OwnedPartition>;
  /** As in PipelineOptions; absent: `record`. Tells how often a ledger is published. */
  readonly time?: 'live' | 'record';
  /** Rejects, retriable, while a partition must not be taken over by this process. Asked before and after each claim. */
  readonly mayOwn?: () => Promise<void>;
  /** Judges each batch before it is written; absent or null: any number of records may be refused. */
  readonly refusals?: Refusals | null;
}

/** The consumer group of a processor, without prefix. */
export function groupName(processor: { readonly name: string; readonly version: number }): string {
  return `kizuna.${processor.name}.v${processor.version}`;
}

/** What names a processor's collections: `customer.v1`. */
export function storeName(processor: { readonly name: string; readonly version: number }): string {
  return `${processor.name}.v${processor.version}`;
}
