import { MongoBulkWriteError } from 'mongodb';
import type { AnyBulkWriteOperation, BulkWriteResult, ClientSession, Collection, Filter } from 'mongodb';
import { NEVER } from '../../core/processor.ts';
import type { Instant, Summary } from '../../core/processor.ts';
import type { DocumentWrite, Documents, DueCursor, Log, RevisedState, RevisionCursor, StoredState } from '../ports.ts';
import type { CausalSessions } from './causal-sessions.ts';
import { copyOfBytes } from './journal-documents.ts';
import { isDuplicateKey, loggable, toPipelineError, unreadable } from './mongo-errors.ts';

/** A state as it is stored. */
export interface StateDocument {
  _id: string;
  partition: number;
  seq: number;
  state: Uint8Array;
  summary: Summary;
  /** Absent when no silence changes anything, so that the partial index holds only what is waiting. */
  due?: Date;
}

/** What the due index needs: documents without a deadline are not in it. */
export const DUE_INDEX = {
  name: 'due',
  key: { partition: 1, due: 1, _id: 1 },
  partialFilterExpression: { due: { $exists: true } },
} as const;

/** What finding documents of other revisions needs. */
export const REVISION_INDEX = { name: 'revision', key: { partition: 1, 'summary.revision': 1, _id: 1 } } as const;

/** What a document may hold, less room for its other fields. The driver refuses a whole bulk for one that is larger. */
const MAX_STATE_BYTES = 16 * 1024 * 1024 - 64 * 1024;
/** What a state is read by. */
export const STATE_ONLY = { seq: 1, state: 1, due: 1 } as const;

/** `again`: the key is stored already, or was meanwhile; what is stored may be older. */
type Judgement = 'stored' | 'again' | 'unknown';

/** The documents of one processor: the collection `<processor>.state`. */
export class MongoDocuments implements Documents {
  readonly #states: Collection<StateDocument>;
  readonly #sessions: CausalSessions;
  /** A read waits for the snapshot it asked for, but not for ever. */
  readonly #timeoutMs: number;
  readonly #log: Log;

  constructor(states: Collection<StateDocument>, sessions: CausalSessions, timeoutMs: number, log: Log) {
    this.#states = states;
    this.#sessions = sessions;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
  }

  async load(keys: readonly string[]): Promise<StoredState[]> {
    if (keys.length === 0) return [];
    return this.#sessions.run('documents_load', async (session) => {
      // One more than can be found: the first reply then holds all (up to 16 MiB) and leaves no cursor open.
      const options = {
        ...{ session, projection: STATE_ONLY, maxTimeMS: this.#timeoutMs },
        batchSize: keys.length + 1,
      };
      const found = await this.#states.find({ _id: { $in: [...keys] } }, options).toArray();
      return found.map((document) => storedStateOf(this.#states.collectionName, document));
    });
  }

  async due(partition: number, until: Instant, after: DueCursor | null, limit: number): Promise<StoredState[]> {
    const last = new Date(until);
    // Two ranges of one index, merged in its order: where many keys share a deadline, a page must not walk over those
    // that earlier pages returned.
    const beyond =
      after === null
        ? [{ partition, due: { $lte: last } }]
        : [
            { partition, due: new Date(after.due), _id: { $gt: after.key } },
            { partition, due: { $gt: new Date(after.due), $lte: last } },
          ];
    return this.#sessions.run('documents_due', async (session) => {
      const options = {
        ...{ session, projection: STATE_ONLY, maxTimeMS: this.#timeoutMs },
        ...{ hint: DUE_INDEX.name, limit, batchSize: limit + 1 },
      };
      const found = this.#states.find({ $or: beyond }, options).sort({ due: 1, _id: 1 });
      return (await found.toArray()).map((document) => storedStateOf(this.#states.collectionName, document));
    });
  }

  async outdated(
    partition: number,
    current: number,
    after: RevisionCursor | null,
    limit: number,
  ): Promise<RevisedState[]> {
    return this.#sessions.run('documents_outdated', async (session) => {
      const options = {
        ...{ session, projection: { ...STATE_ONLY, 'summary.revision': 1 }, maxTimeMS: this.#timeoutMs },
        ...{ hint: REVISION_INDEX.name, limit, batchSize: limit + 1 },
      };
      const found = this.#states.find({ $or: outdated(partition, current, after) }, options);
      return (await found.sort({ 'summary.revision': 1, _id: 1 }).toArray()).map((document) => {
        const { revision = null } = document.summary;
        return { ...storedStateOf(this.#states.collectionName, document), revision };
      });
    });
  }

  async countOutdated(partition: number, current: number): Promise<number> {
    return this.#sessions.run('documents_outdated', (session) => {
      const options = { session, hint: REVISION_INDEX.name, maxTimeMS: this.#timeoutMs };
      return this.#states.countDocuments({ $or: outdated(partition, current, null) }, options);
    });
  }

  async store(writes: readonly DocumentWrite[]): Promise<boolean[]> {
    const first = await this.#bulk(writes, operationFor);
    const refused = writes.filter((_, index) => first[index] === 'again');
    const second = refused.length === 0 ? [] : await this.#bulk(refused, guardedReplace);
    let next = 0;
    return first.map((judgement) => (judgement === 'again' ? second[next++] : judgement) === 'stored');
  }

  /** One unordered bulk. Rejects only with what waiting does not mend. */
  async #bulk(
    writes: readonly DocumentWrite[],
    operationOf: (write: DocumentWrite) => AnyBulkWriteOperation<StateDocument>,
  ): Promise<Judgement[]> {
    const judgements = new Array<Judgement>(writes.length).fill('unknown');
    // The place of each operation among the writes.
    const places: number[] = [];
    const operations: AnyBulkWriteOperation<StateDocument>[] = [];
    for (const [place, write] of writes.entries()) {
      if (write.state.length > MAX_STATE_BYTES) {
        this.#log.error('a state is larger than a document may be', { bytes: write.state.length });
        continue;
      }
      places.push(place);
      operations.push(operationOf(write));
    }
    if (operations.length === 0) return judgements;
    try {
      await this.#sessions.run('documents_store', async (session) => {
        const outcomes = await this.#write(operations, session);
        for (const [index, judgement] of outcomes.entries()) judgements[places[index] ?? -1] = judgement;
      });
    } catch (error) {
      const failure = toPipelineError(error, 'documents_store');
      if (!failure.retriable) throw failure;
      this.#log.error('documents could not be stored', { documents: operations.length, ...loggable(error) });
    }
    return judgements;
  }

  async #write(operations: AnyBulkWriteOperation<StateDocument>[], session: ClientSession): Promise<Judgement[]> {
    const outcomes = new Array<Judgement>(operations.length).fill('stored');
    try {
      await this.#states.bulkWrite(operations, { ordered: false, session });
      return outcomes;
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError) || !everyOneAnswered(error.result, operations.length)) throw error;
      let failed = 0;
      let code: unknown;
      for (const refusal of error.result.getWriteErrors()) {
        outcomes[refusal.index] = isDuplicateKey(refusal) ? 'again' : 'unknown';
        if (isDuplicateKey(refusal)) continue;
        failed++;
        code = refusal.code;
      }
      if (failed > 0) this.#log.error('some documents could not be stored', { documents: failed, code });
      return outcomes;
    }
  }
}

/** @throws PipelineError `store_unreadable` for a document that no version of this program wrote */
export function storedStateOf(
  collection: string,
  { _id: key, seq, state, due }: Partial<Record<keyof StateDocument, unknown>>,
): StoredState {
  if (typeof key !== 'string') throw unreadable(collection, '_id');
  if (typeof seq !== 'number') throw unreadable(collection, 'seq');
  if (due !== undefined && !(due instanceof Date)) throw unreadable(collection, 'due');
  const packed = copyOfBytes(state);
  if (packed === null) throw unreadable(collection, 'state');
  return { key, seq, state: packed, due: due === undefined ? NEVER : due.getTime() };
}

/** Of another revision than `current` and not 0, beyond `after`: ranges of one index, merged in its order. */
function outdated(partition: number, current: number, after: RevisionCursor | null): Filter<StateDocument>[] {
  const none = { partition, 'summary.revision': null };
  const below = { partition, 'summary.revision': { $gt: 0, $lt: current } };
  const above = { partition, 'summary.revision': { $gt: current } };
  if (after === null) return [none, below, above];
  const { revision, key } = after;
  const rest = { partition, 'summary.revision': revision, _id: { $gt: key } };
  if (revision === null) return [rest, below, above];
  if (revision > current) return [rest, { partition, 'summary.revision': { $gt: revision } }];
  return [rest, { partition, 'summary.revision': { $gt: revision, $lt: current } }, above];
}

/** An insert costs the server a third of a replace; a key that is there after all makes it fail, and is then replaced. */
function operationFor(write: DocumentWrite): AnyBulkWriteOperation<StateDocument> {
  return write.isNew === true ? { insertOne: { document: documentOf(write) } } : guardedReplace(write);
}

/**
 * Replaces an older state or inserts; leaves the same or a newer one as it is. The guard stands in the update, not in the
 * filter: a filter of nothing but the key needs no query plan, which is a third of what the write costs the server.
 */
function guardedReplace(write: DocumentWrite): AnyBulkWriteOperation<StateDocument> {
  const isOlder = { $lt: ['$seq', write.seq] };
  const update = [{ $replaceWith: { $cond: [isOlder, { $literal: documentOf(write) }, '$$ROOT'] } }];
  return { updateOne: { filter: { _id: write.key }, update, upsert: true } };
}

function documentOf({ key, partition, seq, state, summary, due }: DocumentWrite): StateDocument {
  const document: StateDocument = { _id: key, partition, seq, state, summary };
  if (due !== NEVER) document.due = new Date(due);
  return document;
}

/**
 * Whether the errors of a failed bulk tell the fate of each operation. The driver wraps any failure in the same error, a
 * lost connection included, with whatever counts it had: only when each operation is counted once, as met, inserted
 * or refused, and the majority was reached, is an operation without an error of its own stored.
 */
function everyOneAnswered(result: BulkWriteResult, operations: number): boolean {
  if (result.getWriteConcernError() !== undefined) return false;
  const { matchedCount, upsertedCount, insertedCount } = result;
  return matchedCount + upsertedCount + insertedCount + result.getWriteErrorCount() === operations;
}
