// Sessions of this process behind a port of 127.0.0.1, as kept workers serve them: for what makes many connections.

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { openAccounts } from '../../../src/auth/open-accounts.js';
import { openMaildirMaildrop } from '../../../src/maildrop/opened/maildir-maildrop.js';
import { defaultLimits } from '../../../src/pop3-server/commands/service.js';
import { runSession } from '../../../src/pop3-server/session/session.js';
import { ownProcessStarter } from '../../../src/pop3-server/session/starter.js';
import type { Security } from '../../../src/pop3-server/connection/link.js';
import type { Teardown } from './run-program.js';

export interface SessionServerOptions {
  readonly security: Security;
  readonly passdb: string;
  /** The Maildir of whoever logs in. */
  readonly inbox: string;
}

/** Listens until the test ends. @returns the port */
export async function startSessionServer(
  t: Teardown,
  { security, passdb, inbox }: SessionServerOptions,
): Promise<number> {
  const authenticator = openAccounts({ file: passdb });
  const sockets = new Set<Socket>();
  const service = {
    security,
    limits: defaultLimits,
    log: { write: () => undefined, flush: () => Promise.resolve() },
    authenticator: () => Promise.resolve(authenticator),
    openMaildrop: () => openMaildirMaildrop(inbox, { marksSeen: false, report: () => undefined }),
  };
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    void runSession(socket, service, {
      id: 'test',
      peer: socket.remoteAddress,
      accessLevel: undefined,
      isGreeted: false,
      apopTimestamp: null,
      starter: ownProcessStarter(),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    authenticator.close();
  });
  return (server.address() as AddressInfo).port;
}
