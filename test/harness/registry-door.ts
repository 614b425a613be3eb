import { createServer, request } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A schema registry behind a door that asks for a name and a password, as registries in the cloud do. */
export interface RegistryDoor {
  readonly url: string;
  /** How often somebody was turned away. */
  readonly refused: number;
  stop(): Promise<void>;
}

/** Listens on loopback and passes on to the registry at `url`. */
export async function openRegistryDoor(url: string, login: { user: string; password: string }): Promise<RegistryDoor> {
  const expected = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  const { origin, pathname } = new URL(url);
  let refused = 0;
  const server = createServer((incoming, outgoing) => {
    if (incoming.headers.authorization !== expected) {
      refused += 1;
      incoming.resume();
      outgoing.writeHead(401, { 'www-authenticate': 'Basic' }).end('{"error_code":40101,"message":"Unauthorized"}');
      return;
    }
    const { method, headers, url: path = '/' } = incoming;
    const passed = request(origin + path, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.once('error', () => outgoing.writeHead(502).end());
    incoming.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${pathname}`,
    get refused() {
      return refused;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
