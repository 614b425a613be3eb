import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TOPICS } from '../../topics/catalog.ts';
import { KafkaAdmin } from '../../processors/runtime/kafka/kafka-admin.ts';
import { createKafkaClient } from '../../processors/runtime/kafka/kafka-client.ts';
import { KafkaTopicAdmin } from '../../processors/runtime/kafka/topic-admin.ts';
import { kizuna, type CommandEnd } from '../harness/recording-terminal.ts';
import { silentLog } from '../harness/runtime-fixture.ts';
import { describeWithServices, sandbox, type Sandbox } from '../harness/sandbox.ts';
import { waitUntil } from '../harness/wait-until.ts';

const KIZUNA = new URL('../../processors/cli/kizuna.js', import.meta.url).pathname;
const SMALL = '--partitions 2 --replication 1';

// In the order in which an operator goes: each step stands on the one before.
describeWithServices('an operator on real services', () => {
  let place: Sandbox;
  let environment: Record<string, string>;
  const type = (line: string): Promise<CommandEnd> => kizuna(line, environment);

  beforeAll(() => {
    place = sandbox('cli');
    environment = {
      KIZUNA_KAFKA_BROKERS: place.kafkaBrokers.join(','),
      KIZUNA_MONGODB_URI: place.mongodbUri,
      KIZUNA_MONGODB_DATABASE: place.database,
      KIZUNA_SCHEMA_REGISTRY_URL: place.schemaRegistryUrl,
      KIZUNA_PREFIX: place.prefix,
      KIZUNA_HTTP_PORT: '0',
    };
  });
  afterAll(async () => {
    await place.cleanup();
  });

  test('plans, applies, and then has nothing to plan', async () => {
    const plan = await type(`topics plan ${SMALL}`);
    expect(plan).toMatchObject({ code: 2, stderr: '' });
    expect(plan.stdout).toContain(`${place.prefix}interactions.v1`);
    expect((await type(`topics apply --dry-run ${SMALL}`)).code).toBe(2);
    const applied = await type(`topics apply ${SMALL}`);
    expect(applied.code).toBe(0);
    expect(applied.stdout).toContain(`Done: created ${TOPICS.length}.`);
    expect(await type(`topics plan ${SMALL}`)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No changes') as string,
    });
    expect((await type(`topics apply ${SMALL}`)).stdout).toContain('Nothing to do');
  });

  test('sees what somebody changed by hand, and mends it without touching the rest', async () => {
    const topic = `${place.prefix}customer-events.v1`;
    await overrideByHand(place, topic, { 'retention.ms': '60000', 'segment.ms': '600000' });
    const drift = await type(`topics drift ${SMALL}`);
    expect(drift.code).toBe(2);
    expect(drift.stdout).toMatch(/customer-events\.v1 +retention\.ms is 60000 .*the catalog says -1 \(for ever\)/);
    expect(drift.stdout).toMatch(/customer-events\.v1 +segment\.ms is 600000, the catalog does not know it/);
    expect(drift.stdout).toContain('2 differences.');
    expect((await type(`topics apply ${SMALL}`)).code).toBe(0);
    const after = await type(`topics drift ${SMALL} --json`);
    expect(after.code).toBe(2);
    expect(JSON.parse(after.stdout)).toMatchObject({ differences: 1, changes: [], extras: [{ name: 'segment.ms' }] });
  });

  test('is refused another number of partitions, with the reason', async () => {
    const { code, stdout } = await type('topics apply --partitions 3 --replication 1');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^refused: .*has 2 partitions instead of 3: .*away from their state/m);
    expect(stdout).toContain('Nothing was touched');
  });

  test('registers the schemas once', async () => {
    const missing = await type('schemas register --dry-run');
    expect(missing.code).toBe(2);
    expect(missing.stdout).toContain(`missing  ${place.prefix}interactions.v1-value`);
    const first = await type('schemas register --json');
    expect(first.code).toBe(0);
    const { subjects } = JSON.parse(first.stdout) as { subjects: { subject: string; changed: boolean }[] };
    expect(subjects.map(({ changed }) => changed)).toEqual(subjects.map(() => true));
    const again = await type('schemas register');
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`0 of ${subjects.length} registered, ${subjects.length} were there`) as string,
    });
    expect((await type('schemas register --dry-run')).code).toBe(0);
  });

  test('runs the processors until SIGTERM, as a process of their own', async () => {
    const child = spawn(process.execPath, [KIZUNA, 'run', '--json'], { env: { ...environment } });
    const exit = once(child, 'exit');
    let stderr = '';
    let stdout = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    try {
      const url = await waitUntil('the address in the log', () => /"url":"([^"]+)"/.exec(stderr)?.[1], {
        withinMs: 60_000,
        seen: () => stderr,
      });
      const ready = await waitUntil('readiness', () => readinessAt(url), { withinMs: 30_000, seen: () => stderr });
      expect(ready).toMatchObject({ ready: true, conditions: { joined: true, store: true } });
      child.kill('SIGTERM');
      expect(await exit).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
    for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('message');
    expect(JSON.parse(stdout)).toMatchObject({ stopped: true });
  });

  test('is told which service does not answer', async () => {
    const { code, stderr } = await kizuna('schemas register', {
      ...environment,
      KIZUNA_SCHEMA_REGISTRY_URL: 'http://127.0.0.1:9/',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^registry_unavailable: .*KIZUNA_SCHEMA_REGISTRY_URL.*\n$/);
  });
});

async function readinessAt(url: string): Promise<unknown> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
  return response.ok ? response.json() : undefined;
}

async function overrideByHand(place: Sandbox, topic: string, changed: Record<string, string>): Promise<void> {
  const client = createKafkaClient(
    { brokers: place.kafkaBrokers, clientId: 'operator', ssl: false, sasl: null },
    silentLog,
  );
  const admin = new KafkaAdmin(client);
  try {
    const topics = new KafkaTopicAdmin(admin);
    const overrides = (await topics.state([topic])).topics.get(topic)?.overrides;
    await topics.replaceOverrides(topic, { ...overrides, ...changed });
  } finally {
    await admin.close();
  }
}
