import { describe, expect, test } from 'vitest';
import { ConfigurationError, type Fault } from '../../processors/core/errors.ts';
import { describeConfig, loadConfig } from '../../processors/runtime/config.ts';

const SERVICES = {
  KIZUNA_KAFKA_BROKERS: 'one:9092, two:9092',
  KIZUNA_MONGODB_URI: 'mongodb://user:hidden@store/?replicaSet=rs0',
  KIZUNA_SCHEMA_REGISTRY_URL: 'http://registry:8081',
};

const files = (content: Record<string, string>) => (path: string) => {
  const text = content[path];
  if (text === undefined) throw new Error('ENOENT');
  return text;
};

function faultsOf(environment: Record<string, string>, content: Record<string, string> = {}): readonly Fault[] {
  try {
    loadConfig(environment, files(content));
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  test('without any setting runs embedded, on loopback, in live time', () => {
    expect(loadConfig({ PATH: '/bin' })).toMatchObject({
      services: null,
      prefix: '',
      time: 'live',
      http: { host: '127.0.0.1', port: 9464 },
      log: { level: 'info' },
      definitionsFolder: null,
      limits: { dirtyDocumentsMax: 300_000, dirtyBytesMax: 536_870_912, dirtyMsMax: 60_000, blockBytesMax: 8_000_000 },
      stopWhenRefused: false,
    });
  });

  test('with the three addresses runs on services, with as many producers as partitions at once', () => {
    const { services } = loadConfig({ ...SERVICES, KIZUNA_PARTITIONS_CONCURRENT: '6' });
    expect(services).toMatchObject({
      kafka: {
        brokers: ['one:9092', 'two:9092'],
        ssl: null,
        sasl: null,
        producers: 6,
        sessionTimeoutMs: 9000,
        fetchBytes: 524_288,
      },
      store: { uri: SERVICES.KIZUNA_MONGODB_URI, database: 'kizuna' },
      registry: { url: 'http://registry:8081', ca: null, credentials: null },
    });
    expect(loadConfig({ ...SERVICES, KIZUNA_PRODUCERS: '2' }).services?.kafka.producers).toBe(2);
  });

  test('takes a time in the unit that suits it, and never', () => {
    const purgeAfter = (text: string): number | null => loadConfig({ KIZUNA_PURGE_AFTER: text }).purgeAfterMs;
    expect(['', '7d', '12h', '90m', '30s'].map(purgeAfter)).toEqual([6048e5, 6048e5, 432e5, 54e5, 3e4]);
    expect(purgeAfter('never')).toBeNull();
    for (const text of ['0d', '7', '7 d', '1w', 'forever', '-1']) {
      expect(faultsOf({ KIZUNA_PURGE_AFTER: text })).toEqual([
        { where: 'KIZUNA_PURGE_AFTER', message: 'must be a time like 7d, 12h, 90m or 30s, or never' },
      ]);
    }
  });

  test('takes no login in the address of the registry, and does not repeat it', () => {
    const url = 'https://user:hidden@registry/apis';
    expect(faultsOf({ ...SERVICES, KIZUNA_SCHEMA_REGISTRY_URL: url })).toEqual([
      {
        where: 'KIZUNA_SCHEMA_REGISTRY_URL',
        message: expect.stringMatching(/^holds a login: give .*_PASSWORD instead$/) as string,
      },
    ]);
    expect(faultsOf({ ...SERVICES, KIZUNA_SCHEMA_REGISTRY_URL: 'https://registry/a@b' })).toEqual([]);
  });

  test('counts an empty variable as unset', () => {
    expect(loadConfig({ KIZUNA_KAFKA_BROKERS: '', KIZUNA_HTTP_PORT: '' })).toEqual(loadConfig({}));
  });

  test('is frozen in every part', () => {
    const config = loadConfig(SERVICES);
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.services?.kafka ?? {}, { clientId: 'x' })).toThrow(TypeError);
  });

  test('names the addresses that a partial set lacks', () => {
    expect(faultsOf({ KIZUNA_MONGODB_URI: SERVICES.KIZUNA_MONGODB_URI })).toEqual([
      { where: 'KIZUNA_KAFKA_BROKERS', message: 'is missing: KIZUNA_MONGODB_URI is given, and they come together' },
      {
        where: 'KIZUNA_SCHEMA_REGISTRY_URL',
        message: 'is missing: KIZUNA_MONGODB_URI is given, and they come together',
      },
    ]);
  });

  test('reports every fault at once, never with a value of a secret', () => {
    const faults = faultsOf({
      ...SERVICES,
      KIZUNA_MONGODB_URI: 'postgres://user:hidden@store',
      KIZUNA_HTTP_PORT: '70000',
      KIZUNA_TIME: 'fast',
      KIZUNA_HTPP_HOST: 'x',
      KIZUNA_STOP_WHEN_REFUSED: 'yes',
    });
    expect(faults.map(({ where, message }) => `${where} ${message}`)).toEqual([
      'KIZUNA_HTPP_HOST is not a setting; did you mean "KIZUNA_HTTP_HOST"?',
      'KIZUNA_MONGODB_URI must be a mongodb:// or mongodb+srv:// address',
      'KIZUNA_TIME is none of live, record',
      'KIZUNA_HTTP_PORT must be a whole number from 0 to 65535',
      'KIZUNA_STOP_WHEN_REFUSED is neither true nor false',
    ]);
  });

  test.each(['1.5', '-1', '1e3', '0x10', ' 5', 'NaN', '9007199254740993'])(
    'refuses %j where a whole number is due',
    (value) => {
      expect(faultsOf({ KIZUNA_DIRTY_SECONDS_MAX: value })).toHaveLength(1);
    },
  );

  test('reads a secret from the file that NAME_FILE names', () => {
    const environment = { ...SERVICES, KIZUNA_MONGODB_URI: '', KIZUNA_MONGODB_URI_FILE: '/run/secrets/uri' };
    const config = loadConfig(environment, files({ '/run/secrets/uri': 'mongodb://from-file\n' }));
    expect(config.services?.store.uri).toBe('mongodb://from-file');
    expect(faultsOf(environment)).toEqual([
      { where: 'KIZUNA_MONGODB_URI_FILE', message: 'cannot read /run/secrets/uri: ENOENT' },
    ]);
    expect(faultsOf({ ...SERVICES, KIZUNA_MONGODB_URI_FILE: 'f' }, { f: 'mongodb://other' })[0]?.message).toContain(
      'twice',
    );
    expect(faultsOf({ KIZUNA_PREFIX_FILE: 'f' })[0]?.message).toContain('is not a setting');
  });

  test('reads certificates and logs in', () => {
    const { services } = loadConfig(
      {
        ...SERVICES,
        KIZUNA_KAFKA_SSL_ENABLED: 'true',
        KIZUNA_KAFKA_SSL_CA: 'ca.pem',
        KIZUNA_KAFKA_SASL_MECHANISM: 'scram-sha-512',
        KIZUNA_KAFKA_SASL_USERNAME: 'kizuna',
        KIZUNA_KAFKA_SASL_PASSWORD: 'hidden',
      },
      files({ 'ca.pem': 'PEM' }),
    );
    expect(services?.kafka.ssl).toEqual({ ca: 'PEM', cert: null, key: null });
    expect(services?.kafka.sasl).toEqual({ mechanism: 'scram-sha-512', username: 'kizuna', password: 'hidden' });
  });

  test.each([
    [{ KIZUNA_KAFKA_SASL_MECHANISM: 'plain' }, ['KIZUNA_KAFKA_SASL_USERNAME']],
    [{ KIZUNA_KAFKA_SASL_PASSWORD: 'p' }, ['KIZUNA_KAFKA_SASL_USERNAME']],
    [{ KIZUNA_SCHEMA_REGISTRY_USERNAME: 'u' }, ['KIZUNA_SCHEMA_REGISTRY_PASSWORD']],
    [{ KIZUNA_API_PORT: '1', KIZUNA_API_HOST: '0.0.0.0' }, ['KIZUNA_API_TOKEN']],
    [{ KIZUNA_API_TOKEN: 'a-token-of-16-or-more' }, ['KIZUNA_API_PORT']],
    [{ KIZUNA_SCHEMA_REGISTRY_SSL_CA: 'f' }, ['KIZUNA_SCHEMA_REGISTRY_SSL_CA']],
    [{ KIZUNA_KAFKA_SSL_CERT: 'f' }, ['KIZUNA_KAFKA_SSL_ENABLED', 'KIZUNA_KAFKA_SSL_KEY']],
    [{ KIZUNA_HEARTBEAT_MS: '3001' }, ['KIZUNA_HEARTBEAT_MS']],
    [{ KIZUNA_CACHED_KEYS_MAX: '1000' }, ['KIZUNA_CACHED_KEYS_MAX']],
  ])('finds that %j does not stand alone', (settings, where) => {
    const environment: Record<string, string> = { ...settings };
    expect(faultsOf(environment, { f: 'PEM' }).map((fault) => fault.where)).toEqual(where);
  });
});

describe('describeConfig', () => {
  test('tells value and origin of every setting, and of a secret only that it is there', () => {
    const described = describeConfig({ ...SERVICES, KIZUNA_KAFKA_SASL_PASSWORD_FILE: '/run/secrets/password' });
    expect(described).toContainEqual({ name: 'KIZUNA_MONGODB_URI', value: '(secret)', from: 'environment' });
    expect(described).toContainEqual({ name: 'KIZUNA_KAFKA_SASL_PASSWORD', value: '(secret)', from: 'file' });
    expect(described).toContainEqual({ name: 'KIZUNA_HTTP_PORT', value: '9464', from: 'default' });
    expect(described).toContainEqual({ name: 'KIZUNA_PRODUCERS', value: null, from: 'default' });
    expect(JSON.stringify(described)).not.toContain('hidden');
  });
});
