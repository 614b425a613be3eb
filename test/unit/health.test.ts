import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../processors/core/errors.ts';
import { serveHealth, type HealthSources } from '../../processors/runtime/health.ts';
import type { Listening } from '../../processors/runtime/listen.ts';
import { createMetrics } from '../../processors/runtime/metrics.ts';
import { Progress } from '../../processors/runtime/progress.ts';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

const time = { ms: 0 };
let progress: Progress;
let conditions: Record<string, () => boolean | Promise<boolean>>;
let server: Listening;

const sources = (more: Partial<HealthSources> = {}): HealthSources => ({
  host: '127.0.0.1',
  port: 0,
  progress: () => new Map([['customer', progress]]),
  conditions,
  metrics: createMetrics(new Registry(), '0.1.0').render,
  log: silent,
  ...more,
});

const get = async (path: string, init?: RequestInit) => {
  const response = await fetch(`${server.url}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
};

beforeEach(async () => {
  time.ms = 0;
  progress = new Progress(() => time.ms, 60_000);
  conditions = { joined: () => true, store: async () => Promise.resolve(true) };
  server = await serveHealth(sources());
});

afterEach(() => server.close());

describe('the health server', () => {
  test('listens on loopback, on a free port when asked for 0', () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  });

  test('turns red by itself when a consumer is stuck, and green when it gets on', async () => {
    progress.waiting();
    expect(await get('/livez')).toMatchObject({ status: 200 });
    time.ms = 61_000;
    const red = await get('/livez');
    expect(red.status).toBe(503);
    expect(JSON.parse(red.body)).toEqual({ live: false, consumers: { customer: { stuck: true, busySeconds: 61 } } });
    progress.beat();
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  test('is live although a service it depends on is not there', async () => {
    conditions['store'] = () => false;
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  test('is ready when every condition holds, and names those that do not', async () => {
    expect(await get('/readyz')).toMatchObject({
      status: 200,
      body: '{"ready":true,"conditions":{"joined":true,"store":true}}\n',
    });
    conditions['joined'] = () => false;
    conditions['store'] = async () => Promise.reject(new Error('down'));
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      body: '{"ready":false,"conditions":{"joined":false,"store":false}}\n',
    });
  });

  test('counts a condition that never answers as one that does not hold', async () => {
    await server.close();
    conditions['store'] = () => new Promise<boolean>(() => undefined);
    server = await serveHealth(sources({ conditionTimeoutMs: 10 }));
    expect(await get('/readyz')).toMatchObject({ status: 503 });
  });

  test('serves the metrics as Prometheus reads them', async () => {
    const { status, headers, body } = await get('/metrics?x=1');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(body).toContain('kizuna_build_info{version="0.1.0"');
  });

  test('answers what it does not have with 404 and what it does not do with 405', async () => {
    expect(await get('/')).toMatchObject({ status: 404 });
    expect(await get('/toString')).toMatchObject({ status: 404 });
    const refused = await get('/livez', { method: 'POST' });
    expect(refused.status).toBe(405);
    expect(refused.headers.get('allow')).toBe('GET, HEAD');
    expect(await get('/livez', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  test('shows among the metrics which conditions of /readyz hold', async () => {
    conditions['store'] = () => Promise.reject(new Error('away'));
    const { body } = await get('/metrics');
    expect(body).toContain('\nkizuna_ready{condition="joined"} 1\n');
    expect(body).toContain('\nkizuna_ready{condition="store"} 0\n');
  });

  test('answers 500 when the metrics cannot be rendered, and lives on', async () => {
    await server.close();
    server = await serveHealth(sources({ metrics: async () => Promise.reject(new Error('broken')) }));
    expect(await get('/metrics')).toMatchObject({ status: 500 });
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  test('tells a port that is taken as a fault of the configuration', async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveHealth(sources({ port }))).rejects.toThrow(ConfigurationError);
  });

  test('closes, also twice and with a connection open', async () => {
    await get('/livez');
    await Promise.all([server.close(), server.close()]);
    await server.close();
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow(TypeError);
  });
});
