import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient, MongoServerError, type Db } from 'mongodb';
import { AUTHORITY_FILE, type Authority } from './certificates.ts';
import { installMongodb, mongodbServer } from './native-mongodb.ts';
import { freePorts } from './native-ports.ts';

/** A replica set of one that speaks TLS only and lets nobody in without a login. */
export interface SecuredMongodb {
  /** How a user reaches it; `parameters` as in a connection string. */
  uri(user: string, password: string, parameters?: Readonly<Record<string, string>>): string;
  readonly adminUri: string;
  /** Runs with all rights, on the database `admin`. */
  asAdmin<T>(work: (admin: Db) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

const ADMIN = { user: 'admin', pwd: 'canary-of-mongodb-admin' };

/** Starts one below `folder`, where the authority's certificate is. */
export async function startSecuredMongodb(folder: string, authority: Authority): Promise<SecuredMongodb> {
  const mongod = await installMongodb();
  const [port = 0] = await freePorts(1);
  const { cert, key } = authority.issue('mongod');
  const files = {
    server: join(folder, 'mongod.pem'),
    trust: join(folder, AUTHORITY_FILE),
    // What the members of a replica set know each other by.
    members: join(folder, 'members.key'),
  };
  await writeFile(files.server, key + cert);
  await writeFile(files.members, randomBytes(300).toString('base64'), { mode: 0o600 });
  const uri: SecuredMongodb['uri'] = (user, password, parameters = {}) => {
    const tls = { replicaSet: 'rs0', tls: 'true', tlsCAFile: files.trust, ...parameters };
    const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    return `mongodb://${login}@127.0.0.1:${port}/?${new URLSearchParams(tls).toString()}`;
  };
  const bare = `mongodb://127.0.0.1:${port}/?directConnection=true&tls=true&tlsCAFile=${encodeURIComponent(files.trust)}`;
  const server = await mongodbServer(mongod, {
    folder: join(folder, 'mongodb'),
    logFile: join(folder, 'logs', 'mongodb.log'),
    port,
    outlives: false,
    secured: {
      args: [
        ...['--auth', '--keyFile', files.members],
        ...['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', files.server, '--tlsCAFile', files.trust],
        '--tlsAllowConnectionsWithoutCertificates',
      ],
      answers: () => initiate(bare, `127.0.0.1:${port}`),
    },
  });
  await server.start();
  const withAdmin = await new MongoClient(uri(ADMIN.user, ADMIN.pwd)).connect();
  return {
    uri,
    adminUri: uri(ADMIN.user, ADMIN.pwd),
    asAdmin: (work) => work(withAdmin.db('admin')),
    stop: async () => {
      await withAdmin.close();
      await server.stop();
    },
  };
}

/** While there is no user at all, whoever comes from loopback may make the set and its first user. */
async function initiate(uri: string, member: string): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000, connectTimeoutMS: 1_000 });
  try {
    await client.connect();
    const admin = client.db('admin');
    await admin
      .command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: member }] } })
      .catch((error: unknown) => {
        if (!(error instanceof MongoServerError) || error.codeName !== 'AlreadyInitialized') throw error;
      });
    const hello = await admin.command({ hello: 1 });
    if (hello['isWritablePrimary'] !== true) throw new Error('the server is not a primary yet');
    await admin.command({ createUser: ADMIN.user, pwd: ADMIN.pwd, roles: ['root'] });
  } finally {
    await client.close();
  }
}
