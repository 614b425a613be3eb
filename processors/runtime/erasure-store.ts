import type { Instant } from '../core/processor.ts';
import type { TopicPartition } from './ports.ts';

/** Who ordered an erasure and what came of it. Whom it is about stands in no receipt, only what a key makes of it. */
export interface ErasureReceipt {
  readonly id: string;
  readonly brandId: string;
  /** Of each identifier a keyed hash. */
  readonly subjects: readonly string[];
  readonly orderedAt: Instant;
  readonly by: string;
  readonly note: string;
  /** null: ordered, and not seen to be carried out. */
  readonly finishedAt: Instant | null;
  /** What was taken away or marked, by place. */
  readonly counts: Readonly<Record<string, number>>;
}

/** What a journal block holds of single customers. */
export interface BlockBodies {
  /** Packed: runtime/block.ts. */
  readonly states: Buffer;
  readonly outputs: Buffer;
}

export interface StoredBlock extends BlockBodies {
  readonly at: TopicPartition;
  readonly seq: number;
  readonly nonce: string;
}

/**
 * What the commands about erasures need of the database beside what processors do. Every method rejects with a PipelineError
 * when the store does not answer.
 */
export interface ErasureStore {
  /** The key of every document of a processor that begins with `prefix`, in order. */
  keys(processor: string, prefix: string): AsyncIterable<string>;
  /** The blocks of a processor's journal, of one partition or of all, in no order. Majority read. */
  blocks(processor: string, at: TopicPartition | null): AsyncIterable<StoredBlock>;
  /** Replaces what a block holds; false when its slot was given to another block meanwhile. */
  rewrite(processor: string, block: StoredBlock, bodies: BlockBodies): Promise<boolean>;
  /** Writes a receipt, or its later state. */
  keep(receipt: ErasureReceipt): Promise<void>;
  /** The receipts in which a hash stands. */
  receipts(brandId: string, subject: string): Promise<ErasureReceipt[]>;
  close(): Promise<void>;
}
