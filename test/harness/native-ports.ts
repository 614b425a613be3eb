import { createServer } from 'node:net';

// Below the ranges that systems hand out to outgoing connections (32768 and 49152 up): a client that keeps knocking at a
// stopped server could otherwise be given the server's own port, connect to itself and keep the server from coming back.
const LOWEST = 15_000;
const HIGHEST = 31_999;

/** `count` different loopback ports that nothing listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

export async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}
