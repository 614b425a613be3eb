import type { SchemaRegistry } from '../../schemas/registry.ts';
import type { TopicAdmin } from '../../topics/apply.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Config } from '../runtime/config.ts';
import { kafkaSettings } from '../runtime/connect.ts';
import { KafkaAdmin } from '../runtime/kafka/kafka-admin.ts';
import { createKafkaClient } from '../runtime/kafka/kafka-client.ts';
import { KafkaTopicAdmin } from '../runtime/kafka/topic-admin.ts';
import { createLog } from '../runtime/log.ts';
import type { Log } from '../runtime/ports.ts';
import { connectRegistry } from '../runtime/registry/registry.ts';
import { SILENT_LOG } from './silent-log.ts';

export type ServicesConfig = NonNullable<Config['services']>;

const ADDRESSES = ['KIZUNA_KAFKA_BROKERS', 'KIZUNA_MONGODB_URI', 'KIZUNA_SCHEMA_REGISTRY_URL'];

/** The addresses of the services, for a command that is worth nothing without. `otherwise`: what else there is to do. */
export function requireServices(config: Config, otherwise = ''): ServicesConfig {
  if (config.services !== null) return config.services;
  throw new ConfigurationError(
    ADDRESSES.map((where) => ({ where, message: `is missing: this needs real services${otherwise}` })),
  );
}

/** A command tells what went wrong itself; the clients' own words only interest who looks for a fault. */
export function commandLog(config: Config): Log {
  return config.log.level === 'debug' ? createLog('debug') : SILENT_LOG;
}

/** The topics of the cluster, given back when `stack` is disposed. */
export function openTopicAdmin(config: Config, stack: AsyncDisposableStack): TopicAdmin {
  const settings = kafkaSettings(requireServices(config).kafka);
  const client = createKafkaClient(settings, commandLog(config));
  return new KafkaTopicAdmin(stack.adopt(new KafkaAdmin(client), (admin) => admin.close()));
}

/** The schema registry, given back when `stack` is disposed. */
export function openRegistry(config: Config, stack: AsyncDisposableStack): SchemaRegistry {
  const { url, ca, credentials } = requireServices(config).registry;
  return stack.adopt(connectRegistry({ url, ca, ...credentials }), (registry) => registry.close());
}
