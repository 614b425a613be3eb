import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** How an answer is lost: the connection dies before it; stays, and goes on with the next request that matches; or never answers again. */
type Fate = 'cut' | 'silent' | 'frozen';

/** A way to a server that can be slow and lose answers. What is asked always arrives, at once, and takes effect. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port`, to connect to instead of the server's own. */
  readonly address: string;
  /** From now on each answer comes so much later. */
  delayAnswers(ms: number): void;
  /** The next `times` requests that match get no answer. */
  loseAnswersTo(matches: (request: Buffer) => boolean, times: number, fate: Fate): void;
  /** How many answers are still to be lost. */
  left(): number;
}

/** `serverAddress`: `host:port`. */
export async function openTcpProxy(serverAddress: string): Promise<TcpProxy> {
  const [host = '', serverPort = ''] = serverAddress.split(':');
  let delayMs = 0;
  let matches: (request: Buffer) => boolean = () => false;
  let fate: Fate = 'cut';
  let left = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A connection that dies is what this is for; its other side is closed with it.
    socket.on('error', () => socket.destroy());
  };
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ port: Number(serverPort), host, noDelay: true });
    const answers = new DelayedWrites(client);
    let losing: Fate | null = null;
    keep(client);
    keep(server);
    client.on('data', (bytes: Buffer) => {
      if (losing !== 'cut' && losing !== 'frozen' && matches(bytes)) {
        losing = left > 0 ? fate : null;
        if (left > 0) left--;
      }
      server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (losing === 'cut') client.destroy();
      else if (losing === null) answers.write(bytes, delayMs);
    });
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an address of this form.
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    address: `127.0.0.1:${port}`,
    delayAnswers(ms) {
      delayMs = ms;
    },
    loseAnswersTo(wanted, times, becomes) {
      matches = wanted;
      left = times;
      fate = becomes;
    },
    left: () => left,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Writes later, in order, also when the delay changes in between. */
class DelayedWrites {
  readonly #to: Socket;
  readonly #waiting: Buffer[] = [];
  #lastAt = 0;

  constructor(to: Socket) {
    this.#to = to;
  }

  write(bytes: Buffer, delayMs: number): void {
    const now = performance.now();
    this.#lastAt = Math.max(this.#lastAt, now + delayMs);
    if (this.#waiting.length === 0 && this.#lastAt <= now) {
      this.#to.write(bytes);
      return;
    }
    // Each timer writes the first that waits, whichever timer comes first.
    this.#waiting.push(bytes);
    setTimeout(() => {
      const first = this.#waiting.shift();
      if (first !== undefined && !this.#to.destroyed) this.#to.write(first);
    }, this.#lastAt - now);
  }
}
