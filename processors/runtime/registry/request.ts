import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

export interface RegistryRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: http.Agent;
  readonly timeoutMs: number;
  readonly body?: string;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly body: string;
}

/** One request by the agent given, which knows whom to trust: `fetch` takes no authorities. Rejects as Node does. */
export async function request(url: string, options: RegistryRequest): Promise<RegistryAnswer> {
  const { method, headers, agent, timeoutMs, body } = options;
  const { request: open } = url.startsWith('https:') ? https : http;
  const answered = Promise.withResolvers<http.IncomingMessage>();
  const asked = open(url, { method, headers: { ...headers }, agent, signal: AbortSignal.timeout(timeoutMs) });
  asked.once('error', answered.reject).once('response', answered.resolve);
  asked.end(body);
  const response = await answered.promise;
  return { status: response.statusCode ?? 0, body: await text(response) };
}
