import type { Instant } from '../core/processor.ts';
import type { TopicPartition } from './ports.ts';

/** How far one input partition is folded. */
export interface InputMark {
  /** Raised whenever a loss was accepted; part of the source of every position. */
  readonly epoch: number;
  /** The first input offset that is not folded. */
  readonly next: number;
}

/** Tells the record at an offset from another log's. */
export interface RecordMark {
  readonly offset: number;
  readonly timestamp: Instant;
  /** CRC-32 of key and value. */
  readonly crc: number;
}

/** What is remembered of an input partition: by itself, or in the journal of a processor that keeps one. */
export interface StoredMark extends InputMark {
  /** The last record folded in this epoch; null: none was, or it is not known. Without a journal it is there only once the group has committed. */
  readonly last: RecordMark | null;
}

/** How far a stateless processor is in each input partition. Rejects with a PipelineError when the store does not answer. */
export interface InputMarks {
  /** A majority read that sees every acknowledged write of this process. */
  read(at: TopicPartition): Promise<StoredMark | null>;
  /**
   * Writes each mark unless one of a later epoch, or as far in the same epoch, is stored: so it needs no ownership and may be
   * repeated by anybody. Majority.
   */
  raise(marks: readonly (TopicPartition & StoredMark)[]): Promise<void>;
}
