import type { PipelinePorts } from '../../processors/runtime/pipeline-ports.ts';
import type { Meter } from '../../processors/runtime/meter.ts';
import type {
  Clock,
  CommittedOffset,
  Emitter,
  EventLog,
  GroupHandler,
  Log,
  LogRecord,
  Membership,
  OffsetRange,
  OutgoingRecord,
} from '../../processors/runtime/ports.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { jsonCodec } from './counting-processor.ts';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};

/** A meter that only remembers how many records had which outcome. */
export class RecordingMeter implements Meter {
  consumedRecords = 0;
  backfilledDocuments = 0;
  backfillLeftDocuments = 0;
  readonly outcomes = new Map<string, number>();
  readonly dead: string[] = [];

  consumed(_processor: string, records: number): void {
    this.consumedRecords += records;
  }
  outcome(_processor: string, outcome: string, reason: string, records: number): void {
    const name = reason === '' ? outcome : `${outcome}.${reason}`;
    this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + records);
  }
  deadLetter(topic: string, reason: string, records: number): void {
    for (let left = records; left > 0; left--) this.dead.push(`${topic}:${reason}`);
  }
  published(): void {}
  republished(): void {}
  latency(): void {}
  stage(): void {}
  batchRecords(): void {}
  store(): void {}
  blockBytes(): void {}
  takeover(): void {}
  rebalance(): void {}
  partition(): void {}
  passedBy(): void {}
  dirtyDocuments(): void {}
  backfilled(_processor: string, documents: number): void {
    this.backfilledDocuments += documents;
  }
  backfillLeft(_processor: string, documents: number): void {
    this.backfillLeftDocuments = documents;
  }
  purged(): void {}
  purgeLeft(): void {}
  apiRequest(): void {}
  stopped(): void {}

  /** Every record counted by an outcome. */
  get counted(): number {
    return [...this.outcomes.values()].reduce((sum, count) => sum + count, 0);
  }
}

/**
 * One partition's records, and the broker's memory of the group's commit. A group gets what it seeks, once: the rest of what
 * groups do is left to the contract tests of the log.
 */
export class FixedLog implements EventLog {
  readonly records: LogRecord[] = [];
  start = 0;
  commit: CommittedOffset = { partition: 0, offset: null, metadata: '' };

  async join(_group: string, [topic = '']: readonly string[], handler: GroupHandler): Promise<Membership> {
    const at = { topic, partition: 0 };
    let from = this.start;
    setImmediate(() => {
      handler.assigned([at]);
      const records = this.records.filter(({ offset }) => offset >= from);
      const end = this.records.length;
      void handler.onBatch({ ...at, records, next: end, logEnd: end }, async () => undefined);
    });
    return {
      seek: (_at, offset) => {
        from = offset;
      },
      commit: async () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      leave: async () => undefined,
    };
  }
  async ranges(): Promise<OffsetRange[]> {
    return [{ partition: 0, start: this.start, end: this.records.length }];
  }
  async offsetsAt(): Promise<{ partition: number; offset: number }[]> {
    return [{ partition: 0, offset: this.records.length }];
  }
  async committed(): Promise<CommittedOffset[]> {
    return [this.commit];
  }
  async members(): Promise<number> {
    return 1;
  }
  deleteBefore(): never {
    throw new Error('this log is never purged');
  }
  async close(): Promise<void> {}
}

export class CollectingEmitter implements Emitter {
  readonly sent: OutgoingRecord[] = [];
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    for (const record of records) this.sent.push({ ...record, headers: { ...record.headers } });
  }
  async close(): Promise<void> {}
}

export const LIMITS = {
  blockBytesMax: 8_000_000,
  ringBytesMax: 64 << 20,
  dirtyDocumentsMax: 300_000,
  dirtyBytesMax: 256 << 20,
  dirtyMsMax: 60_000,
  cachedKeysMax: 300_000,
};

/** Ports in memory, each of which a test may replace. */
export function memoryPorts(replaced: Partial<PipelinePorts> = {}): PipelinePorts {
  const clock: Clock = { now: () => 1_000_000 };
  return {
    log: new FixedLog(),
    emitter: new CollectingEmitter(),
    store: createMemoryStore(),
    codec: jsonCodec,
    clock,
    meter: new RecordingMeter(),
    logger: silentLog,
    topics: {
      writers: () => ['kizuna.upstream.v1'],
      deadLetterTopic: (topic, group) => `${topic}.${group}.dlq`,
      purgedBehind: () => [],
    },
    limits: LIMITS,
    owned: new Set(),
    ...replaced,
  };
}

/** A record of the counting processor's input; `position` as an upstream processor would write it. */
export function numberRecord(
  offset: number,
  key: string,
  amount: number,
  timestamp: number,
  position?: string,
): LogRecord {
  const headers = position === undefined ? {} : { position: Buffer.from(position) };
  return { offset, timestamp, key: Buffer.from(key), value: Buffer.from(JSON.stringify({ amount })), headers };
}
