import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryRegistry } from '../../processors/runtime/memory/registry.ts';
import { connectRegistry } from '../../processors/runtime/registry/registry.ts';
import { createCodec } from '../../schemas/codec.ts';
import { registerSchemas } from '../../schemas/register.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { createAuthority } from '../harness/certificates.ts';
import { openRegistryDoor, type RegistryDoor } from '../harness/registry-door.ts';
import { describeWithServices, sandbox } from '../harness/sandbox.ts';

const BASE = {
  type: 'record',
  name: 'Parcel',
  namespace: 'kizuna.test',
  fields: [{ name: 'parcelId', type: 'string' }],
};
const withField = (field: object): string => JSON.stringify({ ...BASE, fields: [...BASE.fields, field] });
const FIRST = JSON.stringify(BASE);
const OPTIONAL = withField({ name: 'weight', type: ['null', 'long'], default: null });
const REQUIRED = withField({ name: 'weight', type: 'long' });
const RETYPED = JSON.stringify({ ...BASE, fields: [{ name: 'parcelId', type: 'long' }] });

function registryContract(prefix: () => string, open: () => SchemaRegistry): void {
  let registry: SchemaRegistry;
  let count = 0;
  let subject: string;
  beforeEach(() => {
    registry = open();
    subject = `${prefix()}parcels-${String(++count)}.v1-value`;
  });
  afterEach(() => registry.close());

  it('answers null for what it does not have', async () => {
    expect(await registry.schemaById(987_654)).toBeNull();
    expect(await registry.latest(subject)).toBeNull();
    expect(await registry.find(subject, FIRST)).toBeNull();
  });

  it('registers the first version and finds it again', async () => {
    const registered = await registry.register(subject, FIRST, 'FULL_TRANSITIVE');
    expect(registered.version).toBe(1);
    expect(await registry.find(subject, FIRST)).toEqual(registered);
    expect(await registry.latest(subject)).toEqual(registered);
    expect(JSON.parse((await registry.schemaById(registered.id)) ?? '')).toMatchObject({
      name: expect.stringContaining('Parcel') as string,
      fields: [{ name: 'parcelId', type: 'string' }],
    });
  });

  it('gives the same schema the same id and version when it is registered again', async () => {
    const first = await registry.register(subject, FIRST, 'BACKWARD_TRANSITIVE');
    expect(await registry.register(subject, FIRST, 'BACKWARD_TRANSITIVE')).toEqual(first);
    const second = await registry.register(subject, OPTIONAL, 'BACKWARD_TRANSITIVE');
    expect(second.version).toBe(2);
    expect(second.id).not.toBe(first.id);
    expect(await registry.register(subject, FIRST, 'BACKWARD_TRANSITIVE')).toEqual(first);
    expect(await registry.latest(subject)).toEqual(second);
  });

  it('gives the same schema the same id under every subject', async () => {
    const here = await registry.register(subject, FIRST, 'FULL_TRANSITIVE');
    const there = await registry.register(`${subject}-too`, FIRST, 'FULL_TRANSITIVE');
    expect(there).toEqual({ id: here.id, version: 1 });
  });

  it('does not find a schema under a subject that holds another one', async () => {
    await registry.register(subject, FIRST, 'FULL_TRANSITIVE');
    await registry.register(`${subject}-other`, OPTIONAL, 'FULL_TRANSITIVE');
    expect(await registry.find(subject, OPTIONAL)).toBeNull();
  });

  it('refuses a field without default that old records lack', async () => {
    await registry.register(subject, FIRST, 'BACKWARD_TRANSITIVE');
    await expect(registry.register(subject, REQUIRED, 'BACKWARD_TRANSITIVE')).rejects.toMatchObject({
      code: 'schema_incompatible',
      retriable: false,
    });
    expect(await registry.latest(subject)).toMatchObject({ version: 1 });
  });

  it('refuses a field of another type', async () => {
    await registry.register(subject, FIRST, 'FULL_TRANSITIVE');
    await expect(registry.register(subject, RETYPED, 'FULL_TRANSITIVE')).rejects.toMatchObject({
      code: 'schema_incompatible',
    });
  });

  it('lets a new version drop a field without default only where old readers do not count', async () => {
    await registry.register(subject, REQUIRED, 'FULL_TRANSITIVE');
    await expect(registry.register(subject, FIRST, 'FULL_TRANSITIVE')).rejects.toMatchObject({
      code: 'schema_incompatible',
    });
    expect(await registry.register(subject, FIRST, 'BACKWARD_TRANSITIVE')).toMatchObject({ version: 2 });
  });

  it('holds a new version against every earlier one, not only the newest', async () => {
    await registry.register(subject, FIRST, 'BACKWARD_TRANSITIVE');
    await registry.register(subject, OPTIONAL, 'BACKWARD_TRANSITIVE');
    // It reads what the second version wrote, and nothing of the first.
    const wider = withField({ name: 'weight', type: ['null', 'long', 'string'] });
    await expect(registry.register(subject, wider, 'BACKWARD_TRANSITIVE')).rejects.toMatchObject({
      code: 'schema_incompatible',
    });
  });

  it('refuses what is not a schema', async () => {
    await expect(registry.register(subject, '{"type":"record"', 'FULL_TRANSITIVE')).rejects.toMatchObject({
      code: 'schema_incompatible',
    });
  });

  it('takes every schema of the catalog, once, and carries a value', async () => {
    const own = { prefix: `${prefix()}${String(count)}.` };
    const planned = await registerSchemas(registry, TOPICS, { ...own, dryRun: true });
    expect(planned.every(({ changed, version }) => changed && version === null)).toBe(true);
    const first = await registerSchemas(registry, TOPICS, own);
    expect(first.map(({ subject: name }) => name)).toContain(`${own.prefix}interactions.v1-value`);
    expect(first.every(({ changed, version }) => changed && version === 1)).toBe(true);
    const again = await registerSchemas(registry, TOPICS, own);
    expect(again).toEqual(first.map((registration) => ({ ...registration, changed: false })));

    const options = { registry, topics: TOPICS, prefix: own.prefix, clock: { now: () => 0 } };
    const writer = createCodec(options);
    await writer.prepare(['commands.v1']);
    const command = {
      commandId: 'c1',
      brandId: 'demo',
      kind: 'ERASE',
      issuedAt: 5,
      issuedBy: 'desk',
      subject: 'u:1',
      target: null,
      reason: null,
    };
    const bytes = writer.encode('commands.v1', command);
    const reader = createCodec(options);
    await reader.learn('commands.v1', [bytes]);
    expect({ ...(reader.decode('commands.v1', bytes) as object) }).toEqual(command);
  });
}

describe('the registry in memory', () => {
  registryContract(() => '', createMemoryRegistry);
});

describeWithServices('the registry over HTTP', () => {
  const place = sandbox('registry');
  afterAll(() => place.cleanup());
  registryContract(
    () => place.prefix,
    () => connectRegistry({ url: place.schemaRegistryUrl }),
  );

  it('takes an address with a slash at its end', async () => {
    const registry = connectRegistry({ url: `${place.schemaRegistryUrl}/` });
    expect(await registry.latest(`${place.prefix}none-value`)).toBeNull();
    await registry.close();
  });

  it('does not take a wrong path for a registry without schemas', async () => {
    const registry = connectRegistry({ url: `${place.schemaRegistryUrl}/elsewhere` });
    const codec = createCodec({ registry, topics: TOPICS, clock: { now: () => 0 } });
    const frame = Buffer.from([0, 0, 0, 0, 1, 0]);
    await expect(codec.learn('interactions.v1', [frame])).rejects.toMatchObject({ code: 'registry_unavailable' });
    await registry.close();
  });
});

describe('a registry that is not well', () => {
  const withServer = async (
    listener: RequestListener,
    use: (registry: SchemaRegistry) => Promise<void>,
  ): Promise<void> => {
    const server = createServer(listener);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const registry = connectRegistry({
      url: `http://127.0.0.1:${String(port)}`,
      username: 'kizuna',
      password: 'secret',
      timeoutMs: 300,
    });
    try {
      await use(registry);
    } finally {
      await registry.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  const requests = (registry: SchemaRegistry): Record<string, () => Promise<unknown>> => ({
    schemaById: () => registry.schemaById(1),
    latest: () => registry.latest('a-value'),
    find: () => registry.find('a-value', FIRST),
    register: () => registry.register('a-value', FIRST, 'FULL_TRANSITIVE'),
  });
  const all = async (registry: SchemaRegistry, retriable: boolean): Promise<void> => {
    for (const [name, request] of Object.entries(requests(registry))) {
      await expect(request(), name).rejects.toMatchObject({ code: 'registry_unavailable', retriable });
    }
  };

  it('is unavailable when nobody listens', async () => {
    const registry = connectRegistry({ url: 'http://127.0.0.1:1', timeoutMs: 2_000 });
    await all(registry, true);
    await registry.close();
  });

  it('is unavailable when it accepts a request and says nothing', async () => {
    await withServer(
      () => undefined,
      (registry) => all(registry, true),
    );
  });

  it.each([500, 503, 400, 429])('is unavailable when it answers %i', async (status) => {
    await withServer(
      (_request, response) => void response.writeHead(status).end('{"message":"busy"}'),
      (registry) => all(registry, true),
    );
  });

  it.each([401, 403])('is unavailable for good when it answers %i', async (status) => {
    await withServer(
      (_request, response) => void response.writeHead(status).end('{"message":"who are you"}'),
      (registry) => all(registry, false),
    );
  });

  it('is unavailable when something else answers in its place', async () => {
    await withServer(
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>'),
      async (registry) => {
        const { latest, find, register } = requests(registry);
        for (const request of [latest, find, register]) {
          await expect(request?.()).rejects.toMatchObject({ code: 'registry_unavailable', retriable: true });
        }
        const codec = createCodec({ registry, topics: TOPICS, clock: { now: () => 0 } });
        const frame = Buffer.from([0, 0, 0, 0, 1, 0]);
        await expect(codec.learn('interactions.v1', [frame])).rejects.toMatchObject({ code: 'registry_unavailable' });
      },
    );
  });

  it('is sent the credentials with every request', async () => {
    const seen = new Set<string | undefined>();
    let count = 0;
    await withServer(
      (request, response) => {
        seen.add(request.headers.authorization);
        count += 1;
        response.writeHead(404).end('{"error_code":40401,"message":"not found"}');
      },
      async (registry) => {
        await Promise.allSettled(Object.values(requests(registry)).map((request) => request()));
      },
    );
    expect([...seen]).toEqual([`Basic ${Buffer.from('kizuna:secret').toString('base64')}`]);
    expect(count).toBeGreaterThanOrEqual(4);
  });
});

describeWithServices('a schema registry over https', () => {
  const place = sandbox('registry-https');
  const login = { user: 'kizuna', password: 'secret' };
  const authority = createAuthority('kizuna test');
  let door: RegistryDoor;
  beforeAll(async () => {
    door = await openRegistryDoor(place.schemaRegistryUrl, login, authority.issue('registry'));
  });
  afterAll(async () => {
    await door.stop();
    await place.cleanup();
  });

  const connect = (ca: string | null, url = door.url): SchemaRegistry =>
    connectRegistry({ url, username: login.user, password: login.password, ca, timeoutMs: 5_000 });

  it('with an authority of its own works like any other', async () => {
    const registry = connect(authority.cert);
    const subject = `${place.prefix}parcels.v1-value`;
    const registered = await registry.register(subject, FIRST, 'FULL_TRANSITIVE');
    expect(await registry.find(subject, FIRST)).toEqual(registered);
    expect(await registry.schemaById(registered.id)).toContain('Parcel');
    await registry.close();
  });

  it.each([
    ['the system knows nothing of', () => null],
    ['another one signed for', () => createAuthority('somebody else').cert],
  ])('with a certificate that %s is refused for good, and the setting is named', async (_what, ca) => {
    const registry = connect(ca());
    const refusal = { code: 'registry_unavailable', retriable: false };
    const message = expect.stringMatching(/not to be trusted \(KIZUNA_SCHEMA_REGISTRY_SSL_CA\)/) as string;
    await expect(registry.latest('any')).rejects.toMatchObject({ ...refusal, message });
    await expect(registry.schemaById(1)).rejects.toMatchObject({ ...refusal, message });
    await registry.close();
  });

  it('that speaks no TLS is told so', async () => {
    const plain = await openRegistryDoor('http://127.0.0.1:1', login);
    const registry = connect(authority.cert, plain.url.replace('http:', 'https:'));
    const message = expect.stringMatching(/does not speak TLS .*KIZUNA_SCHEMA_REGISTRY_URL/) as string;
    await expect(registry.latest('any')).rejects.toMatchObject({ retriable: false, message });
    await registry.close();
    await plain.stop();
  });
});
