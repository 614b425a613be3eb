import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { freePorts, isFree } from '../../harness/native-ports.ts';
import { findJava, requireProgram } from '../../harness/native-tools.ts';
import { servicesOrSkip, startServices } from '../../harness/services.ts';
import { endProcess, isOurs, readStackState, writeStackState } from '../../harness/services-state.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kizuna-services-test-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

describe('a machine that lacks something', () => {
  /** Nothing on PATH, nothing in the cache, no engine, no address. */
  const bareMachine = (): void => {
    vi.stubEnv('PATH', folder);
    vi.stubEnv('XDG_CACHE_HOME', folder);
    vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock');
    for (const name of ['KAFKA_BROKERS', 'MONGODB_URI', 'SCHEMA_REGISTRY_URL']) vi.stubEnv(`KIZUNA_TEST_${name}`, '');
  };

  test('is told all of it at once, with how to install it, and the other tests go on', async () => {
    bareMachine();
    vi.stubEnv('CI', '');
    const printed = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await servicesOrSkip()).toBeUndefined();
    const text = printed.mock.calls.map(([chunk]) => String(chunk)).join('');
    expect(text).toContain('SKIPPED');
    expect(text).toMatch(/Kafka .* needs Java|mvn is not on PATH: apt-get install maven/);
    expect(text).toMatch(/install mongod|python3-pip/);
    expect(text).toContain('KIZUNA_TEST_KAFKA_BROKERS, KIZUNA_TEST_MONGODB_URI, KIZUNA_TEST_SCHEMA_REGISTRY_URL');
  });

  test('fails under CI=true instead of skipping', async () => {
    bareMachine();
    vi.stubEnv('CI', 'true');
    await expect(servicesOrSkip()).rejects.toThrow(/is not on PATH|needs Java/);
  });

  test('an address that does not answer is an error and no reason to start anything else', async () => {
    const [port] = await freePorts(1);
    const environment = {
      KIZUNA_TEST_KAFKA_BROKERS: `127.0.0.1:${port}`,
      KIZUNA_TEST_MONGODB_URI: `mongodb://127.0.0.1:${port}/`,
      KIZUNA_TEST_SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}`,
    };
    await expect(startServices({ environment })).rejects.toThrow(/^KIZUNA_TEST_\w+=\S+ gives no right answer$/);
  });

  test('a Java that is too old, and a program that is not there, are named with what to do', async () => {
    await expect(findJava(9_999, 'A service')).rejects.toThrow(/^A service needs Java 9999 or newer.* install /);
    await expect(requireProgram('no-such-program', 'buy one')).rejects.toThrow(
      'no-such-program is not on PATH: buy one',
    );
  });
});

test('free ports are different, free and below those of outgoing connections', async () => {
  const ports = await freePorts(5);
  expect(new Set(ports).size).toBe(5);
  expect(ports.filter((port) => port < 15_000 || port > 31_999)).toEqual([]);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  expect(await isFree((server.address() as AddressInfo).port)).toBe(false);
  server.close();
});

describe('the stack that was left running', () => {
  const server = { pid: 1, port: 9092 };

  test('is read as it was written, and not at all when the file is damaged', async () => {
    const state = { kafka: server, mongodb: server, schemaRegistry: server };
    expect(await readStackState(folder)).toBeUndefined();
    await writeStackState(folder, state);
    expect(await readStackState(folder)).toEqual(state);
    await writeStackState(folder, { ...state, kafka: { pid: -1, port: 9092 } });
    expect(await readStackState(folder)).toBeUndefined();
    await writeStackState(folder, undefined);
    expect(await readStackState(folder)).toBeUndefined();
  });

  test('only a process with the folder on its command line is ended', async () => {
    const wait = ['-e', 'setInterval(() => undefined, 1e6)'];
    const ours = spawn(process.execPath, [...wait, folder], { stdio: 'ignore' });
    const foreign = spawn(process.execPath, wait, { stdio: 'ignore' });
    await Promise.all([once(ours, 'spawn'), once(foreign, 'spawn')]);
    try {
      expect(await isOurs(foreign.pid ?? 0, folder)).toBe(false);
      expect(await isOurs(ours.pid ?? 0, folder)).toBe(true);
      await endProcess(foreign.pid ?? 0, folder);
      await endProcess(ours.pid ?? 0, folder);
      expect(foreign.exitCode ?? foreign.signalCode).toBeNull();
      expect(await isOurs(ours.pid ?? 0, folder)).toBe(false);
    } finally {
      ours.kill('SIGKILL');
      foreign.kill('SIGKILL');
    }
  });
});
