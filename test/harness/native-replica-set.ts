import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import type { TestContext } from 'vitest';
import { installMongodb, mongodbServer } from './native-mongodb.ts';
import { freePorts } from './native-ports.ts';
import type { NativeServer } from './native-process.ts';
import { ServicesUnavailable } from './native-tools.ts';
import { connectMongodb } from './service-clients.ts';
import { waitUntil } from './wait-until.ts';

const MEMBERS = 3;
const ELECTED_WITHIN_MS = 60_000;

/** A replica set of three, which nobody else uses. */
export interface ReplicaSet extends AsyncDisposable {
  readonly uri: string;
  /** Waits until there is one. */
  primary(): Promise<NativeServer>;
  /** The primary hands over to another member; resolves once that one is elected. */
  stepDown(): Promise<void>;
}

/** Starts it; skips the test, saying why, on a machine that cannot run it. */
export async function startReplicaSet({ skip }: Pick<TestContext, 'skip'>): Promise<ReplicaSet> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-set-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  try {
    const mongod = await installMongodb();
    const servers: NativeServer[] = [];
    for (const port of await freePorts(MEMBERS)) {
      const logFile = join(folder, `${port}.log`);
      const place = { folder: join(folder, String(port)), logFile, port, outlives: false };
      servers.push(await mongodbServer(mongod, place, async () => void (await onAdmin(port, { hello: 1 }))));
    }
    stack.defer(async () => void (await Promise.all(servers.map((server) => server.stop()))));
    await Promise.all(servers.map((server) => server.start()));
    const hosts = servers.map(({ port }) => `127.0.0.1:${port}`);
    await onAdmin(servers[0]?.port ?? 0, {
      replSetInitiate: {
        _id: 'rs0',
        members: hosts.map((host, id) => ({ _id: id, host })),
        // A member that was killed is missed after two seconds instead of ten.
        settings: { electionTimeoutMillis: 2_000 },
      },
    });
    const primary = (): Promise<NativeServer> =>
      waitUntil('a primary is elected', () => primaryOf(servers), { withinMs: ELECTED_WITHIN_MS });
    await primary();
    const stepDown = async (): Promise<void> => {
      const before = await primary();
      await onAdmin(before.port, { replSetStepDown: 20, secondaryCatchUpPeriodSecs: 10 });
      const elected = async (): Promise<true | undefined> => ((await primary()) === before ? undefined : true);
      await waitUntil('another primary', elected, { withinMs: ELECTED_WITHIN_MS });
    };
    const opened = stack.move();
    const uri = `mongodb://${hosts.join(',')}/?replicaSet=rs0`;
    return { uri, primary, stepDown, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  } catch (error) {
    if (error instanceof ServicesUnavailable) return skip(error.message);
    throw error;
  }
}

async function onAdmin(port: number, command: Document): Promise<Document> {
  const client = await connectMongodb(`mongodb://127.0.0.1:${port}/?directConnection=true`);
  try {
    return await client.db('admin').command(command);
  } finally {
    await client.close();
  }
}

async function primaryOf(servers: readonly NativeServer[]): Promise<NativeServer | undefined> {
  for (const server of servers) {
    if (server.pid === undefined) continue;
    const hello = await onAdmin(server.port, { hello: 1 }).catch(() => null);
    if (hello?.['isWritablePrimary'] === true) return server;
  }
  return undefined;
}
