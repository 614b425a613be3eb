import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AUTHORITY_FILE, createAuthority } from './certificates.ts';
import { removeData, runFolder } from './native-folder.ts';
import { removeSubjects } from './place.ts';
import { provisionPlace, type PlaceOptions, type ProvisionedPlace } from './provisioned-place.ts';
import { openRegistryDoor, type RegistryDoor } from './registry-door.ts';
import { startSecuredKafka, USERS, type SecuredKafka } from './secured-kafka.ts';
import { startSecuredMongodb, type SecuredMongodb } from './secured-mongodb.ts';

export type Settings = Readonly<Record<string, string>>;

/** Passwords are made to be found: no output of anything may contain this word. */
export const CANARY = 'canary';

const REGISTRY_LOGIN = { user: 'registry', password: 'canary-of-registry' };

/** Services that nobody can use without a login, native processes of this machine whatever the others of the run are. */
export interface SecuredStack extends AsyncDisposable {
  readonly kafka: SecuredKafka;
  readonly mongodb: SecuredMongodb;
  readonly door: RegistryDoor;
  /** The file of the authority that signed all certificates. */
  readonly authority: string;
  /** A place with every topic and schema, made with all rights; what a process may do there is up to its settings. */
  place(name: string, options: PlaceOptions): Promise<ProvisionedPlace>;
  /** Settings to speak TLS and log in to the brokers. */
  loginSettings(mechanism: 'plain' | 'scram-sha-512', username: string, password: string): Settings;
  /** Settings to speak mutual TLS as the user `name`. */
  certificateSettings(name: string): Promise<Settings>;
}

/** Kafka and MongoDB of their own, and the registry at `registryUrl` behind a door. Rejects with ServicesUnavailable. */
export async function startSecuredStack(registryUrl: string): Promise<SecuredStack> {
  await using stack = new AsyncDisposableStack();
  const folder = await runFolder();
  stack.defer(() => removeData(folder));
  const signer = createAuthority('kizuna test authority');
  const authority = join(folder, AUTHORITY_FILE);
  await writeFile(authority, signer.cert);
  const [kafka, mongodb] = await Promise.all([startSecuredKafka(folder, signer), startSecuredMongodb(folder, signer)]);
  stack.defer(() => kafka.stop());
  stack.defer(() => mongodb.stop());
  const door = stack.adopt(await openRegistryDoor(registryUrl, REGISTRY_LOGIN), (each) => each.stop());
  const tls = { KIZUNA_KAFKA_SSL_ENABLED: 'true', KIZUNA_KAFKA_SSL_CA: authority };
  const loginSettings: SecuredStack['loginSettings'] = (mechanism, username, password) => ({
    ...tls,
    KIZUNA_KAFKA_BROKERS: kafka.saslBroker,
    KIZUNA_KAFKA_SASL_MECHANISM: mechanism,
    KIZUNA_KAFKA_SASL_USERNAME: username,
    KIZUNA_KAFKA_SASL_PASSWORD: password,
  });
  const opened = stack.move();
  return {
    ...{ kafka, mongodb, door, authority, loginSettings },
    certificateSettings: async (name) => {
      const { cert, key } = signer.issue(name);
      const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
      await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
      const own = { KIZUNA_KAFKA_SSL_CERT: files.cert, KIZUNA_KAFKA_SSL_KEY: files.key };
      return { ...tls, ...own, KIZUNA_KAFKA_BROKERS: kafka.tlsBroker };
    },
    place: (name, options) => {
      const unique = `${name}-${randomBytes(4).toString('hex')}`;
      const place = {
        kafkaBrokers: [kafka.saslBroker],
        mongodbUri: mongodb.adminUri,
        schemaRegistryUrl: registryUrl,
        prefix: `${unique}.`,
        database: `kizuna-${unique}`,
        // The servers and their data go with the stack; only the registry is shared.
        cleanup: () => removeSubjects(registryUrl, `${unique}.`),
      };
      const settings = {
        ...loginSettings('plain', 'admin', USERS.admin),
        KIZUNA_SCHEMA_REGISTRY_URL: door.url,
        KIZUNA_SCHEMA_REGISTRY_USERNAME: REGISTRY_LOGIN.user,
        KIZUNA_SCHEMA_REGISTRY_PASSWORD: REGISTRY_LOGIN.password,
        ...options.settings,
      };
      return provisionPlace(place, { ...options, settings });
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
