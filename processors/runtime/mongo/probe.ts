import type { Db } from 'mongodb';
import { ConfigurationError, PipelineError } from '../../core/errors.ts';
import { MARKS_COLLECTION } from './fold-marks.ts';
import { toPipelineError } from './mongo-errors.ts';
import { createClient, requireReplicaSet, unreadableFile, type MongoStoreConfig } from './store.ts';

/** What processes do to their collections (deploy/mongodb-role.json). */
const ACTIONS = ['find', 'insert', 'update', 'createIndex'] as const;

interface Privilege {
  readonly resource: { readonly db?: string; readonly collection?: string; readonly anyResource?: boolean };
  readonly actions: readonly string[];
}

/**
 * Whether a process could work in this database; nothing is written. Rejects with a PipelineError or a ConfigurationError
 * that tells what is in its way.
 */
export async function probeMongoStore(config: MongoStoreConfig & { readonly timeoutMs: number }): Promise<void> {
  const client = createClient(config.uri, config.timeoutMs);
  try {
    await client.connect();
    const database = client.db(config.database);
    await requireReplicaSet(database);
    const collections = config.processors.flatMap((name) => [`${name}.journal`, `${name}.state`]);
    await requireRights(database, [...collections, MARKS_COLLECTION]);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw unreadableFile(error) ?? toPipelineError(error, 'probe');
  } finally {
    await client.close();
  }
}

async function requireRights(database: Db, collections: readonly string[]): Promise<void> {
  // Where nobody has to log in this is all there is to ask; where somebody must and did not, it is refused.
  await database.collection(collections[0] ?? MARKS_COLLECTION).findOne({}, { projection: { _id: 1 } });
  const status = await database.command({ connectionStatus: 1, showPrivileges: true });
  const { authenticatedUsers = [], authenticatedUserPrivileges: privileges = [] } = status['authInfo'] as {
    authenticatedUsers?: readonly unknown[];
    authenticatedUserPrivileges?: readonly Privilege[];
  };
  if (authenticatedUsers.length === 0) return;
  const covers = ({ resource }: Privilege, collection: string): boolean =>
    resource.anyResource === true ||
    ((resource.db === '' || resource.db === database.databaseName) &&
      (resource.collection === '' || resource.collection === collection));
  const isAllowed = (action: string, collection: string): boolean =>
    privileges.some((each) => each.actions.includes(action) && covers(each, collection));
  const missing = ACTIONS.filter((action) => !collections.every((collection) => isAllowed(action, collection)));
  if (missing.length === 0) return;
  const message = `MongoDB does not allow this user to ${missing.join(', ')} in database ${database.databaseName}, a role is missing`;
  throw new PipelineError('store_unavailable', message, { retriable: false });
}
