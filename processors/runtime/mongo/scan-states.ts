import type { StoreConfig } from '../config.ts';
import type { StoredState } from '../ports.ts';
import { beginningWith, stateOf } from './collections.ts';
import { connectCommand } from './command-client.ts';
import { STATE_ONLY, storedStateOf, type StateDocument } from './documents.ts';
import { toPipelineError } from './mongo-errors.ts';

const PAGE = 1_000;

/**
 * Every stored state whose key begins with `prefix`, in order of key, one after the other. A majority read of documents,
 * which may be seconds behind the journal; what is written meanwhile may be seen or not. `wanted`: asked for each key, so
 * that of the others nothing but the key is read.
 */
export async function* scanStates(
  { uri, database }: StoreConfig,
  processor: string,
  prefix: string,
  wanted: ((key: string) => boolean) | null = null,
): AsyncGenerator<StoredState> {
  const client = await connectCommand(uri);
  try {
    const states = client.db(database).collection<StateDocument>(stateOf(processor));
    const keys = beginningWith(prefix);
    if (wanted === null) {
      const found = states.find({ _id: keys }, { projection: STATE_ONLY, batchSize: PAGE }).sort({ _id: 1 });
      for await (const document of found) yield storedStateOf(states.collectionName, document);
      return;
    }
    const load = async (chosen: readonly string[]): Promise<StoredState[]> => {
      const found = states.find({ _id: { $in: [...chosen] } }, { projection: STATE_ONLY }).sort({ _id: 1 });
      return (await found.toArray()).map((document) => storedStateOf(states.collectionName, document));
    };
    const chosen: string[] = [];
    for await (const { _id: key } of states.find({ _id: keys }, { projection: { _id: 1 } }).sort({ _id: 1 })) {
      if (wanted(key) && chosen.push(key) === PAGE) yield* await load(chosen.splice(0));
    }
    yield* await load(chosen);
  } catch (error) {
    throw toPipelineError(error, 'scan');
  } finally {
    await client.close();
  }
}
