import type { StoreConfig } from '../config.ts';
import type { StoredState } from '../ports.ts';
import { stateOf } from './collections.ts';
import { STATE_ONLY, storedStateOf, type StateDocument } from './documents.ts';
import { toPipelineError } from './mongo-errors.ts';
import { createClient } from './store.ts';

const TIMEOUT_MS = 15_000;
const PAGE = 1_000;

/**
 * Every stored state whose key begins with `prefix`, in order of key, one after the other. A majority read of documents,
 * which may be seconds behind the journal; what is written meanwhile may be seen or not.
 */
export async function* scanStates(
  { uri, database }: StoreConfig,
  processor: string,
  prefix: string,
): AsyncGenerator<StoredState> {
  const client = createClient(uri, TIMEOUT_MS);
  try {
    await client.connect();
    const states = client.db(database).collection<StateDocument>(stateOf(processor));
    const keys = { $gte: prefix, $lt: prefix + AFTER_ALL };
    const found = states.find({ _id: keys }, { projection: STATE_ONLY, batchSize: PAGE }).sort({ _id: 1 });
    for await (const document of found) yield storedStateOf(states.collectionName, document);
  } catch (error) {
    throw toPipelineError(error, 'scan');
  } finally {
    await client.close();
  }
}

/** Comes after every character that a key can hold. */
const AFTER_ALL = '\u{10FFFF}';
