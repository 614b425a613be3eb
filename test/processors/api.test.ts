import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import openapi from '../../processors/api/openapi.json' with { type: 'json' };
import { createApi, ROUTES } from '../../processors/api/routes.ts';
import { serveApi, type ApiOptions } from '../../processors/api/server.ts';
import type { Listening } from '../../processors/runtime/listen.ts';
import { PipelineError } from '../../processors/core/errors.ts';
import { ByteWriter } from '../../processors/core/packing.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import { StatesWriter } from '../../processors/runtime/block.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { LABELS } from '../../processors/runtime/metrics-labels.ts';
import type { OwnedPartition } from '../../processors/runtime/owned-partition.ts';
import type { Block, Store } from '../../processors/runtime/ports.ts';
import { silentLog } from '../harness/runtime-fixture.ts';
import { CustomerDriver, DAY, definitionsWithJourney, HOUR, MIDNIGHT } from './customer-fixture.ts';
import { Customers } from './identity-driver.ts';

const T = MIDNIGHT + 10 * HOUR;
const TOKEN = 'a-token-of-tests-0123';
const AT = { topic: 'customer-events.v1', partition: 0 };
const DEFINITIONS = definitionsWithJourney({
  buyers: { 'traits.orders.30d': { $gte: 1 } },
  quiet: { $and: [{ 'ages.interactions': { $gte: 3 } }, { 'attributes.plan': { $exists: false } }] },
});
const order = { orderId: 'a', amountMinor: 5000, currency: 'JPY', guest: false, items: [] };

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
ajv.addSchema(openapi, 'openapi');

/** Refuses what is not as openapi.json says that this path answers with this status. */
function requireDescribed(path: string, status: number, type: string, body: unknown): void {
  const paths: Record<string, { get: { responses: Record<string, { content: Record<string, object> }> } }> =
    openapi.paths;
  const content = paths[path]?.get.responses[String(status)]?.content ?? {};
  expect(Object.keys(content), `${path} ${status}`).toContain(type);
  const pointer = ['paths', path, 'get', 'responses', String(status), 'content', type, 'schema']
    .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.getSchema(`openapi#/${pointer}`);
  expect(validate, pointer).toBeDefined();
  expect(validate?.(body), JSON.stringify(validate?.errors)).toBe(true);
}

let store: Store;
let owned: Set<OwnedPartition>;
let asked: { route: string; status: number }[];
let server: Listening;
let now: number;

async function serve(more: Partial<ApiOptions> = {}): Promise<Listening> {
  const log = { ranges: async () => [{ partition: 0, start: 0, end: 9 }] };
  const api = createApi(DEFINITIONS, { store, log, owned, clock: { now: () => now } });
  const meter = { apiRequest: (route: string, status: number) => void asked.push({ route, status }) };
  return serveApi(api, { host: '127.0.0.1', port: 0, token: TOKEN, meter, log: silentLog, ...more });
}

/** Asks, and holds the answer against the description: as of `route`, or of whatever path for one that there is not. */
async function get(route: string, query = '', init: RequestInit & { token?: string; who?: string } = {}) {
  const path = route.replace('{brand}/{id}', init.who ?? 'acme/u:1');
  const authorization = `Bearer ${init.token ?? TOKEN}`;
  const response = await fetch(`${server.url}${path}${query}`, { ...init, headers: { authorization } });
  const type = (response.headers.get('content-type') ?? '').replace(/;.*/, '');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body = (await response.json()) as Record<string, unknown>;
  requireDescribed(
    ROUTES.some((each) => each.path === route) ? route : '/customers/{brand}/{id}',
    response.status,
    type,
    body,
  );
  return { status: response.status, body };
}

const PROFILE = '/customers/{brand}/{id}';
const EXPLAIN = `${PROFILE}/explain`;
const HISTORY = `${PROFILE}/history`;

async function storeDocument(driver: CustomerDriver, seq: number): Promise<void> {
  const { key, state, processor } = driver;
  const write = { key, partition: 0, seq, state: driver.packed(), due: processor.nextDue(state), summary: {} };
  expect(await store.documents('customer.v1').store([write])).toEqual([true]);
}

async function writeBlock(seq: number, flushedTo: number, driver: CustomerDriver | null): Promise<void> {
  const states = new StatesWriter();
  if (driver !== null) states.add(driver.key, 0, driver.processor.state, driver.state);
  const nothing = Buffer.alloc(0);
  const block: Block = {
    ...{ seq, nonce: `nonce-${seq}`, epoch: 1, next: seq + 1, flushedTo, emittedTo: flushedTo },
    ...{
      sources: new Map(),
      last: null,
      ledger: nothing,
      totals: nothing,
      outputs: nothing,
      states: states.finish().states,
    },
  };
  await store.journal('customer.v1').write(AT, block);
}

/** Stores the documents of some subjects as they are. */
async function storeAll(customers: Customers, subjects: readonly string[]): Promise<void> {
  for (const subject of subjects) {
    const state = customers.state(subject);
    const writer = new ByteWriter();
    customers.processor.state.pack(state, writer);
    const due = customers.processor.nextDue(state);
    const write = { key: state.key, partition: 0, seq: 0, state: writer.copy(), due, summary: {} };
    await store.documents('customer.v1').store([write]);
  }
}

beforeEach(async () => {
  store = createMemoryStore();
  owned = new Set();
  asked = [];
  now = T + DAY + HOUR;
  const driver = new CustomerDriver(DEFINITIONS).record(T).record(T + DAY, { type: 'ORDER_PLACED', order });
  await storeDocument(driver, 0);
  await writeBlock(0, 0, driver);
  server = await serve();
});

afterEach(() => server.close());

describe('the description of the API', () => {
  test('is valid OpenAPI 3.1', async () => {
    expect(await new Validator().validate(structuredClone(openapi))).toMatchObject({ valid: true });
  });

  test('has every route of the server and no other, with its queries, as the metrics have', () => {
    expect(Object.keys(openapi.paths)).toEqual(ROUTES.map(({ path }) => path));
    expect(LABELS.route).toEqual([...ROUTES.map(({ path }) => path), 'none']);
    const described = Object.values(openapi.paths).map(({ get: { parameters } }) =>
      parameters.filter((each) => each.in === 'query').map(({ name }) => name),
    );
    expect(described).toEqual(ROUTES.map(({ queries }) => queries));
  });

  test('is what is served', async () => {
    expect(await get('/openapi.json')).toEqual({ status: 200, body: openapi });
  });
});

describe('a customer', () => {
  test('is shown and explained as of now, and as of later', async () => {
    const { body } = await get(PROFILE);
    expect(body).toMatchObject({ key: 'acme|u:1', asOf: '2026-05-02T10:00:00.000Z', at: '2026-05-02T11:00:00.000Z' });
    expect(body).toMatchObject({ readFrom: 'document', isNewest: true, profile: { segments: ['buyers'] } });
    const told = await get(EXPLAIN, '?segment=quiet');
    const nextFlipAt = '2026-05-05T10:00:00.000Z';
    expect(told.body['segments']).toMatchObject([
      { segmentId: 'quiet', isMember: false, nextFlipAt, leaves: [{ nextFlipAt }, {}] },
    ]);
    const later = await get(EXPLAIN, `?segment=quiet&at=${nextFlipAt}`);
    expect(later.body['segments']).toMatchObject([{ segmentId: 'quiet', isMember: true, nextFlipAt: null }]);
  });

  test('is found without the kind of its id', async () => {
    expect(await get(PROFILE, '', { who: 'acme/1' })).toMatchObject({ status: 200, body: { key: 'acme|u:1' } });
    expect(await get(PROFILE, '', { who: 'acme/u%3A1' })).toMatchObject({ status: 200 });
  });

  test('has a history, and what was at an instant', async () => {
    const { body } = await get(HISTORY, '?at=2026-05-01T12:00:00Z&limit=1');
    expect(body).toMatchObject({ since: '2026-05-01T10:00:00.000Z', then: { segments: [], churn: null } });
    expect(body['changes']).toHaveLength(1);
    const all = await get(HISTORY);
    expect(all.body).toMatchObject({ then: null });
    expect(all.body['changes']).toContainEqual({
      ...{ kind: 'memberships', at: '2026-05-02T10:00:00.000Z', cause: 'EVENT' },
      changes: [{ segmentId: 'buyers', change: 'ENTERED' }],
    });
  });

  test('is read from the journal when a block is newer than the document', async () => {
    const other = new CustomerDriver(DEFINITIONS, 'u:2').record(T);
    await writeBlock(1, 0, other);
    await writeBlock(2, 0, null);
    expect((await get(PROFILE, '', { who: 'acme/u:2' })).body).toMatchObject({ readFrom: 'journal', isNewest: true });
    expect((await get(PROFILE)).body).toMatchObject({ readFrom: 'document', isNewest: true });
  });

  test('behind more blocks than are read says so', async () => {
    for (let seq = 1; seq <= 40; seq++) await writeBlock(seq, 0, null);
    expect((await get(PROFILE)).body).toMatchObject({ readFrom: 'document', isNewest: false });
  });

  test('is read from memory where it is folded', async () => {
    const driver = new CustomerDriver(DEFINITIONS, 'u:3').record(T);
    const dirty = new Map([[driver.key, { packed: driver.packed() }]]);
    owned.add({ at: AT, processor: { name: 'customer' }, mustTakeOver: false, dirty } as unknown as OwnedPartition);
    expect((await get(PROFILE, '', { who: 'acme/u:3' })).body).toMatchObject({ readFrom: 'memory', isNewest: true });
    expect((await get(PROFILE)).body).toMatchObject({ readFrom: 'document', isNewest: true });
  });
});

describe('a request that cannot be answered', () => {
  test.each([
    [PROFILE, '', { who: 'acme/u:nobody' }, 404, 'id'],
    [PROFILE, '', { who: 'ACME/u:1' }, 400, 'brand'],
    [PROFILE, '', { who: 'acme/%ff' }, 400, 'id'],
    [PROFILE, '?at=yesterday', {}, 400, 'at'],
    [PROFILE, '?at=2026-05-01T00:00:00Z', {}, 400, 'at'],
    [PROFILE, '?at=2026-06-01&at=2026-06-01', {}, 400, 'at'],
    [PROFILE, '?segment=buyers', {}, 400, 'segment'],
    [EXPLAIN, '?segment=buyer', {}, 400, 'segment'],
    [HISTORY, '?at=2026-05-01T09:59:59Z', {}, 400, 'at'],
    [HISTORY, '?at=2026-05-09T00:00:00Z', {}, 400, 'at'],
    [HISTORY, '?limit=0', {}, 400, 'limit'],
    [PROFILE, '', { token: 'wrong' }, 401, 'Authorization'],
    [PROFILE, '', { method: 'DELETE' }, 405, undefined],
    ['/customers', '', {}, 404, undefined],
  ])('%s%s %o is answered with %i, the field and the fix', async (route, query, init, status, field) => {
    const { body, ...answer } = await get(route, query, init);
    expect({ ...answer, field: body['field'] }).toEqual({ status, field });
    expect(body['fix']).toMatch(/\.$/);
    expect(JSON.stringify(body)).not.toContain('nobody');
  });

  test('is told to come back when MongoDB is away, and when the answer takes too long', async () => {
    const documents = store.documents('customer.v1');
    const failing = (load: typeof documents.load): Store => ({ ...store, documents: () => ({ ...documents, load }) });
    const kept = store;
    for (const load of [
      () => Promise.reject(new PipelineError('store_unavailable', 'away', { retriable: true })),
      () => new Promise<never>(() => undefined),
    ]) {
      await server.close();
      store = failing(load);
      server = await serve({ timeoutMs: 20, concurrentMax: 1 });
      expect((await get(PROFILE)).status).toBe(503);
    }
    // What hangs counts until it ends.
    expect((await get(PROFILE)).body).toMatchObject({ status: 503, detail: 'Too many requests are under way.' });
    store = kept;
  });

  test('from a web page that calls loopback by another name is refused, where no token is asked for', async () => {
    await server.close();
    server = await serve({ token: null });
    expect((await get(PROFILE)).status).toBe(200);
    const { request } = await import('node:http');
    const status = await new Promise((answered) => {
      request(`${server.url}/customers/acme/u:1`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        answered(response.statusCode);
      }).end();
    });
    expect(status).toBe(400);
  });
});

test('requests are counted by route and status', async () => {
  await get(PROFILE);
  await get(HISTORY, '?limit=0');
  await get('/customers');
  expect(asked).toEqual([
    { route: PROFILE, status: 200 },
    { route: HISTORY, status: 400 },
    { route: 'none', status: 404 },
  ]);
});

describe('an identifier that is linked', () => {
  const [user, email, device] = ['u:known', `e:${'ab'.repeat(32)}`, 'a:device'] as const;
  const linked = (): Customers =>
    new Customers(createCustomer(DEFINITIONS))
      .event(device, T, { type: 'ORDER_PLACED', order })
      .event(email, T + HOUR)
      .event(user, T + 2 * HOUR)
      .link(device, email, T + 3 * HOUR)
      .foldAll()
      .link(email, user, T + 4 * HOUR)
      .foldAll();

  test.each([user, email, device, 'known', 'device'])('leads to the customer it is part of: %s', async (id) => {
    await storeAll(linked(), [user, email, device]);
    const who = `acme/${encodeURIComponent(id)}`;
    const profile = await get(PROFILE, '', { who });
    expect(profile).toMatchObject({ status: 200, body: { key: `acme|${user}`, readFrom: 'document' } });
    expect(profile.body['profile']).toMatchObject({ traits: { orders: { lifetime: 1 }, page_views: { lifetime: 2 } } });
    expect((await get(EXPLAIN, '', { who })).body).toMatchObject({ key: `acme|${user}` });
    expect((await get(HISTORY, '', { who })).body).toMatchObject({ key: `acme|${user}` });
  });

  test('is told to be on its way while what it is part of has no document', async () => {
    await storeAll(linked(), [email, device]);
    const { status, body } = await get(PROFILE, '', { who: `acme/${device}` });
    expect([status, body['detail']]).toEqual([404, 'The customer is on its way to another identifier.']);
    expect(body['fix']).toContain(`acme|${user}`);
  });

  test('is a customer of its own again once it was parted', async () => {
    await storeAll(
      linked()
        .unlink(device, email, T + 5 * HOUR)
        .foldAll(),
      [user, email, device],
    );
    expect((await get(PROFILE, '', { who: `acme/${device}` })).body).toMatchObject({
      key: `acme|${device}`,
      profile: { traits: { orders: { lifetime: 1 } } },
    });
    expect((await get(PROFILE, '', { who: `acme/${user}` })).body).toMatchObject({
      profile: { traits: { orders: { lifetime: 0 }, page_views: { lifetime: 2 } } },
    });
  });
});

test('a customer who was erased is not there, and one who came back is', async () => {
  const driver = new CustomerDriver(DEFINITIONS).record(T);
  const identity = { subject: 'u:1', via: null, state: null, at: T + HOUR };
  driver.processor.onRecord(driver.state, { kind: 'ERASE', interaction: null, identity }, T + HOUR);
  await storeDocument(driver, 1);
  await writeBlock(1, 0, driver);
  expect((await get(PROFILE)).status).toBe(404);
  await storeDocument(driver.record(T + DAY), 2);
  await writeBlock(2, 2, driver);
  expect((await get(PROFILE)).body).toMatchObject({ profile: { traits: { page_views: { lifetime: 1 } } } });
});
