import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigurationError } from '../core/errors.ts';

/** A server that listens. */
export interface Listening {
  /** `http://127.0.0.1:9464`. */
  readonly url: string;
  /** Harmless when repeated. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Lets a server listen; port 0 takes a free one. Rejects with a ConfigurationError of `settings` when the address cannot be used. */
export async function listen(server: Server, host: string, port: number, settings: string): Promise<Listening> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([{ where: settings, message: `cannot listen: ${message}` }]);
  }
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= new Promise((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
    return closing;
  };
  // A server that listens on a port has an address of this form.
  const { address, port: taken, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
  return { url, close, [Symbol.asyncDispose]: close };
}
