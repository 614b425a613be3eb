import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { TOPICS } from '../../topics/catalog.ts';
import { rightsOfProcesses } from '../../topics/rights.ts';
import type { ProvisionedPlace } from '../harness/provisioned-place.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { startRun } from '../harness/running-command.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { USERS } from '../harness/secured-kafka.ts';
import { CANARY, startSecuredStack, type SecuredStack, type Settings } from '../harness/secured-stack.ts';
import { produceShop, shopInput, type ShopInput } from '../harness/shop-input.ts';
import { waitUntil } from '../harness/wait-until.ts';

const RECORDS = 1_500;
const INTERNAL = 'customer-events.v1';
const OUTPUTS = ['segment-memberships.v1', 'churn-risk.v1', 'customer-traits.v1'];
const PASSWORD = 'canary/of:mongodb@50%';
const ROLE = readFileSync(join(import.meta.dirname, '../../deploy/mongodb-role.json'), 'utf8');

describeWithServices('with TLS, logins and the least rights', () => {
  let stack: SecuredStack;
  let place: ProvisionedPlace;
  let input: ShopInput;
  /** Settings that let a process run here, but for those by which it shows Kafka who it is. */
  let least: Settings;
  let told = '';

  beforeAll(async () => {
    const registryUrl = inject('kizunaServices')?.schemaRegistryUrl ?? '';
    [stack, input] = await Promise.all([
      startSecuredStack(registryUrl),
      shopInput({ seed: 23, customers: 60, days: 120, count: RECORDS }),
    ]);
    const settings = { KIZUNA_PURGE_AFTER: '2s', KIZUNA_STOP_VISIBLE_MS: '0' };
    place = await stack.place('secured', { time: 'record', settings });
    for (const user of ['plain', 'scram', 'kizuna']) {
      await stack.kafka.allow(user, rightsOfProcesses(TOPICS, place.prefix));
    }
    await stack.mongodb.asAdmin(async (admin) => {
      const role = JSON.parse(ROLE.replace('"db": "kizuna"', `"db": "${place.database}"`)) as { createRole: string };
      await admin.command(role);
      await admin.command({ createUser: 'kizuna', pwd: PASSWORD, roles: [role.createRole] });
    });
    const uri = stack.mongodb.uri('kizuna', PASSWORD, { authSource: 'admin', appName: 'canary-of-a-parameter' });
    least = { ...place.environment, KIZUNA_MONGODB_URI: uri };
  }, 180_000);
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await stack?.[Symbol.asyncDispose]();
    await input?.[Symbol.asyncDispose]();
  });

  const withoutLogin = {
    KIZUNA_KAFKA_SASL_MECHANISM: '',
    KIZUNA_KAFKA_SASL_USERNAME: '',
    KIZUNA_KAFKA_SASL_PASSWORD: '',
  };

  /** How many records a topic ever got, and how many it still has. */
  async function counts(topic: string): Promise<{ got: number; has: number }> {
    const offsets = await stack.kafka.asAdmin((admin) => admin.fetchTopicOffsets(place.prefix + topic));
    return {
      got: offsets.reduce((sum, { high }) => sum + Number(high), 0),
      has: offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0),
    };
  }

  /** Resolves when both groups have committed all there is. */
  async function untilFolded(expected: number, failed: Promise<never>): Promise<void> {
    const committedOf = (group: string, topic: string): Promise<number> =>
      stack.kafka.asAdmin(async (admin) => {
        const [answer] = await admin.fetchOffsets({ groupId: place.prefix + group, topics: [place.prefix + topic] });
        return (answer?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
      });
    let seen = '';
    const look = async (): Promise<true | undefined> => {
      const intake = await committedOf('kizuna.intake.v1', 'interactions.v1');
      const customer = await committedOf('kizuna.customer.v1', INTERNAL);
      const { got } = await counts(INTERNAL);
      seen = `${intake} and ${customer} of ${got}`;
      return intake >= expected && customer >= got ? true : undefined;
    };
    await waitUntil('every record folded', look, { withinMs: 60_000, failed, seen: () => seen });
  }

  async function foldThird(third: number, identity: Settings, then?: (failed: Promise<never>) => Promise<void>) {
    await produceShop(place, input.records.slice((third * RECORDS) / 3, ((third + 1) * RECORDS) / 3));
    const running = await startRun({ ...least, ...identity, KIZUNA_LOG_LEVEL: 'debug' });
    await untilFolded(((third + 1) * RECORDS) / 3, running.failed);
    await then?.(running.failed);
    expect(await running.stop()).toBe(0);
    told += running.terminal.stdout + running.terminal.stderr;
  }

  test('a login by PLAIN, one by SCRAM and a client certificate each carry the pipeline on, purge and sweep included', async () => {
    await foldThird(0, stack.loginSettings('plain', 'plain', USERS.plain));
    await foldThird(1, stack.loginSettings('scram-sha-512', 'scram', USERS.scram));
    const certificate = { ...withoutLogin, ...(await stack.certificateSettings('kizuna')) };
    await foldThird(2, certificate, async (failed) => {
      const purged = async (): Promise<true | undefined> => ((await counts(INTERNAL)).has === 0 ? true : undefined);
      await waitUntil('everything purged', purged, { withinMs: 30_000, failed });
    });
    const until = new Date(input.until).toISOString();
    const check = await kizuna('config check --connect', { ...least, ...certificate });
    expect(check.stdout).toMatch(/\nKafka: ready\.\nMongoDB: ready\.\nschema registry: ready\.\n$/);
    expect(check.code).toBe(0);
    const sweep = await kizuna(`sweep --until ${until}`, { ...least, ...certificate });
    expect(sweep).toMatchObject({ code: 0 });
    told += sweep.stdout + sweep.stderr;

    const published = await Promise.all(OUTPUTS.map(async (topic) => [topic, (await counts(topic)).got]));
    expect(Object.fromEntries(published)).toEqual(
      Object.fromEntries(OUTPUTS.map((topic) => [topic, input.summary.outputs[topic]])),
    );
    expect(stack.door.refused).toBe(0);
  }, 180_000);

  test('no secret is told, whatever is asked and whatever goes wrong', async () => {
    const environment = { ...least, ...stack.loginSettings('plain', 'plain', USERS.plain) };
    const commands = ['config print', 'config print --json', 'config check', 'config check --json', 'topics plan'];
    for (const line of [...commands, 'topics purge', 'dlq list --json', 'schemas register --json']) {
      const { stdout, stderr } = await kizuna(line, environment);
      told += stdout + stderr;
    }
    const wrong: Settings[] = [
      { KIZUNA_KAFKA_SASL_PASSWORD: 'canary-that-is-wrong' },
      { KIZUNA_MONGODB_URI: stack.mongodb.uri('kizuna', 'canary-that-is-wrong', { authSource: 'admin' }) },
      { KIZUNA_MONGODB_URI: 'mongodb://kizuna:canary@:no port/?canary' },
      { KIZUNA_MONGODB_URI: `${environment['KIZUNA_MONGODB_URI']}&canary=unknown` },
      { KIZUNA_SCHEMA_REGISTRY_PASSWORD: 'canary-that-is-wrong' },
      { KIZUNA_SCHEMA_REGISTRY_URL: 'http://registry:canary@127.0.0.1:1' },
    ];
    for (const settings of wrong) {
      for (const line of ['run', 'run --json', 'config print']) {
        const { stdout, stderr, code } = await kizuna(line, { ...environment, ...settings });
        if (line !== 'config print') expect(code, JSON.stringify(settings)).not.toBe(0);
        told += stdout + stderr;
      }
    }
    expect(told.length).toBeGreaterThan(10_000);
    expect(told).toContain('(secret)');
    const line = told.split('\n').find((each) => each.includes(CANARY));
    expect(line).toBeUndefined();
  }, 120_000);
});
