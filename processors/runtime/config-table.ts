import {
  choice,
  defaulted,
  file,
  flag,
  list,
  matching,
  optional,
  text,
  timeSpan,
  whole,
  type Setting,
} from './config-types.ts';

const httpUrl = matching('URL', /^https?:\/\/\S+$/, 'an http:// or https:// address');
const mongoUri = matching('URI', /^mongodb(\+srv)?:\/\/\S+$/, 'a mongodb:// or mongodb+srv:// address');
const name = matching('name', /^[A-Za-z0-9_-]+$/, 'letters, digits, - and _');
const namePart = matching('name', /^[A-Za-z0-9._-]*$/, 'letters, digits, . - and _');
const milliseconds = (min: number, max?: number) => whole('milliseconds', min, max);
const bytes = (min: number, max?: number) => whole('bytes', min, max);

const MIB = 1024 * 1024;

/**
 * Every setting there is: type, default, meaning, secrecy. This table is what is parsed, what `kizuna config docs` prints and
 * what the README shows.
 */
export const SETTINGS = {
  KIZUNA_KAFKA_BROKERS: optional(
    list,
    'Addresses of Kafka brokers, `host:port`. Given together with KIZUNA_MONGODB_URI and KIZUNA_SCHEMA_REGISTRY_URL; without all three everything runs embedded, in memory, and keeps nothing.',
  ),
  KIZUNA_KAFKA_CLIENT_ID: defaulted(name, 'kizuna', 'How the brokers’ logs and quotas call this process.'),
  KIZUNA_KAFKA_SSL_ENABLED: defaulted(flag, 'false', 'Speak TLS to the brokers.'),
  KIZUNA_KAFKA_SSL_CA: optional(file, 'Certificate authorities to trust (PEM) instead of the system’s.'),
  KIZUNA_KAFKA_SSL_CERT: optional(file, 'Client certificate (PEM), for mutual TLS.'),
  KIZUNA_KAFKA_SSL_KEY: optional(file, 'Key of the client certificate (PEM).'),
  KIZUNA_KAFKA_SASL_MECHANISM: optional(
    choice(['plain', 'scram-sha-256', 'scram-sha-512']),
    'How to log in to the brokers; without it nobody logs in.',
  ),
  KIZUNA_KAFKA_SASL_USERNAME: optional(text, 'User for the brokers.'),
  KIZUNA_KAFKA_SASL_PASSWORD: optional(text, 'Password for the brokers.', { secret: true }),
  KIZUNA_MONGODB_URI: optional(mongoUri, 'Address of the MongoDB replica set.', { secret: true }),
  KIZUNA_MONGODB_DATABASE: defaulted(name, 'kizuna', 'Database that holds journals and documents.'),
  KIZUNA_SCHEMA_REGISTRY_URL: optional(httpUrl, 'Address of a schema registry with the Confluent interface.'),
  KIZUNA_SCHEMA_REGISTRY_SSL_CA: optional(
    file,
    'Certificate authorities to trust (PEM) instead of the system’s, for a registry with https.',
  ),
  KIZUNA_SCHEMA_REGISTRY_USERNAME: optional(text, 'User for the registry.'),
  KIZUNA_SCHEMA_REGISTRY_PASSWORD: optional(text, 'Password for the registry.', { secret: true }),
  KIZUNA_PREFIX: defaulted(
    namePart,
    '',
    'Put before the name of every topic and consumer group, for several on one cluster.',
  ),
  KIZUNA_TIME: defaulted(
    choice(['live', 'record']),
    'live',
    '`live`: silence is noticed as real time passes. `record`: only as the time of the records passes, for loading history.',
  ),
  KIZUNA_HTTP_HOST: defaulted(
    text,
    '127.0.0.1',
    'Where /metrics, /livez and /readyz listen; `0.0.0.0` in a container.',
  ),
  KIZUNA_HTTP_PORT: defaulted(whole('port', 0, 65_535), '9464', 'Port of the same; 0 takes a free one.'),
  KIZUNA_API_PORT: optional(
    whole('port', 0, 65_535),
    'Port of the read-only API about customers; without it there is none. 0 takes a free one.',
  ),
  KIZUNA_API_HOST: defaulted(
    text,
    '127.0.0.1',
    'Where the API listens; an address that others reach needs KIZUNA_API_TOKEN.',
  ),
  KIZUNA_API_TOKEN: optional(
    matching('token', /^[\x21-\x7e]{16,}$/, 'at least 16 visible ASCII characters'),
    'What a request to the API must show as bearer token.',
    { secret: true },
  ),
  KIZUNA_ERASURE_KEY: optional(
    matching('key', /^[\x21-\x7e]{32,}$/, 'at least 32 visible ASCII characters'),
    'Key of the hashes by which receipts name who was erased (`kizuna erase`). Keep it: with another one earlier receipts name nobody.',
    { secret: true },
  ),
  KIZUNA_LOG_LEVEL: defaulted(
    choice(['debug', 'info', 'warn', 'error']),
    'info',
    'The least severe lines to log, to stderr.',
  ),
  KIZUNA_DEFINITIONS: optional(
    text,
    'Folder of segments, churn models, brands, surveys, touchpoint settings and experiments instead of the shipped set.',
  ),
  KIZUNA_CACHED_KEYS_MAX: defaulted(
    whole('customers', 1000),
    '400000',
    'Unpacked states kept in memory by one process.',
  ),
  KIZUNA_DIRTY_DOCUMENTS_MAX: defaulted(
    whole('documents', 1),
    '300000',
    'Documents of one process whose newest state is in the journal only; at the bound, batches wait.',
  ),
  KIZUNA_DIRTY_BYTES_MAX: defaulted(bytes(MIB), String(512 * MIB), 'The same, in bytes.'),
  KIZUNA_DIRTY_SECONDS_MAX: defaulted(whole('seconds', 1), '60', 'The same, by the age of the oldest change.'),
  KIZUNA_RING_BYTES_MAX: defaulted(
    bytes(MIB),
    String(128 * MIB),
    'Bytes of one partition’s journal that may await their documents.',
  ),
  KIZUNA_BLOCK_BYTES_MAX: defaulted(
    bytes(64 * 1024, 15 * MIB),
    '8000000',
    'The largest journal block; a batch that would make a larger one is split.',
  ),
  KIZUNA_PARTITIONS_CONCURRENT: defaulted(
    whole('partitions', 1, 256),
    '4',
    'Partitions that one process folds at once.',
  ),
  KIZUNA_PRODUCERS: optional(
    whole('connections', 1, 256),
    'Producers of one process; as many as KIZUNA_PARTITIONS_CONCURRENT if unset.',
  ),
  KIZUNA_SESSION_TIMEOUT_MS: defaulted(milliseconds(1000), '9000', 'A member silent for so long loses its partitions.'),
  KIZUNA_HEARTBEAT_MS: defaulted(
    milliseconds(100),
    '1000',
    'How often a member shows that it lives; at most a third of the session timeout.',
  ),
  KIZUNA_REBALANCE_TIMEOUT_MS: defaulted(
    milliseconds(1000),
    '20000',
    'How long a rebalance waits for members that are busy.',
  ),
  KIZUNA_FETCH_WAIT_MS: defaulted(
    milliseconds(1, 5000),
    '100',
    'How long a broker may hold a fetch that finds nothing.',
  ),
  KIZUNA_FETCH_BYTES: defaulted(bytes(1024, 64 * MIB), String(512 * 1024), 'Bytes fetched at once from one partition.'),
  KIZUNA_PURGE_AFTER: defaulted(
    timeSpan,
    '7d',
    'How long internal topics keep a record after every group has folded it: at least the time between two backups of the database, since what is restored needs it again. `never` keeps everything.',
  ),
  KIZUNA_STOP_WHEN_REFUSED: defaulted(
    flag,
    'false',
    'Stop when more than half of at least 1,000 consecutive records are refused, instead of sending them to the dead letters.',
  ),
  KIZUNA_STOP_VISIBLE_MS: defaulted(
    milliseconds(0),
    '60000',
    'How long a process that stopped for good still serves /metrics, where kizuna_stopped tells why, before it ends: a few scrapes.',
  ),
  KIZUNA_SHUTDOWN_MS: defaulted(
    milliseconds(1000),
    '15000',
    'How long a stop may take before the process ends with an error.',
  ),
} as const satisfies Record<`KIZUNA_${string}`, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

/** The parsed value of every setting, by name. */
export type SettingValues = { readonly [N in SettingName]: (typeof SETTINGS)[N] extends Setting<infer T> ? T : never };

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
