import { PipelineError } from '../../core/errors.ts';
import { partitionOfKey } from '../partitioner.ts';
import type { Emitter, OutgoingRecord } from '../ports.ts';
import type { MemoryTopic, MemoryTopics } from './event-log-topics.ts';

/** What a broker counts for a record besides its key, value and headers. */
const RECORD_OVERHEAD_BYTES = 70;

/** Appends to the topics in memory. Every byte is copied: the sender may reuse its buffers, as with a broker. */
export class MemoryEmitter implements Emitter {
  readonly #topics: MemoryTopics;
  /** The next partition for records without a key. */
  #turn = 0;
  #closed = false;

  constructor(topics: MemoryTopics) {
    this.#topics = topics;
  }

  // Checked as a whole before the first record is appended.
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed) throw new PipelineError('log_unavailable', 'the emitter is closed', { retriable: false });
    let total = 0;
    for (const record of records) {
      const bytes = bytesOf(record);
      if (bytes > this.#topics.of(record.topic).maxMessageBytes) {
        throw new PipelineError('log_unavailable', `a record of ${bytes} bytes is too large for ${record.topic}`, {
          retriable: false,
        });
      }
      total += bytes;
    }
    const copy = copier(total);
    const touched = new Set<MemoryTopic>();
    for (const record of records) {
      const topic = this.#topics.of(record.topic);
      const count = topic.partitions.length;
      const chosen = record.key === null ? this.#turn++ % count : partitionOfKey(record.key, count);
      topic.partitions[chosen]?.append(record, copy);
      touched.add(topic);
    }
    for (const topic of touched) {
      for (const partition of topic.partitions) partition.trim(topic.keepRecords, topic.readers);
    }
    if (records.length > 0) this.#topics.appended();
    // Acknowledged later, as by a broker.
    await Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}

/** About what the record takes on a broker; never less than the bytes to copy. */
function bytesOf(record: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const name in record.headers) {
    const value = record.headers[name] ?? '';
    bytes += name.length + (typeof value === 'string' ? Buffer.byteLength(value) : value.length);
  }
  return bytes;
}

/** Copies into one block: one allocation a send instead of three a record. */
function copier(capacity: number): (bytes: Buffer | string) => Buffer {
  const block = Buffer.allocUnsafe(capacity);
  let at = 0;
  return (bytes) => {
    const start = at;
    if (typeof bytes === 'string') at += block.write(bytes, at);
    else {
      block.set(bytes, at);
      at += bytes.length;
    }
    return block.subarray(start, at);
  };
}
