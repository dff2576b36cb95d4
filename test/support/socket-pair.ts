// Two connected stream sockets, one for the test and one to give to a program as its connection.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SocketPair {
  /** The test's end. */
  readonly client: Socket;
  /** Unread and paused, to be passed in `fds`; close it with `destroy` once the program is started. */
  readonly server: Socket;
}

export type SocketKind = 'TCP' | 'Unix';

/** Makes a pair over 127.0.0.1 or over a Unix socket. */
export async function makeSocketPair(kind: SocketKind = 'TCP'): Promise<SocketPair> {
  // Not in t.testdir(): the path of a Unix socket must have less than 108 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'socket-pair-'));
  const path = join(folder, 'socket');
  const listener = createServer({ pauseOnConnect: true });
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    if (kind === 'Unix') listener.listen(path, resolve);
    else listener.listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  if (address === null) throw new Error('the listener has no address');
  const client =
    typeof address === 'string' ? connect(address) : connect(address.port, address.address);
  await new Promise((resolve, reject) => {
    client.once('connect', resolve).once('error', reject);
  });
  const server = await accepted;
  listener.close();
  rmSync(folder, { recursive: true });
  return { client, server };
}
