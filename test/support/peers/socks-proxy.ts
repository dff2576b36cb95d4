// A SOCKS5 proxy in this process (RFC 1928, RFC 1929) that finds every name at 127.0.0.1 and can be odd, and a port that
// runs any script in its place.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Teardown } from '../programs/run-program.js';

export interface SocksProxyOptions {
  /** `user:password`; without it nobody is asked. */
  readonly login?: string;
  /** Every reply goes out octet by octet. */
  readonly isSlow?: boolean;
  /** The address in the reply to a request, with its type and port. */
  readonly boundAddress?: readonly number[];
}

export interface SocksProxy {
  readonly port: number;
  /** What was asked for: `name example.org:995`, `ip4 …`, `ip6 …`. */
  readonly requests: string[];
}

/** Octets are taken from a connection in exact numbers. */
class Octets {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async take(count: number): Promise<Buffer> {
    for (;;) {
      const piece = this.#socket.read(count) as Buffer | null;
      if (piece?.length === count) return piece;
      if (this.#socket.destroyed || this.#socket.readableEnded) throw new Error('closed');
      await new Promise<void>((resolve) => {
        this.#socket.once('readable', resolve).once('close', resolve).once('end', resolve);
      });
    }
  }
}

export async function startSocksProxy(
  t: Teardown,
  { login, isSlow = false, boundAddress = [1, 0, 0, 0, 0, 0, 0] }: SocksProxyOptions = {},
): Promise<SocksProxy> {
  const requests: string[] = [];
  const serve = async (client: Socket): Promise<void> => {
    const octets = new Octets(client);
    const say = async (...bytes: readonly number[]): Promise<void> => {
      for (const piece of isSlow ? bytes.map((byte) => [byte]) : [bytes]) {
        client.write(Buffer.from(piece));
        if (isSlow) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const [, methods = 0] = await octets.take(2);
    const offered = await octets.take(methods);
    const method = login === undefined ? 0 : 2;
    if (!offered.includes(method)) {
      client.end(Buffer.from([5, 0xff]));
      return;
    }
    await say(5, method);
    if (login !== undefined) {
      const [, userLength = 0] = await octets.take(2);
      const user = (await octets.take(userLength)).toString();
      const [passwordLength = 0] = await octets.take(1);
      const password = (await octets.take(passwordLength)).toString();
      const isRight = `${user}:${password}` === login;
      await say(1, isRight ? 0 : 1);
      if (!isRight) {
        client.end();
        return;
      }
    }
    const [, , , type = 0] = await octets.take(4);
    const size = type === 1 ? 4 : type === 4 ? 16 : ((await octets.take(1))[0] ?? 0);
    const address = await octets.take(size);
    const port = (await octets.take(2)).readUInt16BE();
    const [kind, text] =
      type === 3
        ? ['name', address.toString()]
        : type === 4
          ? ['ip6', address.toString('hex')]
          : ['ip4', address.join('.')];
    requests.push(`${kind} ${text}:${port}`);
    const server = connect({ host: '127.0.0.1', port });
    server.once('error', () => client.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
    server.once('connect', () => {
      void (async () => {
        // What the server says at once comes in the same piece as the reply, if it can.
        const greeting = await new Promise<Buffer>((resolve) => {
          server.once('data', (chunk: Buffer) => {
            server.pause();
            resolve(chunk);
          });
        });
        const reply = [5, 0, 0, ...boundAddress];
        if (isSlow) {
          await say(...reply, ...greeting);
        } else {
          client.write(Buffer.concat([Buffer.from(reply), greeting]));
        }
        server.pipe(client);
        client.pipe(server);
      })();
    });
    client.once('close', () => server.destroy());
  };
  const port = await startScript(t, (client) => void serve(client).catch(() => client.destroy()));
  return { port, requests };
}

/** @returns the port whose connections `script` gets */
export async function startScript(t: Teardown, script: (client: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    script(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
