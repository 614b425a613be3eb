import type { Collection } from 'mongodb';
import type { FoldMark, FoldMarks, MarkedPartition } from '../fold-marks.ts';
import type { TopicPartition } from '../ports.ts';
import type { CausalSessions } from './causal-sessions.ts';
import { unreadable } from './mongo-errors.ts';

/** One document for each group and partition. */
export const MARKS_COLLECTION = 'fold-marks.v1';

export interface MarksDocument {
  /** `<group>/<topic>/<partition>`. */
  _id: string;
  source: string;
  marks: { at: Date; next: number }[];
}

export class MongoFoldMarks implements FoldMarks {
  readonly #marked: Collection<MarksDocument>;
  readonly #sessions: CausalSessions;
  readonly #timeoutMs: number;

  constructor(marked: Collection<MarksDocument>, sessions: CausalSessions, timeoutMs: number) {
    this.#marked = marked;
    this.#sessions = sessions;
    this.#timeoutMs = timeoutMs;
  }

  async load(group: string, at: TopicPartition): Promise<MarkedPartition | null> {
    const filter = { _id: idOf(group, at) };
    const found = await this.#sessions.run('marks_load', (session) =>
      this.#marked.findOne(filter, { session, maxTimeMS: this.#timeoutMs }),
    );
    return found === null ? null : read(found);
  }

  async store(group: string, at: TopicPartition, { source, marks }: MarkedPartition): Promise<void> {
    const _id = idOf(group, at);
    const document = { _id, source, marks: marks.map((mark) => ({ at: new Date(mark.at), next: mark.next })) };
    await this.#sessions.run('marks_store', (session) =>
      this.#marked.replaceOne({ _id }, document, { session, upsert: true }),
    );
  }
}

function idOf(group: string, { topic, partition }: TopicPartition): string {
  return `${group}/${topic}/${partition}`;
}

function read({ source, marks }: Partial<Record<keyof MarksDocument, unknown>>): MarkedPartition {
  if (typeof source !== 'string') throw unreadable(MARKS_COLLECTION, 'source');
  if (!Array.isArray(marks)) throw unreadable(MARKS_COLLECTION, 'marks');
  return { source, marks: marks.map(readMark) };
}

function readMark(mark: { at?: unknown; next?: unknown }): FoldMark {
  if (!(mark.at instanceof Date) || typeof mark.next !== 'number') throw unreadable(MARKS_COLLECTION, 'marks');
  return { at: mark.at.getTime(), next: mark.next };
}
