import http from 'node:http';
import https from 'node:https';
import { COMPATIBILITY, SchemaRegistry as Client, SchemaType } from '@kafkajs/confluent-schema-registry';
import type { SchemaRegistry } from '../../../schemas/registry.ts';
import { PipelineError } from '../../core/errors.ts';
import { failureOf, placeIn, unexpected } from './answers.ts';
import { request } from './request.ts';

export interface RegistryOptions {
  /** Base of the Confluent API, for example http://localhost:8081/apis/ccompat/v7. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Certificate authorities to trust (PEM) instead of the system's, for an address with https. */
  readonly ca?: string | null;
  /** How long one request may take. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
const CONNECTIONS_MAX = 8;
const HEADERS = { 'content-type': 'application/vnd.schemaregistry.v1+json' };

/**
 * A Confluent schema registry over HTTP. The client library registers and fetches schemas; what it lacks (versions, a policy
 * before the first version) or hides (whether the registry answered at all) is asked for directly. Nothing is tried again
 * here: a caller waits as a whole.
 */
export function connectRegistry(options: RegistryOptions): SchemaRegistry {
  const host = options.url.replace(/\/+$/, '');
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const auth =
    options.username === undefined ? undefined : { username: options.username, password: options.password ?? '' };
  const keeping = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
  const trusting = typeof options.ca === 'string' ? { ca: options.ca } : {};
  const agent = host.startsWith('https:') ? new https.Agent({ ...keeping, ...trusting }) : new http.Agent(keeping);
  const client = new Client({
    host,
    agent,
    clientId: 'kizuna',
    retry: { retries: 0 },
    ...(auth === undefined ? {} : { auth }),
    // Without it a registry that accepts a connection and says nothing is waited for without end.
    middlewares: [() => ({ prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }) })],
  });
  const headers: Record<string, string> = { ...HEADERS };
  if (auth !== undefined) {
    headers['authorization'] = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  }

  /** The parsed answer; null for 404. */
  async function ask(method: string, path: string, body?: object): Promise<unknown> {
    try {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await request(`${host}${path}`, { method, headers, agent, timeoutMs, ...sent });
      if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.body) as unknown;
      if (answer.status === 404) return null;
      throw failureOf({ status: answer.status, message: answer.body.slice(0, 500) });
    } catch (error) {
      throw error instanceof PipelineError ? error : failureOf(error);
    }
  }

  const at = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`;
  const find: SchemaRegistry['find'] = async (subject, schema) => placeIn(await ask('POST', at(subject), { schema }));

  return {
    find,

    async schemaById(id) {
      try {
        // An Avro type writes itself as its schema. What a JSON or protobuf schema writes, no Avro library reads.
        return JSON.stringify(await client.getSchema(id));
      } catch (error) {
        const status = statusOf(error);
        // Without a status the registry answered, with a schema that the Avro library refuses.
        if (status === 404 || status === undefined) return null;
        throw failureOf(error);
      }
    },

    async latest(subject) {
      return placeIn(await ask('GET', `${at(subject)}/versions/latest`));
    },

    async register(subject, schema, policy) {
      const config = `/config/${encodeURIComponent(subject)}`;
      if ((await ask('PUT', config, { compatibility: policy })) === null) throw unexpected('no subject policies');
      try {
        await client.register(
          { type: SchemaType.AVRO, schema },
          { subject, compatibility: COMPATIBILITY[policy], updateConfig: false },
        );
      } catch (error) {
        // Without a status it is the client's own refusal: what it was given is no schema.
        throw failureOf(statusOf(error) === undefined ? { status: 422, message: String(error) } : error);
      }
      const place = await find(subject, schema);
      if (place === null) throw unexpected('a schema that it had just taken is gone');
      return place;
    },

    close() {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

function statusOf(error: unknown): number | undefined {
  const { status } = error as { status?: unknown };
  return typeof status === 'number' ? status : undefined;
}
