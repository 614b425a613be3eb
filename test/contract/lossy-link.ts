import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A way to a server that can lose answers: the request arrives and takes effect, the connection dies before its reply. */
export interface LossyLink extends AsyncDisposable {
  /** "host:port" to connect to instead of the server's own. */
  readonly address: string;
  /** The next `times` requests whose bytes contain `text` get no answer. */
  loseRepliesTo(text: string, times: number): void;
  /** How many replies are still to be lost. */
  left(): number;
}

export async function openLossyLink(serverAddress: string): Promise<LossyLink> {
  const [host = '', port = ''] = serverAddress.split(':');
  let text = '';
  let left = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A connection that dies is what this is for; its other side is closed with it.
    socket.on('error', () => socket.destroy());
  };
  const listener = createServer((client) => {
    const server = connect(Number(port), host);
    let losing = false;
    keep(client);
    keep(server);
    client.on('data', (bytes) => {
      if (left > 0 && !losing && bytes.includes(text)) {
        losing = true;
        left--;
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (losing) client.destroy();
      else client.write(bytes);
    });
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port: ownPort } = listener.address() as AddressInfo;
  return {
    address: `127.0.0.1:${ownPort}`,
    loseRepliesTo(wanted, times) {
      text = wanted;
      left = times;
    },
    left: () => left,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
