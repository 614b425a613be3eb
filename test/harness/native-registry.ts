import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './native-cache.ts';
import { unpackArchive } from './native-maven.ts';
import { nativeServer, type NativeServer } from './native-process.ts';
import { findJava } from './native-tools.ts';
import { registryAnswers } from './service-clients.ts';

const VERSION = '3.3.3';

export interface RegistryPlace {
  readonly folder: string;
  readonly logFile: string;
  readonly port: number;
  readonly managementPort: number;
  readonly outlives: boolean;
}

export interface RegistryInstall {
  readonly java: string;
  readonly folder: string;
}

/** Apicurio Registry, fetched once (158 MB). */
export async function installRegistry(): Promise<RegistryInstall> {
  const java = await findJava(21, `Apicurio Registry ${VERSION}`);
  const archive = {
    group: 'io.apicurio',
    artifact: 'apicurio-registry-app',
    version: VERSION,
    type: 'tar.gz',
    classifier: 'all',
  };
  const folder = await cached(`apicurio-registry-${VERSION}-1`, async (building) => {
    await unpackArchive(archive, building);
    // Left behind by the unpacking: extended headers, and Maven's markers in a folder of that very name.
    for (const name of ['PaxHeaders.X', '$' + '{project.basedir}']) {
      await rm(join(building, name), { recursive: true, force: true });
    }
  });
  return { java, folder };
}

/** The base of the Confluent API of a registry that listens on `port`. */
export function registryUrl(port: number, host = '127.0.0.1'): string {
  return `http://${host}:${port}/apis/ccompat/v7`;
}

export async function registryServer(install: RegistryInstall, place: RegistryPlace): Promise<NativeServer> {
  await mkdir(place.folder, { recursive: true });
  const settings: Record<string, string | number> = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': place.port,
    // Listens on every interface unless told otherwise.
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': place.managementPort,
    // A file instead of memory, written at once: the ids that records carry must outlive a restart, and a kill.
    'apicurio.datasource.url': `jdbc:h2:file:${join(place.folder, 'registry')};WRITE_DELAY=0`,
    'apicurio.datasource.jdbc.initial-size': 2,
    'apicurio.datasource.jdbc.min-size': 2,
    'apicurio.datasource.jdbc.max-size': 10,
    'quarkus.log.console.color': 'false',
  };
  return nativeServer({
    name: 'Apicurio Registry',
    port: place.port,
    logFile: place.logFile,
    program: install.java,
    args: [
      ...['-Xmx384m', '-XX:+ExitOnOutOfMemoryError', '-XX:TieredStopAtLevel=1'],
      ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
      ...['-jar', join(install.folder, 'quarkus-run.jar')],
    ],
    answers: () => registryAnswers(registryUrl(place.port)),
    outlives: place.outlives,
  });
}
