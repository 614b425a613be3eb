import { randomBytes } from 'node:crypto';
import { askRegistry, connectMongodb, kafkaClient } from './service-clients.ts';
import type { ServiceAddresses } from './services.ts';
import { waitUntil } from './wait-until.ts';

const GROUPS_EMPTY_WITHIN_MS = 30_000;

type Admin = ReturnType<ReturnType<typeof kafkaClient>['admin']>;

/** A place of its own on services that others use too. */
export interface Place extends ServiceAddresses {
  /** Starts the name of every topic, group and subject of this place. */
  readonly prefix: string;
  /** The name of its MongoDB database. */
  readonly database: string;
  /** Removes the topics, groups, subjects and the database. Close the clients first. */
  cleanup(): Promise<void>;
}

/** A new place named after `name`: letters, digits and hyphens. */
export function placeOn(services: ServiceAddresses, name: string): Place {
  if (!/^[a-z0-9-]{1,30}$/.test(name)) throw new Error(`not a name for a place: ${name}`);
  const { kafkaBrokers, mongodbUri, schemaRegistryUrl } = services;
  const unique = `${name}-${randomBytes(4).toString('hex')}`;
  const prefix = `${unique}.`;
  const database = `kizuna-${unique}`;
  const cleanup = async (): Promise<void> => {
    await Promise.all([
      removeFromKafka(kafkaBrokers, prefix),
      dropDatabase(mongodbUri, database),
      removeSubjects(schemaRegistryUrl, prefix),
    ]);
  };
  return { kafkaBrokers, mongodbUri, schemaRegistryUrl, prefix, database, cleanup };
}

async function removeFromKafka(brokers: readonly string[], prefix: string): Promise<void> {
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    // A member that was killed is one until its session has run out.
    await waitUntil('every group is empty', () => deleteGroups(admin, prefix), { withinMs: GROUPS_EMPTY_WITHIN_MS });
  } finally {
    await admin.disconnect();
  }
}

/** Answers undefined while one of them has members. */
async function deleteGroups(admin: Admin, prefix: string): Promise<true | undefined> {
  const { groups } = await admin.listGroups();
  const own = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(prefix));
  if (own.length === 0) return true;
  const described = await admin.describeGroups(own);
  if (described.groups.some(({ members }) => members.length > 0)) return undefined;
  await admin.deleteGroups(own);
  return true;
}

async function dropDatabase(uri: string, database: string): Promise<void> {
  const client = await connectMongodb(uri);
  try {
    await client.db(database).dropDatabase();
  } finally {
    await client.close();
  }
}

/** Removes the subjects whose name starts with `prefix`. */
export async function removeSubjects(url: string, prefix: string): Promise<void> {
  const subjects = (await askRegistry(url, '/subjects')) as string[];
  for (const subject of subjects.filter((name) => name.startsWith(prefix))) {
    await askRegistry(url, `/subjects/${encodeURIComponent(subject)}`, { method: 'DELETE' });
  }
}
