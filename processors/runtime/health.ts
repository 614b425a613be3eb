import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { listen, type Listening } from './listen.ts';
import type { Log } from './ports.ts';
import type { Progress } from './progress.ts';

/** A condition that does not answer within this time does not hold. */
const CONDITION_TIMEOUT_MS = 2_000;

export interface HealthSources {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The consumers of this process by name: all must get on. */
  readonly progress: () => ReadonlyMap<string, Progress>;
  /** What must hold before this process counts as ready, by name: joined, definitions, store, schemas. */
  readonly conditions: Readonly<Record<string, () => boolean | Promise<boolean>>>;
  /** Told which conditions hold, so that they can be alerted on. */
  readonly metrics: (conditions: Held) => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly log: Log;
  readonly conditionTimeoutMs?: number;
}

/** Which conditions hold, by name. */
type Held = Readonly<Record<string, boolean>>;

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const json = (status: number, value: object): Answer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

/**
 * Serves /metrics, /livez (every consumer gets on, or is proven idle; no service is asked) and /readyz (every condition by
 * name). Rejects with a ConfigurationError when the address cannot be used.
 */
export async function serveHealth(sources: HealthSources): Promise<Listening> {
  const { host, port, log } = sources;
  const held = (): Promise<Held> => ask(sources.conditions, sources.conditionTimeoutMs ?? CONDITION_TIMEOUT_MS);
  const routes: Readonly<Record<string, () => Answer | Promise<Answer>>> = {
    '/metrics': async () => ({ status: 200, ...(await sources.metrics(await held())) }),
    '/livez': () => liveness(sources.progress()),
    '/readyz': async () => readiness(await held()),
  };
  const server = createServer((request, response) => {
    respond(routes, request).then(
      (answer) => send(request, response, answer),
      (error: unknown) => {
        log.error('a health request failed', { path: request.url, error });
        send(request, response, json(500, { error: 'internal error' }));
      },
    );
  });
  return listen(server, host, port, 'KIZUNA_HTTP_HOST, KIZUNA_HTTP_PORT');
}

async function respond(
  routes: Readonly<Record<string, () => Answer | Promise<Answer>>>,
  request: IncomingMessage,
): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return json(404, { error: 'not found', paths: Object.keys(routes) });
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'only GET and HEAD' });
  return route();
}

function send(request: IncomingMessage, response: ServerResponse, { status, contentType, body }: Answer): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function liveness(progress: ReadonlyMap<string, Progress>): Answer {
  const consumers = Object.fromEntries(
    [...progress].map(([name, { busyMs, isStuck }]) => [name, { stuck: isStuck, busySeconds: busyMs / 1000 }]),
  );
  const live = [...progress.values()].every(({ isStuck }) => !isStuck);
  return json(live ? 200 : 503, { live, consumers });
}

function readiness(conditions: Held): Answer {
  const ready = Object.values(conditions).every((holds) => holds);
  return json(ready ? 200 : 503, { ready, conditions });
}

/** All conditions at once: the answer takes no longer than the slowest. */
async function ask(conditions: HealthSources['conditions'], timeoutMs: number): Promise<Held> {
  const held = Object.entries(conditions).map(async ([name, holds]) => [name, await inTime(holds, timeoutMs)] as const);
  return Object.fromEntries(await Promise.all(held));
}

/** A condition that throws or does not answer does not hold. */
async function inTime(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const stop = new AbortController();
  try {
    const late = wait(timeoutMs, false, { signal: stop.signal, ref: false });
    // Stopped below once the condition has answered, which rejects it.
    late.catch(() => undefined);
    return await Promise.race([Promise.resolve().then(condition), late]);
  } catch {
    return false;
  } finally {
    stop.abort();
  }
}
