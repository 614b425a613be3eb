import kafkajs, { type Kafka } from 'kafkajs';
import { MongoClient, MongoServerError, type Document } from 'mongodb';

/**
 * Bare clients of the services, for the harness and for tests that look past the adapters.
 */
export function kafkaClient(brokers: readonly string[]): Kafka {
  return new kafkajs.Kafka({
    clientId: 'kizuna-test-harness',
    brokers: [...brokers],
    connectionTimeout: 2_000,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10 },
  });
}

export async function connectMongodb(uri: string): Promise<MongoClient> {
  return new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 }).connect();
}

/** One request to the registry's Confluent API; `path` starts with a slash. Rejects on any status but 2xx. */
export async function askRegistry(url: string, path: string, request: RequestInit = {}): Promise<unknown> {
  const response = await fetch(`${url.replace(/\/$/, '')}${path}`, {
    signal: AbortSignal.timeout(5_000),
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    ...request,
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`the registry answered ${response.status} to ${path}: ${body.slice(0, 300)}`);
  return body === '' ? undefined : JSON.parse(body);
}

// --- One attempt each: does the service serve? ---

export async function kafkaAnswers(brokers: readonly string[]): Promise<void> {
  const kafka = new kafkajs.Kafka({
    clientId: 'kizuna-test-harness',
    brokers: [...brokers],
    connectionTimeout: 1_000,
    requestTimeout: 3_000,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length === 0 || cluster.controller === null) throw new Error('no broker has registered yet');
  } finally {
    await admin.disconnect();
  }
}

/** `initiate`: makes the single server at `uri` a replica set of one when it is none yet. */
export async function mongodbAnswers(uri: string, initiate?: { member: string }): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000, connectTimeoutMS: 1_000 });
  try {
    await client.connect();
    const admin = client.db('admin');
    if (initiate !== undefined) await initiateReplicaSet((command) => admin.command(command), initiate.member);
    const hello = await admin.command({ hello: 1 });
    if (hello['isWritablePrimary'] !== true) throw new Error('the server is not a primary yet');
  } finally {
    await client.close();
  }
}

async function initiateReplicaSet(run: (command: Document) => Promise<Document>, member: string): Promise<void> {
  try {
    await run({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: member }] } });
  } catch (error) {
    if (!(error instanceof MongoServerError && error.codeName === 'AlreadyInitialized')) throw error;
    await moveReplicaSet(run, member);
  }
}

/** Data that was kept remembers the port that the server had then; alone in its set, it may be told the new one. */
async function moveReplicaSet(run: (command: Document) => Promise<Document>, member: string): Promise<void> {
  const config = (await run({ replSetGetConfig: 1 }))['config'] as { version: number; members: { host: string }[] };
  const [only] = config.members;
  if (only === undefined || only.host === member) return;
  const moved = { ...config, version: config.version + 1, members: [{ ...only, host: member }] };
  await run({ replSetReconfig: moved, force: true });
}

export async function registryAnswers(url: string): Promise<void> {
  const subjects = await askRegistry(url, '/subjects', { signal: AbortSignal.timeout(3_000) });
  if (!Array.isArray(subjects)) throw new Error('the answer to /subjects is not a list');
}
