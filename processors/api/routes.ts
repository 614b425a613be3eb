import type { Definitions } from '../core/definitions.ts';
import { suggestion } from '../core/nearest-name.ts';
import type { Instant } from '../core/processor.ts';
import { createCustomer, type CustomerProcessor } from '../customer/processor.ts';
import type { Clock } from '../runtime/ports.ts';
import { explanationAnswer, historyAnswer, profileAnswer } from './answers.ts';
import { CustomerReader, keysOf, type CustomerSources, type FoundCustomer } from './customer-reader.ts';
import openapi from './openapi.json' with { type: 'json' };
import { Problem } from './problem.ts';

/** What requests are answered from. */
export interface Api {
  readonly customer: CustomerProcessor;
  readonly reader: CustomerReader;
  readonly clock: Clock;
}

/** Evaluates by the definitions in use, in room of its own beside the processor that folds. */
export function createApi(definitions: Definitions, sources: CustomerSources & { readonly clock: Clock }): Api {
  const customer = createCustomer(definitions);
  return { customer, reader: new CustomerReader(customer, sources), clock: sources.clock };
}

/** What a route is asked with: the parts of its path and the query, decoded. */
interface Asked {
  readonly brand: string;
  readonly id: string;
  readonly query: URLSearchParams;
}

export interface Route {
  /** As openapi.json writes it. */
  readonly path: string;
  readonly queries: readonly string[];
  answer(api: Api, asked: Asked): object | Promise<object>;
}

const HISTORY_DEFAULT = 50;
const HISTORY_MAX = 1_000;

/** Every route there is. All of them only read. */
export const ROUTES: readonly Route[] = [
  {
    path: '/customers/{brand}/{id}',
    queries: ['at'],
    async answer(api, asked) {
      const { found, at } = await look(api, asked);
      const looked = { key: found.key, at };
      return { ...profileAnswer(looked, api.customer.inspect(found.state, at)), ...read(found) };
    },
  },
  {
    path: '/customers/{brand}/{id}/explain',
    queries: ['at', 'segment'],
    async answer(api, asked) {
      const { found, at } = await look(api, asked);
      const inspection = api.customer.inspect(found.state, at);
      const wanted = asked.query.getAll('segment');
      const ids = inspection.segments.map(({ segmentId }) => segmentId);
      const unknown = wanted.find((id) => !ids.includes(id));
      if (unknown !== undefined) {
        const fix = `Name a segment of the brand${suggestion(unknown, ids)}, or leave it out for all of them.`;
        throw new Problem(400, 'The segment is not defined for this brand.', fix, 'segment');
      }
      const segments = inspection.segments.filter(({ segmentId }) => wanted.length === 0 || wanted.includes(segmentId));
      return { ...explanationAnswer({ key: found.key, at }, inspection, segments), ...read(found) };
    },
  },
  {
    path: '/customers/{brand}/{id}/history',
    queries: ['at', 'limit'],
    async answer(api, asked) {
      const found = await find(api, asked);
      const until = Math.max(api.clock.now(), api.customer.clock(found.state));
      const history = api.customer.history(found.state, until);
      const at = instantOf(asked.query, 'at');
      if (at !== null && (at < history.since || at > until)) {
        const [from, to] = [history.since, until].map((time) => new Date(time).toISOString());
        const fix = `Ask for an instant from ${from} to ${to}.`;
        throw new Problem(400, 'The history does not reach to this instant.', fix, 'at');
      }
      return { ...historyAnswer(found.key, history, at, limitOf(asked.query)), ...read(found) };
    },
  },
  { path: '/openapi.json', queries: [], answer: () => openapi },
];

function read({ readFrom, isNewest }: FoundCustomer): object {
  return { readFrom, isNewest };
}

async function find({ reader }: Api, { brand, id }: Asked): Promise<FoundCustomer> {
  const found = await reader.find(keysOf(brand, id));
  if (found !== null) return found;
  const fix =
    'An id has u:, e: or a: in front, or is tried as each of them; see that brand and id are as in the events.';
  throw new Problem(404, 'There is no such customer.', fix, 'id');
}

/** The customer, and the instant as of which it is wanted: by default now. */
async function look(api: Api, asked: Asked): Promise<{ found: FoundCustomer; at: Instant }> {
  const wanted = instantOf(asked.query, 'at');
  const found = await find(api, asked);
  const asOf = api.customer.clock(found.state);
  // Records may be stamped a little ahead of this machine's clock.
  const at = wanted ?? Math.max(api.clock.now(), asOf);
  if (at < asOf) {
    const fix = `Ask for an instant from ${new Date(asOf).toISOString()} on, or ask /history what was before.`;
    throw new Problem(400, 'The instant is before the last change of this customer.', fix, 'at');
  }
  return { found, at };
}

function instantOf(query: URLSearchParams, name: string): Instant | null {
  const text = query.get(name);
  if (text === null) return null;
  const time = Date.parse(text);
  if (Number.isFinite(time) && /^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?$/.test(text)) return time;
  const fix = 'Write ISO 8601 with a zone, such as 2026-05-01T09:30:00Z.';
  throw new Problem(400, `${name} is not an instant.`, fix, name);
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null) return HISTORY_DEFAULT;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= HISTORY_MAX) return limit;
  throw new Problem(
    400,
    'limit is not a number of changes.',
    `Write a whole number from 1 to ${HISTORY_MAX}.`,
    'limit',
  );
}
