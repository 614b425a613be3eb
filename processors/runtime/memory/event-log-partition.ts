import type { Instant } from '../../core/processor.ts';
import type { HeaderValue, LogRecord, OutgoingRecord } from '../ports.ts';

/** Trimmed records are cut off in one go, not one by one: a cut moves the whole array. */
const TRIM_AT_ONCE = 4_096;
const NO_HEADERS: Readonly<Record<string, HeaderValue>> = {};

/** One partition in memory: its records from `start` on, and how far each group has committed. */
export class MemoryPartition {
  readonly committed = new Map<string, { readonly offset: number; readonly metadata: string }>();
  #records: LogRecord[] = [];
  /** For each record the highest timestamp up to it, so that a time can be found by bisection. */
  #highTimes: Instant[] = [];
  #start = 0;

  /** The first offset still kept. */
  get start(): number {
    return this.#start;
  }

  /** The offset the next record gets. */
  get end(): number {
    return this.#start + this.#records.length;
  }

  append(record: OutgoingRecord, copy: (bytes: Buffer | string) => Buffer): void {
    const highTime = this.#highTimes[this.#highTimes.length - 1] ?? record.timestamp;
    this.#highTimes.push(Math.max(highTime, record.timestamp));
    let headers: Record<string, HeaderValue> | undefined;
    for (const name in record.headers) {
      const value = record.headers[name];
      if (value !== undefined) (headers ??= {})[name] = copy(value);
    }
    this.#records.push({
      offset: this.end,
      timestamp: record.timestamp,
      key: record.key === null ? null : copy(record.key),
      value: record.value === null ? null : copy(record.value),
      headers: headers ?? NO_HEADERS,
    });
  }

  /** Records from `offset` on: at least one if there is one, then as many as fit both bounds. */
  read(offset: number, maxRecords: number, maxBytes: number): LogRecord[] {
    const from = offset - this.#start;
    const most = Math.min(this.#records.length, from + maxRecords);
    let bytes = 0;
    let to = from;
    while (to < most) {
      const record = this.#records[to];
      bytes += (record?.key?.length ?? 0) + (record?.value?.length ?? 0);
      if (bytes > maxBytes && to > from) break;
      to++;
    }
    return this.#records.slice(from, to);
  }

  /** The first offset whose record is at or after `time`; `end` when there is none. */
  offsetAt(time: Instant): number {
    let low = 0;
    let high = this.#highTimes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#highTimes[middle] ?? 0) >= time) high = middle;
      else low = middle + 1;
    }
    return this.#start + low;
  }

  /** As a topic that is deleted and created anew: its records are gone, its offsets begin again, and no group knows it. */
  renew(): void {
    this.deleteBefore(this.end);
    this.#start = 0;
    this.committed.clear();
  }

  /** Forgets what lies below `offset`, whoever may still need it: as retention does. */
  deleteBefore(offset: number): void {
    const surplus = Math.min(offset, this.end) - this.#start;
    if (surplus <= 0) return;
    this.#records = this.#records.slice(surplus);
    this.#highTimes = this.#highTimes.slice(surplus);
    this.#start += surplus;
  }

  /** Forgets all but the newest `keep` records, never one that a group in `readers` has not committed yet. */
  trim(keep: number, readers: ReadonlySet<string>): void {
    let before = this.end - keep;
    for (const group of readers) before = Math.min(before, this.committed.get(group)?.offset ?? 0);
    if (before - this.#start >= Math.max(TRIM_AT_ONCE, this.#records.length / 2)) this.deleteBefore(before);
  }
}
