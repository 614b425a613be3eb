import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import kafkajs, { type AclEntry, type Admin, type SASLOptions } from 'kafkajs';
import type { Right } from '../../topics/rights.ts';
import { AUTHORITY_FILE, type Authority } from './certificates.ts';
import { cached } from './native-cache.ts';
import { formatKafka, installKafka, kafkaServer } from './native-kafka.ts';
import { freePorts } from './native-ports.ts';

/** A broker that lets nobody in without a login or a certificate, and nobody do what no rule allows. */
export interface SecuredKafka {
  /** TLS with a login by name and password. */
  readonly saslBroker: string;
  /** TLS with a client's certificate: mutual. */
  readonly tlsBroker: string;
  /** Runs with all rights. */
  asAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T>;
  allow(user: string, rights: readonly Right[]): Promise<void>;
  stop(): Promise<void>;
}

/** Whom the broker knows. The passwords are made to be found: no output of anything may contain one. */
export const USERS = {
  admin: 'canary-of-admin',
  plain: 'canary-of-plain',
  scram: 'canary-of-scram',
} as const;

/** A user without any right, logged in by either mechanism. */
export const NOBODY = { name: 'nobody', password: 'canary-of-nobody' } as const;

/** Starts one below `folder`, where the authority's certificate is. */
export async function startSecuredKafka(folder: string, authority: Authority): Promise<SecuredKafka> {
  const install = await installKafka();
  const formatted = await cached('kafka-scram-1', (building) =>
    formatKafka(install, building, [...scramUser('scram', USERS.scram), ...scramUser(NOBODY.name, NOBODY.password)]),
  );
  const [port = 0, tlsPort = 0, controllerPort = 0] = await freePorts(3);
  const files = { keys: join(folder, 'broker.pem'), trust: join(folder, AUTHORITY_FILE) };
  const { cert, key } = authority.issue('broker');
  await writeFile(files.keys, key + cert);
  const asAdmin: SecuredKafka['asAdmin'] = async (work) => {
    const admin = new kafkajs.Kafka({
      clientId: 'kizuna-test-harness',
      brokers: [`127.0.0.1:${port}`],
      ssl: { ca: authority.cert },
      sasl: { mechanism: 'plain', username: 'admin', password: USERS.admin } satisfies SASLOptions,
      connectionTimeout: 2_000,
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 2 },
    }).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  const server = await kafkaServer(install, {
    folder: join(folder, 'kafka'),
    logFile: join(folder, 'logs', 'kafka.log'),
    port,
    controllerPort,
    outlives: false,
    secured: {
      formatted: join(formatted, 'formatted'),
      settings: securitySettings({ port, tlsPort, controllerPort }, files),
      answers: () =>
        asAdmin(async (admin) => {
          if ((await admin.describeCluster()).controller === null) throw new Error('no broker has registered yet');
        }),
    },
  });
  await server.start();
  return {
    saslBroker: `127.0.0.1:${port}`,
    tlsBroker: `127.0.0.1:${tlsPort}`,
    asAdmin,
    allow: (user, rights) =>
      asAdmin(async (admin) => void (await admin.createAcls({ acl: rights.map((right) => aclOf(user, right)) }))),
    stop: () => server.stop(),
  };
}

const scramUser = (name: string, password: string): string[] => [
  '--add-scram',
  `SCRAM-SHA-512=[name=${name},password=${password}]`,
];

interface Ports {
  readonly port: number;
  readonly tlsPort: number;
  readonly controllerPort: number;
}

function securitySettings({ port, tlsPort, controllerPort }: Ports, files: { keys: string; trust: string }) {
  const plain = { admin: USERS.admin, plain: USERS.plain, [NOBODY.name]: NOBODY.password };
  const users = Object.entries(plain).map(([name, password]) => `user_${name}="${password}"`);
  return {
    listeners: `SASL_SSL://127.0.0.1:${port},SSL://127.0.0.1:${tlsPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `SASL_SSL://127.0.0.1:${port},SSL://127.0.0.1:${tlsPort}`,
    'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'SSL',
    'listener.name.ssl.ssl.client.auth': 'required',
    // CN=kizuna is the user kizuna.
    'ssl.principal.mapping.rules': 'RULE:^CN=([a-z]+)$/$1/',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': files.keys,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': files.trust,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${users.join(' ')};`,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // The controller's own listener, on loopback, knows no names.
    'super.users': 'User:admin;User:broker;User:ANONYMOUS',
  };
}

function aclOf(user: string, { resource, name, isPrefix, operation }: Right): AclEntry {
  const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs;
  return {
    resourceType: resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
    resourceName: name,
    resourcePatternType: isPrefix ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: { Read: AclOperationTypes.READ, Write: AclOperationTypes.WRITE, Delete: AclOperationTypes.DELETE }[
      operation
    ],
    permissionType: AclPermissionTypes.ALLOW,
  };
}
