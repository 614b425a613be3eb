import type { ErrorCode } from '../core/errors.ts';
import type { Reason } from '../core/reasons.ts';
import type { TopicPartition } from './ports.ts';

/** The verbs that runtime/metrics.ts turns into Prometheus metrics; tests record them. Seconds and counts. */
export interface Meter {
  consumed(processor: string, records: number): void;
  outcome(
    processor: string,
    outcome: 'applied' | 'skipped' | 'rejected' | 'replayed',
    reason: Reason | '',
    records: number,
  ): void;
  published(processor: string, topic: string, records: number): void;
  /** Outputs sent again at a take-over. */
  republished(processor: string, records: number): void;
  deadLetter(topic: string, reason: string, records: number): void;
  /** `pipeline`: now − record timestamp, `end_to_end`: now − occurredAt, of the newest record of a batch. */
  latency(processor: string, kind: 'pipeline' | 'end_to_end', seconds: number): void;
  stage(
    processor: string,
    stage: 'decode' | 'load' | 'fold' | 'journal' | 'emit' | 'commit' | 'sweep' | 'flush' | 'takeover',
    seconds: number,
  ): void;
  batchRecords(processor: string, records: number): void;
  store(operation: string, seconds: number): void;
  blockBytes(processor: string, bytes: number): void;
  takeover(reason: 'joined' | 'ownership_lost' | 'store_error' | 'producer_error'): void;
  rebalance(): void;
  /** Sets the gauges of one owned partition; `null` forgets them (partition given up). */
  partition(processor: string, at: TopicPartition, gauges: PartitionGauges | null): void;
  /** The partitions that the deadlines of a processor wait for no longer. */
  passedBy(processor: string, partitions: readonly TopicPartition[]): void;
  dirtyDocuments(processor: string, documents: number, oldestSeconds: number): void;
  /** States that were evaluated anew, because the definitions are others. */
  backfilled(processor: string, documents: number): void;
  /** How many more of the owned partitions are to be. */
  backfillLeft(processor: string, documents: number): void;
  /** Records deleted from an internal topic. */
  purged(topic: string, records: number): void;
  /** What a purge left of an internal topic on the owned partitions: folded records, and how late the oldest of them is. */
  purgeLeft(topic: string, records: number, lateSeconds: number): void;
  /** A request to the API was answered; `route` as openapi.json writes it, or `none`. */
  apiRequest(route: string, status: number, seconds: number): void;
  /** The process folds nothing any more and will end: why. */
  stopped(code: ErrorCode): void;
}

export interface PartitionGauges {
  readonly lagRecords: number;
  /** Age of the oldest record not yet folded; 0 when caught up. */
  readonly lagSeconds: number;
  /** How late the oldest deadline is; 0 when none is. */
  readonly dueOldestSeconds: number;
  /** What the processor's totals say: name, labels, value; added up over the partitions this process owns. */
  readonly totals: Iterable<{
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }>;
}
