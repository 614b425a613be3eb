import { readFileSync } from 'node:fs';
import { ConfigurationError, type Fault } from '../core/errors.ts';
import { parseSettings, type Environment, type ReadFile } from './config-parse.ts';
import { SETTING_NAMES, SETTINGS, type SettingValues } from './config-table.ts';
import type { Setting } from './config-types.ts';
import { isLoopback } from './loopback.ts';

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** null: plain text. Contents of PEM files, null when not given. */
  readonly ssl: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null } | null;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  } | null;
  readonly producers: number;
  readonly partitionsConcurrent: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly fetchWaitMs: number;
  /** Per partition. */
  readonly fetchBytes: number;
}

export interface StoreConfig {
  readonly uri: string;
  readonly database: string;
}

export interface RegistryConfig {
  readonly url: string;
  /** Certificate authorities (PEM); null: the system's. */
  readonly ca: string | null;
  readonly credentials: { readonly username: string; readonly password: string } | null;
}

/** Everything that can be set, parsed once and frozen; each part gets its own slice. */
export interface Config {
  /** null: everything runs embedded, in memory. */
  readonly services: {
    readonly kafka: KafkaConfig;
    readonly store: StoreConfig;
    readonly registry: RegistryConfig;
  } | null;
  /** Before the names of topics and groups. */
  readonly prefix: string;
  readonly time: 'live' | 'record';
  readonly http: { readonly host: string; readonly port: number };
  /** null: none is served. */
  readonly api: { readonly host: string; readonly port: number; readonly token: string | null } | null;
  /** Key of the hashes in receipts of erasures; null: none are written. */
  readonly erasureKey: string | null;
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
  /** null: the shipped set. */
  readonly definitionsFolder: string | null;
  readonly limits: {
    readonly cachedKeysMax: number;
    readonly dirtyDocumentsMax: number;
    readonly dirtyBytesMax: number;
    readonly dirtyMsMax: number;
    readonly ringBytesMax: number;
    readonly blockBytesMax: number;
  };
  /** null: never. */
  readonly purgeAfterMs: number | null;
  readonly stopWhenRefused: boolean;
  readonly stopVisibleMs: number;
  readonly shutdownMs: number;
}

const readText: ReadFile = (path) => readFileSync(path, 'utf8');

/** The configuration of this process. Throws a ConfigurationError that lists every fault. */
export function loadConfig(environment: Environment = process.env, readFile: ReadFile = readText): Config {
  const { values, faults } = parseSettings(environment, readFile);
  faults.push(...contradictions(values));
  const services = connect(values, faults);
  if (faults.length > 0) throw new ConfigurationError(faults);
  return deepFreeze({
    services,
    prefix: values.KIZUNA_PREFIX,
    time: values.KIZUNA_TIME,
    http: { host: values.KIZUNA_HTTP_HOST, port: values.KIZUNA_HTTP_PORT },
    api: apiConfig(values),
    erasureKey: values.KIZUNA_ERASURE_KEY,
    log: { level: values.KIZUNA_LOG_LEVEL },
    definitionsFolder: values.KIZUNA_DEFINITIONS,
    limits: {
      cachedKeysMax: values.KIZUNA_CACHED_KEYS_MAX,
      dirtyDocumentsMax: values.KIZUNA_DIRTY_DOCUMENTS_MAX,
      dirtyBytesMax: values.KIZUNA_DIRTY_BYTES_MAX,
      dirtyMsMax: values.KIZUNA_DIRTY_SECONDS_MAX * 1000,
      ringBytesMax: values.KIZUNA_RING_BYTES_MAX,
      blockBytesMax: values.KIZUNA_BLOCK_BYTES_MAX,
    },
    purgeAfterMs: values.KIZUNA_PURGE_AFTER,
    stopWhenRefused: values.KIZUNA_STOP_WHEN_REFUSED,
    stopVisibleMs: values.KIZUNA_STOP_VISIBLE_MS,
    shutdownMs: values.KIZUNA_SHUTDOWN_MS,
  });
}

/** What each setting is in an environment, and where that comes from; secrets are never shown. */
export function describeConfig(
  environment: Environment = process.env,
): { name: string; value: string | null; from: 'default' | 'environment' | 'file' }[] {
  return SETTING_NAMES.map((name) => {
    const { fallback, secret }: Setting<unknown> = SETTINGS[name];
    const direct = environment[name] || null;
    if (secret) {
      const isInFile = Boolean(environment[`${name}_FILE`]);
      if (direct === null && !isInFile) return { name, value: null, from: 'default' };
      return { name, value: '(secret)', from: direct === null ? 'file' : 'environment' };
    }
    return direct === null ? { name, value: fallback, from: 'default' } : { name, value: direct, from: 'environment' };
  });
}

/** The three services come together or not at all: half of them would keep half of what is promised. */
function connect(values: SettingValues, faults: Fault[]): Config['services'] {
  const addresses = {
    KIZUNA_KAFKA_BROKERS: values.KIZUNA_KAFKA_BROKERS,
    KIZUNA_MONGODB_URI: values.KIZUNA_MONGODB_URI,
    KIZUNA_SCHEMA_REGISTRY_URL: values.KIZUNA_SCHEMA_REGISTRY_URL,
  };
  const brokers = addresses.KIZUNA_KAFKA_BROKERS;
  const uri = addresses.KIZUNA_MONGODB_URI;
  const url = addresses.KIZUNA_SCHEMA_REGISTRY_URL;
  if (brokers === null && uri === null && url === null) return null;
  if (brokers === null || uri === null || url === null) {
    const present = Object.entries(addresses).find(([, value]) => value !== null)?.[0] ?? '';
    for (const [name, value] of Object.entries(addresses)) {
      const isFaulty = faults.some((fault) => fault.where.replace(/_FILE$/, '') === name);
      if (value === null && !isFaulty)
        faults.push({ where: name, message: `is missing: ${present} is given, and they come together` });
    }
    return null;
  }
  return {
    kafka: kafkaConfig(values, brokers),
    store: { uri, database: values.KIZUNA_MONGODB_DATABASE },
    registry: {
      url,
      ca: values.KIZUNA_SCHEMA_REGISTRY_SSL_CA,
      credentials: credentials(values.KIZUNA_SCHEMA_REGISTRY_USERNAME, values.KIZUNA_SCHEMA_REGISTRY_PASSWORD),
    },
  };
}

function kafkaConfig(values: SettingValues, brokers: readonly string[]): KafkaConfig {
  const mechanism = values.KIZUNA_KAFKA_SASL_MECHANISM;
  const login = credentials(values.KIZUNA_KAFKA_SASL_USERNAME, values.KIZUNA_KAFKA_SASL_PASSWORD);
  return {
    brokers,
    clientId: values.KIZUNA_KAFKA_CLIENT_ID,
    ssl: values.KIZUNA_KAFKA_SSL_ENABLED
      ? { ca: values.KIZUNA_KAFKA_SSL_CA, cert: values.KIZUNA_KAFKA_SSL_CERT, key: values.KIZUNA_KAFKA_SSL_KEY }
      : null,
    sasl: mechanism === null || login === null ? null : { mechanism, ...login },
    producers: values.KIZUNA_PRODUCERS ?? values.KIZUNA_PARTITIONS_CONCURRENT,
    partitionsConcurrent: values.KIZUNA_PARTITIONS_CONCURRENT,
    sessionTimeoutMs: values.KIZUNA_SESSION_TIMEOUT_MS,
    heartbeatMs: values.KIZUNA_HEARTBEAT_MS,
    rebalanceTimeoutMs: values.KIZUNA_REBALANCE_TIMEOUT_MS,
    fetchWaitMs: values.KIZUNA_FETCH_WAIT_MS,
    fetchBytes: values.KIZUNA_FETCH_BYTES,
  };
}

function apiConfig(values: SettingValues): Config['api'] {
  const { KIZUNA_API_HOST: host, KIZUNA_API_PORT: port, KIZUNA_API_TOKEN: token } = values;
  return port === null ? null : { host, port, token };
}

const credentials = (username: string | null, password: string | null): RegistryConfig['credentials'] =>
  username === null || password === null ? null : { username, password };

/** Settings that are each well formed and do not go together. */
function contradictions(values: SettingValues): Fault[] {
  const faults: Fault[] = [];
  const needs = (name: keyof SettingValues, other: keyof SettingValues, isMet: boolean): void => {
    const isGiven = values[name] !== null && values[name] !== false;
    if (isGiven && !isMet) faults.push({ where: other, message: `is missing: ${name} needs it` });
  };
  const has = (name: keyof SettingValues): boolean => values[name] !== null;
  for (const part of ['CA', 'CERT', 'KEY'] as const) {
    needs(`KIZUNA_KAFKA_SSL_${part}`, 'KIZUNA_KAFKA_SSL_ENABLED', values.KIZUNA_KAFKA_SSL_ENABLED);
  }
  const pairs = [
    ['KIZUNA_KAFKA_SSL_CERT', 'KIZUNA_KAFKA_SSL_KEY'],
    ['KIZUNA_KAFKA_SASL_USERNAME', 'KIZUNA_KAFKA_SASL_PASSWORD'],
    ['KIZUNA_SCHEMA_REGISTRY_USERNAME', 'KIZUNA_SCHEMA_REGISTRY_PASSWORD'],
  ] as const;
  for (const [one, other] of pairs) {
    needs(one, other, has(other));
    needs(other, one, has(one));
  }
  needs('KIZUNA_KAFKA_SASL_MECHANISM', 'KIZUNA_KAFKA_SASL_USERNAME', has('KIZUNA_KAFKA_SASL_USERNAME'));
  needs('KIZUNA_KAFKA_SASL_USERNAME', 'KIZUNA_KAFKA_SASL_MECHANISM', has('KIZUNA_KAFKA_SASL_MECHANISM'));
  if (/\/\/[^/]*@/.test(values.KIZUNA_SCHEMA_REGISTRY_URL ?? '')) {
    const message = 'holds a login: give KIZUNA_SCHEMA_REGISTRY_USERNAME and KIZUNA_SCHEMA_REGISTRY_PASSWORD instead';
    faults.push({ where: 'KIZUNA_SCHEMA_REGISTRY_URL', message });
  }
  if (
    values.KIZUNA_SCHEMA_REGISTRY_SSL_CA !== null &&
    values.KIZUNA_SCHEMA_REGISTRY_URL?.startsWith('https:') !== true
  ) {
    const message = 'is of no use: KIZUNA_SCHEMA_REGISTRY_URL has no https';
    faults.push({ where: 'KIZUNA_SCHEMA_REGISTRY_SSL_CA', message });
  }
  needs('KIZUNA_API_TOKEN', 'KIZUNA_API_PORT', has('KIZUNA_API_PORT'));
  if (has('KIZUNA_API_PORT') && !has('KIZUNA_API_TOKEN') && !isLoopback(values.KIZUNA_API_HOST)) {
    const message = `is missing: others reach KIZUNA_API_HOST ${values.KIZUNA_API_HOST}`;
    faults.push({ where: 'KIZUNA_API_TOKEN', message });
  }
  if (values.KIZUNA_HEARTBEAT_MS * 3 > values.KIZUNA_SESSION_TIMEOUT_MS) {
    faults.push({ where: 'KIZUNA_HEARTBEAT_MS', message: 'is more than a third of KIZUNA_SESSION_TIMEOUT_MS' });
  }
  if (values.KIZUNA_CACHED_KEYS_MAX < values.KIZUNA_DIRTY_DOCUMENTS_MAX) {
    faults.push({
      where: 'KIZUNA_CACHED_KEYS_MAX',
      message: 'is less than KIZUNA_DIRTY_DOCUMENTS_MAX, which it has to hold',
    });
  }
  return faults;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part as object);
  return Object.freeze(value);
}
