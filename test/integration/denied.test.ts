import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { TOPICS } from '../../topics/catalog.ts';
import { rightsOfProcesses, type Right } from '../../topics/rights.ts';
import type { ProvisionedPlace } from '../harness/provisioned-place.ts';
import { kizuna, RecordingTerminal } from '../harness/recording-terminal.ts';
import { runProgram } from '../../processors/cli/program.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { NOBODY } from '../harness/secured-kafka.ts';
import { startSecuredStack, type SecuredStack, type Settings } from '../harness/secured-stack.ts';
import { waitUntil } from '../harness/wait-until.ts';

const INPUT = 'interactions.v1';
const LETTERS = 'interactions.v1.kizuna.intake.v1.dlq';
/** A broker or a server whose certificate is not trusted is asked again for this long, in case it is only the network. */
const WITHIN_MS = 60_000;
const NO_LOGIN = {
  KIZUNA_KAFKA_SASL_MECHANISM: '',
  KIZUNA_KAFKA_SASL_USERNAME: '',
  KIZUNA_KAFKA_SASL_PASSWORD: '',
};

/** How a run ended: the one line that tells why, as a log has it and as a command answers it. */
interface End {
  readonly code: number;
  readonly message: string;
  readonly error: { readonly code: string; readonly retriable: boolean };
}

describeWithServices('what services refuse', () => {
  let stack: SecuredStack;
  let place: ProvisionedPlace;

  beforeAll(async () => {
    stack = await startSecuredStack(inject('kizunaServices')?.schemaRegistryUrl ?? '');
    place = await stack.place('denied', { time: 'record', settings: { KIZUNA_STOP_VISIBLE_MS: '0' } });
    // One that intake must refuse and one that nobody reads: neither must be settled while anything is denied.
    const bad = { key: null, value: Buffer.from('not in a frame'), timestamp: Date.now(), headers: {} };
    await place.emitter.send([{ ...bad, topic: INPUT }]);
  }, 180_000);
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await stack?.[Symbol.asyncDispose]();
  });

  /** Runs with these settings until it ends by itself. */
  async function end(settings: Settings): Promise<End> {
    const terminal = new RecordingTerminal({ ...place.environment, ...settings });
    let code: number | undefined;
    void runProgram(['run'], terminal).then((ended) => (code = ended));
    await waitUntil('it ends', () => (code === undefined ? undefined : true), {
      withinMs: WITHIN_MS,
      seen: () => terminal.stderr.slice(-2_000),
    });
    const { error } = terminal.logged('failed') as { error: End['error'] & { message: string } };
    return { code: code ?? -1, message: error.message, error };
  }

  const endsOf = (all: readonly Settings[]): Promise<End[]> => Promise.all(all.map(end));

  /** What intake has committed, and the ends of its dead letters. */
  async function settled(): Promise<{ committed: string[]; letters: string[] }> {
    const topics = [place.prefix + INPUT];
    const groupId = `${place.prefix}kizuna.intake.v1`;
    return stack.kafka.asAdmin(async (admin) => {
      // The coordinator of a group that is new to a broker takes a moment to answer.
      const [group] = await waitUntil(
        'the coordinator answers',
        () => admin.fetchOffsets({ groupId, topics }).catch(() => undefined),
        { withinMs: 30_000 },
      );
      const letters = await admin.fetchTopicOffsets(place.prefix + LETTERS);
      return {
        committed: (group?.partitions ?? []).map(({ offset }) => offset),
        letters: letters.map(({ high }) => high),
      };
    });
  }

  async function expectNothingSettled(): Promise<void> {
    expect(await settled()).toEqual({ committed: ['-1', '-1', '-1', '-1'], letters: ['0', '0', '0'] });
  }

  test('a login ends the process at once, and the setting is named', async () => {
    const ends = await endsOf([
      stack.loginSettings('plain', 'plain', 'wrong'),
      stack.loginSettings('scram-sha-512', 'scram', 'wrong'),
      { ...stack.loginSettings('plain', 'plain', 'wrong'), KIZUNA_KAFKA_SASL_MECHANISM: 'scram-sha-256' },
    ]);
    for (const { code, message, error } of ends) {
      expect({ code, error }).toMatchObject({ code: 1, error: { code: 'log_unavailable', retriable: false } });
      expect(message).toMatch(
        /^could not reach the brokers: the brokers refuse the login \(.*KIZUNA_KAFKA_SASL_PASSWORD\)/,
      );
    }
    const mongodb = await end({ KIZUNA_MONGODB_URI: stack.mongodb.uri('admin', 'wrong') });
    expect(mongodb).toMatchObject({ code: 1, error: { code: 'store_unavailable', retriable: false } });
    expect(mongodb.message).toMatch(/^MongoDB refuses the login \(.* in KIZUNA_MONGODB_URI\)/);
    const registry = await end({ KIZUNA_SCHEMA_REGISTRY_PASSWORD: 'wrong' });
    expect(registry).toMatchObject({ code: 1, error: { code: 'registry_unavailable', retriable: false } });
    expect(registry.message).toMatch(/refuses the credentials \(.*KIZUNA_SCHEMA_REGISTRY_PASSWORD\)/);
    await expectNothingSettled();
  }, 120_000);

  test('a certificate, theirs or ours, or none where one is wanted, ends it too', async () => {
    const certificate = await stack.certificateSettings('unused');
    const noCertificate = { ...certificate, KIZUNA_KAFKA_SSL_CERT: '', KIZUNA_KAFKA_SSL_KEY: '' };
    const uri = stack.mongodb.adminUri.replace(/&tlsCAFile=[^&]*/, '');
    const [theirs, ours, plain, mongodb] = await endsOf([
      { KIZUNA_KAFKA_SSL_CA: '' },
      { ...NO_LOGIN, ...noCertificate },
      { KIZUNA_KAFKA_SSL_CA: '', KIZUNA_KAFKA_SSL_ENABLED: 'false' },
      { KIZUNA_MONGODB_URI: uri },
    ]);
    expect(theirs?.message).toMatch(/certificate of the brokers is not to be trusted \(KIZUNA_KAFKA_SSL_CA\)/);
    expect(theirs).toMatchObject({ code: 1, error: { code: 'log_unavailable', retriable: false } });
    expect(ours?.message).toMatch(/refuse this client's certificate \(KIZUNA_KAFKA_SSL_CERT, KIZUNA_KAFKA_SSL_KEY\)/);
    expect(ours).toMatchObject({ code: 1, error: { code: 'log_unavailable', retriable: false } });
    // A closed connection may be anything: it is told as a guess.
    expect(plain?.message).toMatch(/close the connection: .*KIZUNA_KAFKA_SSL_ENABLED/);
    expect(plain).toMatchObject({ code: 1, error: { code: 'log_unavailable' } });
    expect(mongodb?.message).toMatch(/certificate of MongoDB is not to be trusted \(tlsCAFile in KIZUNA_MONGODB_URI\)/);
    expect(mongodb).toMatchObject({ code: 1, error: { code: 'store_unavailable', retriable: false } });
    await expectNothingSettled();
  }, 120_000);

  test('a missing ACL ends it, the topic or group is named, and nothing is dead-lettered', async () => {
    const rights = rightsOfProcesses(TOPICS, place.prefix);
    const group = `${place.prefix}kizuna.`;
    const without = async (user: string, isMissing: (right: Right) => boolean): Promise<Settings> => {
      await stack.kafka.allow(
        user,
        rights.filter((right) => !isMissing(right)),
      );
      return { ...NO_LOGIN, ...(await stack.certificateSettings(user)) };
    };
    const cases = [
      [await without('nogroup', ({ resource }) => resource === 'group'), `as group ${group}`],
      [await without('noinput', ({ name }) => name === place.prefix + INPUT), `${place.prefix}${INPUT}`],
      [await without('noletters', ({ name }) => name === place.prefix + LETTERS), `${place.prefix}${LETTERS}`],
      [stack.loginSettings('plain', NOBODY.name, NOBODY.password), place.prefix + INPUT],
    ] as const;
    for (const [settings, named] of cases) {
      const { code, message, error } = await end(settings);
      expect(message).toContain(named);
      expect(message).toMatch(/an ACL is missing/);
      expect({ code, error }).toMatchObject({ code: 1, error: { code: 'log_unavailable' } });
      await expectNothingSettled();
    }
  }, 120_000);

  test('a missing role ends it, the collection is named, and no customer is quoted', async () => {
    const { database } = place;
    const least = ['find', 'insert', 'update', 'createIndex'];
    for (const [missing, named] of [
      ['createIndex', 'createIndexes on .*\\.v1\\.state'],
      ['find', 'find on .*\\.definitions\\.v1'],
      ['insert', 'insert on .*\\.v1\\.journal'],
    ] as const) {
      const user = `without-${missing}`;
      await stack.mongodb.asAdmin(async (admin) => {
        const actions = least.filter((action) => action !== missing);
        const privileges = [{ resource: { db: database, collection: '' }, actions }];
        await admin.command({ createRole: user, privileges, roles: [] });
        await admin.command({ createUser: user, pwd: 'canary', roles: [user] });
      });
      const { code, message, error } = await end({ KIZUNA_MONGODB_URI: stack.mongodb.uri(user, 'canary') });
      expect(message).toMatch(new RegExp(`^MongoDB does not allow this user to ${named}, a role is missing`));
      expect({ code, error }).toMatchObject({ code: 1, error: { code: 'store_unavailable', retriable: false } });
    }
  }, 120_000);

  test('is told whole by `config check --connect`, which changes nothing', async () => {
    const before = await settled();
    const noLetters = { ...NO_LOGIN, ...(await stack.certificateSettings('noletters')) };
    const noInsert = { KIZUNA_MONGODB_URI: stack.mongodb.uri('without-insert', 'canary') };
    const wrong = { KIZUNA_SCHEMA_REGISTRY_PASSWORD: 'wrong' };
    const [denied, away] = await Promise.all([
      kizuna('config check --connect', { ...place.environment, ...noLetters, ...noInsert, ...wrong }),
      kizuna('config check --connect --json', {
        ...place.environment,
        KIZUNA_KAFKA_BROKERS: '127.0.0.1:1',
        KIZUNA_MONGODB_URI: 'mongodb://127.0.0.1:1/?replicaSet=rs0',
        KIZUNA_SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
      }),
    ]);
    expect(denied.code).toBe(1);
    const [, ...lines] = denied.stdout.trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(`^Kafka: could not read about topic ${place.prefix}${LETTERS}: .*ACL is missing`),
      ),
      expect.stringMatching(
        /^MongoDB: MongoDB does not allow this user to insert in database .*, a role is missing\.$/,
      ),
      expect.stringMatching(/^schema registry: .*refuses the credentials \(.*KIZUNA_SCHEMA_REGISTRY_PASSWORD\)/),
    ]);
    expect(away.code).toBe(1);
    expect(JSON.parse(away.stdout)).toMatchObject({
      services: [
        { service: 'Kafka', faults: [expect.stringMatching(/^could not reach the brokers: .*ECONNREFUSED/)] },
        { service: 'MongoDB', faults: [expect.stringMatching(/^MongoDB did not answer: probe: .*ECONNREFUSED/)] },
        { service: 'schema registry', faults: [expect.stringMatching(/^the schema registry did not answer/)] },
      ],
    });
    expect(await settled()).toEqual(before);
  }, 120_000);
});
