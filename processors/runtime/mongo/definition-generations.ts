import { MongoServerError, type Collection } from 'mongodb';
import type { Generation, Generations } from '../definition-generations.ts';
import type { CausalSessions } from './causal-sessions.ts';
import { isDuplicateKey, unreadable } from './mongo-errors.ts';

/** One document for each generation of definitions. */
export const GENERATIONS_COLLECTION = 'definitions.v1';

export interface GenerationDocument {
  /** Its number. */
  _id: number;
  hash: string;
  since: Date;
}

export class MongoGenerations implements Generations {
  readonly #kept: Collection<GenerationDocument>;
  readonly #sessions: CausalSessions;
  readonly #timeoutMs: number;

  constructor(kept: Collection<GenerationDocument>, sessions: CausalSessions, timeoutMs: number) {
    this.#kept = kept;
    this.#sessions = sessions;
    this.#timeoutMs = timeoutMs;
  }

  async list(): Promise<Generation[]> {
    return this.#sessions.run('generations_read', async (session) => {
      const found = this.#kept.find({}, { session, maxTimeMS: this.#timeoutMs }).sort({ _id: 1 });
      return (await found.toArray()).map(read);
    });
  }

  async newest(): Promise<Generation | null> {
    return this.#sessions.run('generations_read', async (session) => {
      const found = await this.#kept.findOne({}, { session, sort: { _id: -1 }, maxTimeMS: this.#timeoutMs });
      return found === null ? null : read(found);
    });
  }

  async add({ number, hash, since }: Generation): Promise<boolean> {
    return this.#sessions.run('generations_add', async (session) => {
      try {
        await this.#kept.insertOne({ _id: number, hash, since: new Date(since) }, { session });
        return true;
      } catch (error) {
        if (error instanceof MongoServerError && isDuplicateKey(error)) return false;
        throw error;
      }
    });
  }
}

function read({ _id, hash, since }: Partial<Record<keyof GenerationDocument, unknown>>): Generation {
  if (typeof _id !== 'number') throw unreadable(GENERATIONS_COLLECTION, '_id');
  if (typeof hash !== 'string') throw unreadable(GENERATIONS_COLLECTION, 'hash');
  if (!(since instanceof Date)) throw unreadable(GENERATIONS_COLLECTION, 'since');
  return { number: _id, hash, since: since.getTime() };
}
