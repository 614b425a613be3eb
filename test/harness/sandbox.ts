import { randomBytes } from 'node:crypto';
import { describe, inject } from 'vitest';
import { askRegistry, connectMongodb, kafkaClient } from './service-clients.ts';
import type { ServiceAddresses } from './services.ts';
import './vitest-services.ts';

/** One test file's own place on services that all files share. */
export interface Sandbox extends ServiceAddresses, AsyncDisposable {
  /** Starts the name of every topic, group and subject of this file. */
  readonly prefix: string;
  /** The name of this file's MongoDB database. */
  readonly database: string;
  /** Removes the topics, groups, subjects and the database. Close the clients first. */
  cleanup(): Promise<void>;
}

/** As vitest's describe, and skipped as a whole when this machine cannot run the services. */
export const describeWithServices = describe.skipIf(inject('kizunaServices') === null);

/** A new place named after `name`: letters, digits and hyphens. Only inside describeWithServices. */
export function sandbox(name: string): Sandbox {
  const services = inject('kizunaServices');
  if (services === null) throw new Error('a sandbox needs the services: use it inside describeWithServices');
  if (!/^[a-z0-9-]{1,30}$/.test(name)) throw new Error(`not a name for a sandbox: ${name}`);
  const unique = `${name}-${randomBytes(4).toString('hex')}`;
  const prefix = `${unique}.`;
  const database = `kizuna-${unique}`;
  const cleanup = async (): Promise<void> => {
    await Promise.all([
      removeFromKafka(services.kafkaBrokers, prefix),
      dropDatabase(services.mongodbUri, database),
      removeSubjects(services.schemaRegistryUrl, prefix),
    ]);
  };
  return { ...services, prefix, database, cleanup, [Symbol.asyncDispose]: cleanup };
}

async function removeFromKafka(brokers: readonly string[], prefix: string): Promise<void> {
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const own = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(prefix));
    if (own.length > 0) await admin.deleteGroups(own);
  } finally {
    await admin.disconnect();
  }
}

async function dropDatabase(uri: string, database: string): Promise<void> {
  const client = await connectMongodb(uri);
  try {
    await client.db(database).dropDatabase();
  } finally {
    await client.close();
  }
}

async function removeSubjects(url: string, prefix: string): Promise<void> {
  const subjects = (await askRegistry(url, '/subjects')) as string[];
  for (const subject of subjects.filter((name) => name.startsWith(prefix))) {
    await askRegistry(url, `/subjects/${encodeURIComponent(subject)}`, { method: 'DELETE' });
  }
}
