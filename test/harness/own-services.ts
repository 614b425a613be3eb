import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { installKafka, kafkaServer } from './native-kafka.ts';
import { freePorts } from './native-ports.ts';
import type { NativeServer } from './native-process.ts';
import { startNativeStack } from './native-stack.ts';
import { ServicesUnavailable } from './native-tools.ts';
import { nativeAddresses, type ServiceAddresses } from './services.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Services that nobody else uses, as processes of this machine: to be stopped, killed, started again and slowed down. */
export interface OwnServices extends ServiceAddresses, AsyncDisposable {
  readonly kafka: NativeServer;
  readonly mongodb: NativeServer;
  readonly schemaRegistry: NativeServer;
  /** What Kizuna gets when it is to come by way of the proxies; whoever uses the addresses above goes straight. */
  readonly behind: Readonly<Record<'KIZUNA_KAFKA_BROKERS' | 'KIZUNA_MONGODB_URI', string>>;
  readonly toKafka: TcpProxy;
  readonly toMongodb: TcpProxy;
}

/** Starts them; skips the test, saying why, on a machine that cannot run them. */
export async function startOwnServices({ skip }: Pick<TestContext, 'skip'>): Promise<OwnServices> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'kizuna-own-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [port, controllerPort, innerPort] = (await freePorts(3)) as [number, number, number];
  const toKafka = stack.use(await openTcpProxy(`127.0.0.1:${innerPort}`));
  try {
    const behind = { port: innerPort, proxyPort: toKafka.port };
    const place = { folder: join(folder, 'kafka'), logFile: join(folder, 'logs', 'kafka.log'), outlives: false };
    const kafka = await kafkaServer(await installKafka(), { ...place, port, controllerPort, behind });
    stack.defer(() => kafka.stop());
    const [others] = await Promise.all([
      startNativeStack(['mongodb', 'schemaRegistry'], { folder, ports: {}, outlives: false }),
      kafka.start(),
    ]);
    const { mongodb, schemaRegistry } = others;
    if (mongodb === undefined || schemaRegistry === undefined) throw new Error('a server was not started');
    stack.defer(async () => void (await Promise.all([mongodb.stop(), schemaRegistry.stop()])));
    const toMongodb = stack.use(await openTcpProxy(`127.0.0.1:${mongodb.port}`));
    const addresses = nativeAddresses({ kafka, mongodb, schemaRegistry });
    const opened = stack.move();
    return {
      ...{ kafka, mongodb, schemaRegistry, toKafka, toMongodb },
      kafkaBrokers: [addresses.kafka ?? ''],
      mongodbUri: addresses.mongodb ?? '',
      schemaRegistryUrl: addresses.schemaRegistry ?? '',
      behind: {
        KIZUNA_KAFKA_BROKERS: toKafka.address,
        // Straight to that address: the member of the replica set calls itself by its own.
        KIZUNA_MONGODB_URI: `mongodb://${toMongodb.address}/?directConnection=true`,
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  } catch (error) {
    if (error instanceof ServicesUnavailable) return skip(error.message);
    throw error;
  }
}

/** The services of one test file: started by the first test that asks, stopped by `stop`. */
export function sharedOwnServices(): {
  of(context: Pick<TestContext, 'skip'>): Promise<OwnServices>;
  stop(): Promise<void>;
} {
  let services: OwnServices | undefined;
  return {
    of: async (context) => (services ??= await startOwnServices(context)),
    stop: async () => services?.[Symbol.asyncDispose](),
  };
}
