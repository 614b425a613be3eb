import type { MongoClient } from 'mongodb';
import { toPipelineError } from './mongo-errors.ts';
import { createClient } from './store.ts';

const TIMEOUT_MS = 15_000;

/** A connection for what a command reads and writes beside the store. Rejects with a ConfigurationError for an address that is none. */
export async function connectCommand(uri: string): Promise<MongoClient> {
  const client = createClient(uri, TIMEOUT_MS);
  try {
    return await client.connect();
  } catch (error) {
    await client.close();
    throw toPipelineError(error, 'open');
  }
}
