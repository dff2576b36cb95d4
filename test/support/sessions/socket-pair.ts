// Two connected stream sockets, one for the test and one to give to a program as its connection.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface SocketPair {
  /** The test's end. */
  readonly client: Socket;
  /**
   * Unread, paused and half-open, as pop3d has its connections; to be passed in `fds`: close it with `destroy` once the program is
   * started.
   */
  readonly server: Socket;
}

/** @param path of a Unix socket to be made, under 108 bytes; without it the pair is TCP over 127.0.0.1 */
export async function makeSocketPair(path?: string): Promise<SocketPair> {
  const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    if (path === undefined) listener.listen(0, '127.0.0.1', resolve);
    else listener.listen(path, resolve);
  });
  const client =
    path === undefined
      ? connect((listener.address() as AddressInfo).port, '127.0.0.1')
      : connect(path);
  await new Promise((resolve, reject) => {
    client.once('connect', resolve).once('error', reject);
  });
  const server = await accepted;
  listener.close();
  return { client, server };
}
