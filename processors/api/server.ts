import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import { listen, type Listening } from '../runtime/listen.ts';
import { isLoopback } from '../runtime/loopback.ts';
import type { Meter } from '../runtime/meter.ts';
import type { Log } from '../runtime/ports.ts';
import { stopwatch } from '../runtime/stopwatch.ts';
import { Problem } from './problem.ts';
import { matchRoute } from './route-matching.ts';
import type { Api } from './routes.ts';

export interface ApiOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What a request must show as bearer token; null: nothing, which the configuration allows on loopback alone. */
  readonly token: string | null;
  readonly meter: Pick<Meter, 'apiRequest'>;
  /** Is never told a customer. */
  readonly log: Log;
  readonly timeoutMs?: number;
  readonly concurrentMax?: number;
}

const TIMEOUT_MS = 10_000;
/** Folding and answering share one thread: few requests at a time, and the others are told to come back. */
const CONCURRENT_MAX = 8;
const HEADER_BYTES_MAX = 8 * 1024;

interface Answer {
  readonly route: string;
  readonly status: number;
  readonly body: object;
}

/** Serves the API. Rejects with a ConfigurationError when the address cannot be used. */
export async function serveApi(api: Api, options: ApiOptions): Promise<Listening> {
  const { host, port, log, meter } = options;
  const answering = new Answering(api, options);
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: TIMEOUT_MS }, (request, response) => {
    const took = stopwatch();
    answering.answer(request).then(
      (answer) => {
        send(request, response, answer);
        meter.apiRequest(answer.route, answer.status, took());
      },
      (error: unknown) => {
        log.error('an API request could not be answered', { error });
        response.destroy();
      },
    );
  });
  return listen(server, host, port, 'KIZUNA_API_HOST, KIZUNA_API_PORT');
}

class Answering {
  readonly #api: Api;
  readonly #log: Log;
  readonly #token: Buffer | null;
  readonly #timeoutMs: number;
  readonly #concurrentMax: number;
  #underWay = 0;

  constructor(api: Api, { token, log, timeoutMs = TIMEOUT_MS, concurrentMax = CONCURRENT_MAX }: ApiOptions) {
    this.#api = api;
    this.#log = log;
    this.#token = token === null ? null : digest(`Bearer ${token}`);
    this.#timeoutMs = timeoutMs;
    this.#concurrentMax = concurrentMax;
  }

  /** Never rejects for what the request or the world did. */
  async answer(request: IncomingMessage): Promise<Answer> {
    let route = 'none';
    try {
      this.#authorize(request);
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new Problem(405, 'This API only reads.', 'Use GET or HEAD.');
      }
      const matched = matchRoute(request.url ?? '/');
      route = matched.route.path;
      return {
        route,
        status: 200,
        body: await this.#bounded(async () => matched.route.answer(this.#api, matched.asked)),
      };
    } catch (error) {
      const problem = this.#problemOf(error, route);
      return { route, status: problem.status, body: problem.body };
    }
  }

  /** Digests are of one length, so that the time of the comparison tells nothing. */
  #authorize({ headers }: IncomingMessage): void {
    if (this.#token !== null) {
      if (timingSafeEqual(digest(headers.authorization ?? ''), this.#token)) return;
      const fix = 'Send the header "Authorization: Bearer <token>" with the token of KIZUNA_API_TOKEN.';
      throw new Problem(401, 'The token is missing or wrong.', fix, 'Authorization');
    }
    // A web page may let its own name lead to loopback, and so read what only this machine should.
    if (isLoopback(hostOf(headers.host ?? ''))) return;
    throw new Problem(400, 'Without a token only loopback is served.', 'Ask for localhost or 127.0.0.1.', 'Host');
  }

  async #bounded(work: () => Promise<object>): Promise<object> {
    if (this.#underWay >= this.#concurrentMax) {
      throw new Problem(503, 'Too many requests are under way.', 'Try again in a second.');
    }
    this.#underWay += 1;
    // What is given up goes on until the store has answered, and counts until then.
    const done = work().finally(() => {
      this.#underWay -= 1;
    });
    const stop = new AbortController();
    const late = wait(this.#timeoutMs, null, { signal: stop.signal, ref: false });
    try {
      const first = await Promise.race([done, late]);
      if (first !== null) return first;
    } finally {
      // Stopped once there is an answer, which rejects it.
      late.catch(() => undefined);
      stop.abort();
    }
    done.catch((error: unknown) => {
      this.#log.warn('an API request failed after it was given up', { error });
    });
    throw new Problem(503, 'The answer took too long.', 'Try again in a while; see whether MongoDB is slow.');
  }

  #problemOf(error: unknown, route: string): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof PipelineError && error.retriable) {
      this.#log.warn('the API could not be answered', { route, code: error.code });
      return new Problem(503, 'What customers are kept in does not answer.', 'Try again in a while; see /readyz.');
    }
    // Messages and stacks of our own name no customer; what was asked for is not told.
    this.#log.error('an API request failed', { route, error });
    return new Problem(500, 'This is a bug.', 'Please report it with what the log says.');
  }
}

function hostOf(header: string): string {
  return header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function send(request: IncomingMessage, response: ServerResponse, { status, body }: Answer): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': status === 200 ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(status === 503 ? { 'retry-after': '1' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
