import type { Collection } from 'mongodb';
import type { InputMarks, RecordMark, StoredMark } from '../input-marks.ts';
import type { TopicPartition } from '../ports.ts';
import type { CausalSessions } from './causal-sessions.ts';
import { throwUnlessTaken, unreadable } from './mongo-errors.ts';

export interface MarkDocument {
  /** "<topic>/<partition>". */
  _id: string;
  epoch: number;
  next: number;
  last: RecordMark | null;
}

/** The input marks of one processor: the collection `<processor>.inputs`, one document a partition. */
export class MongoInputMarks implements InputMarks {
  readonly #marks: Collection<MarkDocument>;
  readonly #sessions: CausalSessions;
  readonly #timeoutMs: number;

  constructor(marks: Collection<MarkDocument>, sessions: CausalSessions, timeoutMs: number) {
    this.#marks = marks;
    this.#sessions = sessions;
    this.#timeoutMs = timeoutMs;
  }

  async read(at: TopicPartition): Promise<StoredMark | null> {
    const found = await this.#sessions.run('input_marks_read', (session) =>
      this.#marks.findOne({ _id: idOf(at) }, { session, maxTimeMS: this.#timeoutMs }),
    );
    return found === null ? null : markFrom(found, this.#marks.collectionName);
  }

  async raise(marks: readonly (TopicPartition & StoredMark)[]): Promise<void> {
    if (marks.length === 0) return;
    const operations = marks.map(({ epoch, next, last, ...at }) => ({
      updateOne: {
        filter: { _id: idOf(at), $or: [{ epoch: { $lt: epoch } }, { epoch, next: { $lt: next } }] },
        update: { $set: { epoch, next, last } },
        upsert: true,
      },
    }));
    await this.#sessions.run('input_marks_raise', async (session) => {
      const write = () => this.#marks.bulkWrite(operations, { ordered: false, session }).catch(throwUnlessTaken);
      // A rival's insert of an older mark may have come between look and insert: the second time it is found.
      if ((await write()) === 'taken') await write();
    });
  }
}

function idOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function markFrom({ epoch, next, last }: Partial<MarkDocument>, collection: string): StoredMark {
  if (!isWhole(epoch)) throw unreadable(collection, 'epoch');
  if (!isWhole(next)) throw unreadable(collection, 'next');
  return { epoch, next, last: recordMarkFrom(last, collection) };
}

/** A record mark as it is stored, also in a journal block (journal-documents.ts). */
export function recordMarkFrom(value: unknown, collection: string): RecordMark | null {
  if (value === null || value === undefined) return null;
  const { offset, timestamp, crc }: Partial<Record<keyof RecordMark, unknown>> = value;
  if (!isWhole(offset) || !isWhole(timestamp) || !isWhole(crc)) throw unreadable(collection, 'last');
  return { offset, timestamp, crc };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
