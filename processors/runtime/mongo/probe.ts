import type { Db } from 'mongodb';
import { ConfigurationError, PipelineError } from '../../core/errors.ts';
import { collectionsOf, type UsedCollection } from './collections.ts';
import { toPipelineError } from './mongo-errors.ts';
import { createClient, requireReplicaSet, unreadableFile, type MongoStoreConfig } from './store.ts';

/** What processes do to their collections (deploy/mongodb-role.json), and to those with indexes. */
const ACTIONS = ['find', 'insert', 'update'] as const;
const INDEX_ACTION = 'createIndex';

export interface Privilege {
  readonly resource: { readonly db?: string; readonly collection?: string; readonly anyResource?: boolean };
  readonly actions: readonly string[];
}

export interface ProbeConfig extends MongoStoreConfig {
  /** The processors without a journal, as `processors` names those with one. */
  readonly stateless: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Whether a process could work in this database; nothing is written. Rejects with a PipelineError or a ConfigurationError
 * that tells what is in its way.
 */
export async function probeMongoStore(config: ProbeConfig): Promise<void> {
  const client = createClient(config.uri, config.timeoutMs);
  try {
    await client.connect();
    const database = client.db(config.database);
    await requireReplicaSet(database);
    await requireRights(database, collectionsOf(config.processors, config.stateless));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw unreadableFile(error) ?? toPipelineError(error, 'probe');
  } finally {
    await client.close();
  }
}

async function requireRights(database: Db, collections: readonly UsedCollection[]): Promise<void> {
  // Where nobody has to log in this is all there is to ask; where somebody must and did not, it is refused.
  await database.collection(collections[0]?.name ?? '').findOne({}, { projection: { _id: 1 } });
  const status = await database.command({ connectionStatus: 1, showPrivileges: true });
  const { authenticatedUsers = [], authenticatedUserPrivileges: privileges = [] } = status['authInfo'] as {
    authenticatedUsers?: readonly unknown[];
    authenticatedUserPrivileges?: readonly Privilege[];
  };
  if (authenticatedUsers.length === 0) return;
  const missing = missingRights(privileges, database.databaseName, collections);
  if (missing.length === 0) return;
  const message = `MongoDB does not allow this user to ${missing.join(', ')} in database ${database.databaseName}, a role is missing`;
  throw new PipelineError('store_unavailable', message, { retriable: false });
}

/** What these privileges lack, one text an action; the collections are named where only some are closed. */
export function missingRights(
  privileges: readonly Privilege[],
  database: string,
  collections: readonly UsedCollection[],
): string[] {
  const covers = ({ resource }: Privilege, collection: string): boolean =>
    resource.anyResource === true ||
    ((resource.db === '' || resource.db === database) &&
      (resource.collection === '' || resource.collection === collection));
  const isAllowed = (action: string, collection: string): boolean =>
    privileges.some((each) => each.actions.includes(action) && covers(each, collection));
  return [...ACTIONS, INDEX_ACTION].flatMap((action) => {
    const asked = collections.filter(({ indexed }) => indexed || action !== INDEX_ACTION).map(({ name }) => name);
    const closed = asked.filter((name) => !isAllowed(action, name));
    if (closed.length === 0) return [];
    return closed.length === asked.length ? [action] : [`${action} on ${closed.join(' and ')}`];
  });
}
