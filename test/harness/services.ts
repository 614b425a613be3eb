import { runFolder, removeData } from './native-folder.ts';
import type { NativeServer } from './native-process.ts';
import { registryUrl } from './native-registry.ts';
import { SERVICE_NAMES, startNativeStack, type NativeServers, type ServiceName } from './native-stack.ts';
import { ServicesUnavailable } from './native-tools.ts';
import { kafkaAnswers, mongodbAnswers, registryAnswers } from './service-clients.ts';

export type Origin = 'address' | 'container' | 'native';

export interface ServiceAddresses {
  readonly kafkaBrokers: readonly string[];
  readonly mongodbUri: string;
  /** The base of the registry's Confluent API. */
  readonly schemaRegistryUrl: string;
}

export interface Services extends ServiceAddresses {
  readonly how: Readonly<Record<ServiceName, Origin>>;
  /** What tests can kill and start again: the servers that this process started itself. */
  readonly native: Readonly<NativeServers>;
  /** Stops what was started and removes its data. Harmless when repeated. */
  stop(): Promise<void>;
}

/** Where somebody may already run the services. */
const ADDRESS_VARIABLES: Readonly<Record<ServiceName, string>> = {
  kafka: 'KIZUNA_TEST_KAFKA_BROKERS',
  mongodb: 'KIZUNA_TEST_MONGODB_URI',
  schemaRegistry: 'KIZUNA_TEST_SCHEMA_REGISTRY_URL',
};

/**
 * Kafka, MongoDB and a schema registry that answer: each at its address in the environment, else as a container when an
 * engine answers, else as a native process. Rejects with ServicesUnavailable when the machine lacks something, and with
 * another error when an address does not answer or a server does not come up.
 */
export async function startServices(
  options: { environment?: Readonly<Record<string, string | undefined>> } = {},
): Promise<Services> {
  const given = givenAddresses(options.environment ?? process.env);
  const wanted = SERVICE_NAMES.filter((name) => given[name] === undefined);
  await Promise.all(
    SERVICE_NAMES.map(async (name) => {
      const address = given[name];
      if (address !== undefined) await checkAddress(name, address);
    }),
  );
  const started = await startWanted(wanted);
  const addresses = { ...given, ...started.addresses };
  let stopped: Promise<void> | undefined;
  return {
    kafkaBrokers: (addresses.kafka ?? '').split(',').map((broker) => broker.trim()),
    mongodbUri: addresses.mongodb ?? '',
    schemaRegistryUrl: addresses.schemaRegistry ?? '',
    how: {
      kafka: given.kafka === undefined ? started.origin : 'address',
      mongodb: given.mongodb === undefined ? started.origin : 'address',
      schemaRegistry: given.schemaRegistry === undefined ? started.origin : 'address',
    },
    native: started.native,
    stop: () => (stopped ??= started.stop()),
  };
}

/**
 * As startServices; when the machine lacks something it says so on stderr and resolves with undefined, so that a person
 * can run the other tests. Under CI=true it rejects: there, tests that do not run must not look like tests that pass.
 */
export async function servicesOrSkip(): Promise<Services | undefined> {
  try {
    return await startServices();
  } catch (error) {
    if (!(error instanceof ServicesUnavailable) || process.env['CI'] === 'true') throw error;
    const frame = '='.repeat(100);
    const lines = [
      frame,
      'SKIPPED: every test that needs Kafka, MongoDB and a schema registry. Missing:',
      ...error.missing.map((sentence) => `  - ${sentence}`),
      'Or start a container engine, or run the services elsewhere and name them:',
      `  ${Object.values(ADDRESS_VARIABLES).join(', ')}`,
      frame,
    ];
    process.stderr.write(`\n${lines.join('\n')}\n\n`);
    return undefined;
  }
}

type Addresses = Partial<Record<ServiceName, string>>;

function givenAddresses(environment: Readonly<Record<string, string | undefined>>): Addresses {
  const given: Addresses = {};
  for (const name of SERVICE_NAMES) {
    const address = environment[ADDRESS_VARIABLES[name]]?.trim();
    if (address !== undefined && address !== '') given[name] = address;
  }
  return given;
}

async function checkAddress(name: ServiceName, address: string): Promise<void> {
  const answers: Record<ServiceName, () => Promise<void>> = {
    kafka: () => kafkaAnswers(address.split(',')),
    mongodb: () => mongodbAnswers(address),
    schemaRegistry: () => registryAnswers(address),
  };
  await answers[name]().catch((error: unknown) => {
    throw new Error(`${ADDRESS_VARIABLES[name]}=${address} gives no right answer`, { cause: error });
  });
}

interface Started {
  readonly origin: Origin;
  readonly addresses: Addresses;
  readonly native: NativeServers;
  stop(): Promise<void>;
}

async function startWanted(wanted: readonly ServiceName[]): Promise<Started> {
  if (wanted.length === 0) return { origin: 'address', addresses: {}, native: {}, stop: async () => undefined };
  // Loading testcontainers takes half a second: only when it is asked.
  const containers = await import('./services-containers.ts');
  return (await containers.engineAnswers()) ? startContainers(wanted, containers) : startNative(wanted);
}

async function startContainers(
  wanted: readonly ServiceName[],
  { startContainer }: typeof import('./services-containers.ts'),
): Promise<Started> {
  const results = await Promise.allSettled(wanted.map((name) => startContainer(name)));
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => void (await Promise.all(started.map((container) => container.stop())));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await stop();
    throw new Error('a container did not start', { cause: failure.reason });
  }
  const addresses = Object.fromEntries(wanted.map((name, index) => [name, started[index]?.address]));
  return { origin: 'container', addresses, native: {}, stop };
}

async function startNative(wanted: readonly ServiceName[]): Promise<Started> {
  const folder = await runFolder();
  try {
    const native = await startNativeStack(wanted, { folder, ports: {}, outlives: false });
    const stop = async (): Promise<void> => {
      await Promise.all(Object.values(native).map((server) => server.stop()));
      await removeData(folder);
    };
    return { origin: 'native', addresses: nativeAddresses(native), native, stop };
  } catch (error) {
    await removeData(folder);
    throw error;
  }
}

/** The addresses of servers on this machine. */
export function nativeAddresses(servers: Partial<Record<ServiceName, Pick<NativeServer, 'port'>>>): Addresses {
  const { kafka, mongodb, schemaRegistry } = servers;
  return {
    ...(kafka && { kafka: `127.0.0.1:${kafka.port}` }),
    ...(mongodb && { mongodb: `mongodb://127.0.0.1:${mongodb.port}/?replicaSet=rs0` }),
    ...(schemaRegistry && { schemaRegistry: registryUrl(schemaRegistry.port) }),
  };
}
