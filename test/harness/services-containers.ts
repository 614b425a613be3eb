import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './native-ports.ts';
import { registryUrl } from './native-registry.ts';
import type { ServiceName } from './native-stack.ts';
import { IMAGES } from './services-images.ts';
import { kafkaAnswers, mongodbAnswers, registryAnswers } from './service-clients.ts';

const ANSWER_WITHIN_MS = 120_000;
const ASK_AGAIN_MS = 200;

export interface StartedContainer {
  readonly address: string;
  stop(): Promise<void>;
}

/** Whether a container engine answers. Takes milliseconds when there is none. */
export async function engineAnswers(): Promise<boolean> {
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/**
 * Starts one service as a container and resolves when it answers its own protocol. The service listens inside on the very
 * port that is published, so that the address it tells its clients is the one they can reach, after a restart too.
 * testcontainers publishes on all interfaces of the engine's host.
 */
export async function startContainer(name: ServiceName): Promise<StartedContainer> {
  const [port] = (await freePorts(1)) as [number];
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  const container = await declare(name, port, host).withExposedPorts({ container: port, host: port }).start();
  try {
    return { address: await addressOnceAnswering(name, host, port), stop: async () => void (await container.stop()) };
  } catch (error) {
    const log = await tailOfLog(container);
    await container.stop();
    throw new Error(`the container of ${IMAGES[name]} did not answer; the end of its log:\n${log}`, { cause: error });
  }
}

function declare(name: ServiceName, port: number, host: string): GenericContainer {
  const container = new GenericContainer(IMAGES[name]);
  switch (name) {
    case 'kafka':
      return container.withEnvironment(kafkaEnvironment(port, host));
    case 'mongodb':
      return container.withCommand(['mongod', '--replSet', 'rs0', '--bind_ip_all', '--port', String(port)]);
    case 'schemaRegistry':
      return container.withEnvironment({ QUARKUS_HTTP_PORT: String(port) });
  }
}

/** The image takes either its own configuration or this whole one. */
function kafkaEnvironment(port: number, host: string): Record<string, string> {
  const controllerPort = port + 1;
  return {
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_NODE_ID: '1',
    KAFKA_LISTENERS: `PLAINTEXT://0.0.0.0:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${host}:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_CONTROLLER_QUORUM_VOTERS: `1@127.0.0.1:${controllerPort}`,
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '4',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_MESSAGE_MAX_BYTES: '8388608',
    KAFKA_REPLICA_FETCH_MAX_BYTES: '8388608',
    KAFKA_HEAP_OPTS: '-Xms256m -Xmx768m',
  };
}

async function addressOnceAnswering(name: ServiceName, host: string, port: number): Promise<string> {
  switch (name) {
    case 'kafka':
      await until(() => kafkaAnswers([`${host}:${port}`]));
      return `${host}:${port}`;
    case 'mongodb': {
      // The server must find itself under the member's name: inside the container that is its loopback address. A client
      // elsewhere cannot use that name, so it connects directly.
      const direct = `mongodb://${host}:${port}/?directConnection=true`;
      await until(() => mongodbAnswers(direct, { member: `127.0.0.1:${port}` }));
      return ['localhost', '127.0.0.1'].includes(host) ? `mongodb://127.0.0.1:${port}/?replicaSet=rs0` : direct;
    }
    case 'schemaRegistry':
      await until(() => registryAnswers(registryUrl(port, host)));
      return registryUrl(port, host);
  }
}

async function until(answers: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  for (;;) {
    try {
      return await answers();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(ASK_AGAIN_MS);
  }
}

async function tailOfLog(container: StartedTestContainer): Promise<string> {
  const lines: string[] = [];
  const stream = await container.logs({ tail: 30 });
  stream.once('end', () => stream.destroy());
  for await (const chunk of stream) lines.push(String(chunk));
  return lines.join('').trimEnd();
}
