import { Problem } from './problem.ts';
import { ROUTES, type Route } from './routes.ts';

const ID_BYTES_MAX = 260;

const patterns = ROUTES.map((route) => ({ route, parts: route.path.split('/') }));

/**
 * The route of a request's address, and what it is asked with.
 *
 * @throws Problem 404 for a path that no route has, 400 for a part or a query that it does not take
 */
export function matchRoute(url: string): { route: Route; asked: Parameters<Route['answer']>[1] } {
  const [path = '/', search = ''] = url.split('?', 2);
  const given = path.split('/');
  for (const { route, parts } of patterns) {
    if (parts.length !== given.length) continue;
    if (!parts.every((part, index) => part.startsWith('{') || part === given[index])) continue;
    const query = new URLSearchParams(search);
    for (const name of query.keys()) {
      if (!route.queries.includes(name)) {
        const known = route.queries.length === 0 ? 'nothing' : route.queries.join(', ');
        throw new Problem(400, 'A query is not known.', `This path takes ${known}.`, name.slice(0, 64));
      }
      if (name !== 'segment' && query.getAll(name).length > 1) {
        throw new Problem(400, `${name} is given more than once.`, 'Give it once.', name);
      }
    }
    const named = (name: string): string => {
      const place = parts.indexOf(`{${name}}`);
      return place < 0 ? '' : decoded(given[place] ?? '', name);
    };
    return { route, asked: { brand: named('brand'), id: named('id'), query } };
  }
  const paths = ROUTES.map((route) => route.path).join(', ');
  throw new Problem(404, 'There is no such path.', `There are ${paths}.`);
}

function decoded(text: string, name: string): string {
  let value: string;
  try {
    value = decodeURIComponent(text);
  } catch {
    throw new Problem(
      400,
      `${name} is not percent-encoded UTF-8.`,
      'Encode every byte that is not a letter or digit.',
      name,
    );
  }
  const isBrand = name === 'brand';
  if (value === '' || Buffer.byteLength(value) > ID_BYTES_MAX || (isBrand && !/^[a-z0-9-]{1,64}$/.test(value))) {
    const fix = isBrand ? 'A brand is 1 to 64 of a-z, 0-9 and -.' : 'An id has 1 to 256 bytes, behind u:, e: or a:.';
    throw new Problem(400, `${name} is not of the right form.`, fix, name);
  }
  return value;
}
