import { createServer, request, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificates.ts';

/** A schema registry behind a door that asks for a name and a password, as registries in the cloud do. */
export interface RegistryDoor {
  readonly url: string;
  /** How often somebody was turned away. */
  readonly refused: number;
  stop(): Promise<void>;
}

/** Listens on loopback and passes on to the registry at `url`; over TLS with a certificate. */
export async function openRegistryDoor(
  url: string,
  login: { user: string; password: string },
  certificate?: Certificate,
): Promise<RegistryDoor> {
  const expected = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  const { origin, pathname } = new URL(url);
  let refused = 0;
  const pass: RequestListener = (incoming, outgoing) => {
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
  };
  const server = certificate === undefined ? createServer(pass) : createSecureServer({ ...certificate }, pass);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}${pathname}`,
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
