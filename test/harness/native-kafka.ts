import { access, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './native-cache.ts';
import { copyJars } from './native-maven.ts';
import { nativeServer, type NativeServer } from './native-process.ts';
import { findJava, runProgram } from './native-tools.ts';
import { kafkaAnswers } from './service-clients.ts';

const VERSION = '4.3.0';
const CLUSTER_ID = 'a2l6dW5hLWtpenVuYS1rYQ';
/** Takes the largest interaction, 6 MiB, with room for the rest of its batch. */
const LARGEST_BATCH_BYTES = 8 * 1024 * 1024;

export interface KafkaPlace {
  readonly folder: string;
  readonly logFile: string;
  readonly port: number;
  readonly controllerPort: number;
  /** A second way in, which tells its clients to come by way of another port: that of a proxy. */
  readonly behind?: { readonly port: number; readonly proxyPort: number };
  readonly outlives: boolean;
  /** How it differs from a broker that anybody may use. */
  readonly secured?: KafkaSecurity;
}

export interface KafkaSecurity {
  /** On top of the usual server properties. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** A data folder formatted with users. */
  readonly formatted: string;
  readonly answers: () => Promise<void>;
}

export interface KafkaInstall {
  readonly java: string;
  readonly folder: string;
}

/** Kafka's jars and an empty formatted data folder, fetched and made once. */
export async function installKafka(): Promise<KafkaInstall> {
  const java = await findJava(17, `Kafka ${VERSION}`);
  const folder = await cached(`kafka-${VERSION}-1`, async (building) => {
    await copyJars(
      [
        { group: 'org.apache.kafka', artifact: 'kafka_2.13', version: VERSION },
        // Without a binding for slf4j the broker logs nothing.
        { group: 'org.apache.logging.log4j', artifact: 'log4j-slf4j-impl', version: '2.25.4' },
      ],
      join(building, 'jars'),
    );
    await writeFile(join(building, 'log4j2.properties'), LOGGING);
    // Formatting costs a start of Java: done once, every later start copies the result.
    await formatKafka({ java, folder: building }, building, []);
  });
  return { java, folder };
}

/** Writes an empty data folder, `formatted`, below `target`; `more`: further arguments of the storage tool. */
export async function formatKafka(install: KafkaInstall, target: string, more: readonly string[]): Promise<void> {
  const properties = join(target, 'format.properties');
  const place = { data: join(target, 'formatted'), port: 9092, controllerPort: 9093 };
  await writeFile(properties, serverProperties(place));
  const format = ['format', '-t', CLUSTER_ID, '-c', properties, '--ignore-formatted', ...more];
  await runProgram(
    install.java,
    ['-cp', join(install.folder, 'jars', '*'), 'kafka.tools.StorageTool', ...format],
    target,
  );
}

export async function kafkaServer(install: KafkaInstall, place: KafkaPlace): Promise<NativeServer> {
  const data = join(place.folder, 'data');
  const properties = join(place.folder, 'server.properties');
  const isNew = await access(data).then(
    () => false,
    () => true,
  );
  await mkdir(place.folder, { recursive: true });
  if (isNew) await cp(place.secured?.formatted ?? join(install.folder, 'formatted'), data, { recursive: true });
  await writeFile(properties, serverProperties({ data, ...place }));
  return nativeServer({
    name: 'Kafka',
    port: place.port,
    logFile: place.logFile,
    program: install.java,
    args: [
      ...['-Xms256m', '-Xmx768m', '-XX:+ExitOnOutOfMemoryError', '-Djava.awt.headless=true'],
      `-Dlog4j2.configurationFile=${join(install.folder, 'log4j2.properties')}`,
      ...['-cp', join(install.folder, 'jars', '*'), 'kafka.Kafka', properties],
    ],
    answers: place.secured?.answers ?? (() => kafkaAnswers([`127.0.0.1:${place.port}`])),
    outlives: place.outlives,
  });
}

type ServerPlace = Pick<KafkaPlace, 'port' | 'controllerPort' | 'behind' | 'secured'> & { readonly data: string };

function serverProperties(place: ServerPlace): string {
  const { behind } = place;
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: [
      `PLAINTEXT://127.0.0.1:${place.port}`,
      `CONTROLLER://127.0.0.1:${place.controllerPort}`,
      ...(behind ? [`BEHIND://127.0.0.1:${behind.port}`] : []),
    ].join(','),
    'advertised.listeners': [
      `PLAINTEXT://127.0.0.1:${place.port}`,
      ...(behind ? [`BEHIND://127.0.0.1:${behind.proxyPort}`] : []),
    ].join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BEHIND:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': `1@127.0.0.1:${place.controllerPort}`,
    'log.dirs': place.data,
    // One broker holds everything.
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // Small and quick: few internal partitions, no wait for members that will not come, little memory for compaction.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    // A broker that was killed is let back in when its old session has run out.
    'broker.session.timeout.ms': 4_000,
    'broker.heartbeat.interval.ms': 1_000,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    'num.network.threads': 2,
    'num.io.threads': 4,
    // As in production: a topic that nobody declared is a mistake.
    'auto.create.topics.enable': 'false',
    'message.max.bytes': LARGEST_BATCH_BYTES,
    'replica.fetch.max.bytes': LARGEST_BATCH_BYTES,
    ...place.secured?.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const LOGGING = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
`;
