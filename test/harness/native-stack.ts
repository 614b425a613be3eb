import { join } from 'node:path';
import { installKafka, kafkaServer } from './native-kafka.ts';
import { installMongodb, mongodbServer } from './native-mongodb.ts';
import { freePorts } from './native-ports.ts';
import type { NativeServer } from './native-process.ts';
import { installRegistry, registryServer } from './native-registry.ts';
import { ServicesUnavailable } from './native-tools.ts';

export const SERVICE_NAMES = ['kafka', 'mongodb', 'schemaRegistry'] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];

export type NativeServers = Partial<Record<ServiceName, NativeServer>>;

export interface StackPlace {
  /** Holds a data folder for each service, and `logs`. */
  readonly folder: string;
  /** A service without an entry listens on a free port. */
  readonly ports: Partial<Record<ServiceName, number>>;
  readonly outlives: boolean;
}

/**
 * Installs what is not installed yet and starts the named servers side by side. Rejects with one ServicesUnavailable that
 * lists everything that is missing, or with the first server's failure; nothing is left running then.
 */
export async function startNativeStack(names: readonly ServiceName[], place: StackPlace): Promise<NativeServers> {
  const results = await Promise.allSettled(names.map((name) => startOne(name, place)));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [asError(result.reason)] : []));
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (failures.length === 0) return Object.fromEntries(names.map((name, index) => [name, started[index]]));
  await Promise.all(started.map((server) => server.stop()));
  const broken = failures.find((failure) => !(failure instanceof ServicesUnavailable));
  if (broken !== undefined) throw broken;
  const missing = failures.flatMap((failure) => (failure instanceof ServicesUnavailable ? failure.missing : []));
  throw new ServicesUnavailable([...new Set(missing)]);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

async function startOne(name: ServiceName, place: StackPlace): Promise<NativeServer> {
  const server = await makeServer(name, place);
  await server.start();
  return server;
}

async function makeServer(name: ServiceName, { folder, ports, outlives }: StackPlace): Promise<NativeServer> {
  const [ownPort, secondPort] = (await freePorts(2)) as [number, number];
  const common = {
    folder: join(folder, name),
    logFile: join(folder, 'logs', `${name}.log`),
    port: ports[name] ?? ownPort,
    outlives,
  };
  switch (name) {
    case 'kafka':
      return kafkaServer(await installKafka(), { ...common, controllerPort: secondPort });
    case 'mongodb':
      return mongodbServer(await installMongodb(), common);
    case 'schemaRegistry':
      return registryServer(await installRegistry(), { ...common, managementPort: secondPort });
  }
}
