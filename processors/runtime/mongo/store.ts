import { MongoClient } from 'mongodb';
import type { Db, MongoClientOptions } from 'mongodb';
import { ConfigurationError, PipelineError } from '../../core/errors.ts';
import type { Meter } from '../meter.ts';
import type { Log, Store } from '../ports.ts';
import { CausalSessions } from './causal-sessions.ts';
import { inputsOf, journalOf, stateOf } from './collections.ts';
import { GENERATIONS_COLLECTION, MongoGenerations, type GenerationDocument } from './definition-generations.ts';
import { DUE_INDEX, MongoDocuments, REVISION_INDEX } from './documents.ts';
import type { StateDocument } from './documents.ts';
import { MARKS_COLLECTION, MongoFoldMarks, type MarksDocument } from './fold-marks.ts';
import { MongoInputMarks, type MarkDocument } from './input-marks.ts';
import { MongoJournal } from './journal.ts';
import type { BlockDocument } from './journal-documents.ts';
import { toPipelineError } from './mongo-errors.ts';

export interface MongoStoreConfig {
  readonly uri: string;
  readonly database: string;
  /** What `journal` and `documents` will be asked for (`customer.v1`): their indexes are made at the start. */
  readonly processors: readonly string[];
  /** Of these, those whose documents are asked for by revision: it costs each of them another index. Default: none. */
  readonly revised?: readonly string[];
  /**
   * How long to wait for a server, for an answer, and for a journal write of unknown result to be settled; the driver's one
   * retry may double it.
   */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 15_000;
const MAX_CONNECTIONS = 20;
/** Whoever waits longer at the start is told for what. */
const SLOW_MS = 2_000;
/** A hung primary is noticed after about this much and the time to connect, and everything waiting on it fails over. */
const CONNECT_MS = 5_000;
const HEARTBEAT_MS = 2_000;
/** A majority that does not answer in this share of the time is told as an error of the write, not as a dead connection. */
const MAJORITY_SHARE = 3;

/** Rejects with a ConfigurationError for an address that is none or a server without a replica set. */
export async function openMongoStore(config: MongoStoreConfig, log: Log, meter: Meter): Promise<Store> {
  const timeoutMs = config.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const client = createClient(config.uri, timeoutMs);
  const database = client.db(config.database);
  try {
    await client.connect();
    await requireReplicaSet(database);
    await buildIndexes(config, log);
  } catch (error) {
    await client.close();
    throw error instanceof ConfigurationError ? error : (unreadableFile(error) ?? toPipelineError(error, 'open'));
  }
  log.info('connected to MongoDB', { database: config.database });
  const sessions = new CausalSessions(client, meter);
  const known = (processor: string): string => {
    if (config.processors.includes(processor)) return processor;
    throw new PipelineError('invariant_broken', `the store was opened without ${processor}`, { retriable: false });
  };
  const documents = new Map<string, MongoDocuments>();
  const documentsOf = (processor: string): MongoDocuments => {
    const known = documents.get(processor);
    if (known !== undefined) return known;
    const made = new MongoDocuments(
      statesOf(database, processor),
      sessions,
      timeoutMs,
      log.child({ store: processor }),
    );
    documents.set(processor, made);
    return made;
  };
  return {
    journal: (processor) =>
      new MongoJournal(database.collection<BlockDocument>(journalOf(known(processor))), sessions, timeoutMs),
    documents: (processor) => documentsOf(known(processor)),
    generations: new MongoGenerations(
      database.collection<GenerationDocument>(GENERATIONS_COLLECTION),
      sessions,
      timeoutMs,
    ),
    marks: new MongoFoldMarks(database.collection<MarksDocument>(MARKS_COLLECTION), sessions, timeoutMs),
    inputMarks: (processor) =>
      new MongoInputMarks(database.collection<MarkDocument>(inputsOf(processor)), sessions, timeoutMs),
    ping: async () => {
      await sessions.run('ping', (session) => database.command({ ping: 1 }, { session }));
    },
    close: () => client.close(),
  };
}

/**
 * Waits for as long as it takes, on a connection of its own: over the documents of millions of customers an index is built in
 * minutes, and who gives up at the usual timeout starts over at the next try. Nothing is owned yet that would be held up.
 */
async function buildIndexes(config: MongoStoreConfig, log: Log): Promise<void> {
  const { uri, database, processors, revised = [], timeoutMs } = config;
  if (processors.length === 0) return;
  await using client = createClient(uri, timeoutMs ?? DEFAULT_TIMEOUT_MS, { socketTimeoutMS: 0 });
  for (const processor of processors) {
    const states = statesOf(client.db(database), processor);
    const slow = setTimeout(() => {
      log.info('indexes are being built', { collection: states.collectionName });
    }, SLOW_MS);
    try {
      const own = revised.includes(processor) ? [DUE_INDEX, REVISION_INDEX] : [DUE_INDEX];
      await states.createIndexes(own.map((index) => ({ ...index })));
    } finally {
      clearTimeout(slow);
    }
  }
}

/** The driver reads the files that the address names when it connects. */
export function unreadableFile(error: unknown): ConfigurationError | null {
  if (!(error instanceof Error) || !('path' in error) || !('syscall' in error)) return null;
  const message = `names a file that cannot be read: ${error.message}`;
  return new ConfigurationError([{ where: 'KIZUNA_MONGODB_URI', message }]);
}

/** Connects nothing yet. Majorities, journaled, as everything here relies on. */
export function createClient(
  uri: string,
  timeoutMs: number,
  { socketTimeoutMS = timeoutMs }: Pick<MongoClientOptions, 'socketTimeoutMS'> = {},
): MongoClient {
  try {
    return new MongoClient(uri, {
      appName: 'kizuna',
      serverSelectionTimeoutMS: timeoutMs,
      waitQueueTimeoutMS: timeoutMs,
      socketTimeoutMS,
      connectTimeoutMS: Math.min(timeoutMs, CONNECT_MS),
      heartbeatFrequencyMS: HEARTBEAT_MS,
      maxPoolSize: MAX_CONNECTIONS,
      readPreference: 'primary',
      readConcern: { level: 'majority' },
      // Without `journal: true` a majority write waits a hundred milliseconds for the next journal flush.
      writeConcern: { w: 'majority', journal: true, wtimeoutMS: Math.ceil(timeoutMs / MAJORITY_SHARE) },
      retryWrites: true,
      retryReads: true,
    });
  } catch {
    // The driver's own message is left out: it may repeat the address, and the address may hold a password.
    const message = 'is not an address of MongoDB (mongodb://host:port/?replicaSet=name)';
    throw new ConfigurationError([{ where: 'KIZUNA_MONGODB_URI', message }]);
  }
}

/** A single server without a replica set acknowledges majorities, retries and sessions it does not have. */
export async function requireReplicaSet(database: Db): Promise<void> {
  const hello: { setName?: unknown; msg?: unknown } = await database.command({ hello: 1 });
  if (typeof hello.setName === 'string' || hello.msg === 'isdbgrid') return;
  const message = 'is a single server; a replica set is needed, of one member at least (mongod --replSet)';
  throw new ConfigurationError([{ where: 'KIZUNA_MONGODB_URI', message }]);
}

function statesOf(database: Db, processor: string) {
  return database.collection<StateDocument>(stateOf(processor));
}
