// A process that serves one session on the connection it was started with.

import { Socket } from 'node:net';
import { openPassedSocket, openStandardConnection, type Connection } from '../system/connection.js';
import { logOptionsFrom } from '../system/log-options.js';
import { openLog } from '../system/log.js';
import { createMaildirService } from './maildir-service.js';
import { defaultLimits } from './service.js';
import { runSession, shutDownSessions } from './session.js';

export interface Pop3ProcessOptions {
  /** The passed socket; undefined for stdin and stdout. */
  readonly fd: number | undefined;
  readonly isGreeted: boolean;
  readonly accessLevel: number | undefined;
  readonly logging: { readonly log: string | undefined; readonly 'log-format': string | undefined };
  readonly passwordDatabase: string;
  readonly passwordQuery: string | undefined;
  readonly defaultDomain: string | undefined;
  readonly marksSeen: boolean;
  readonly idleTimeoutMs: number | undefined;
  readonly loginTimeoutMs: number | undefined;
}

/** A log reader that stands still is waited for so long at the end. */
const logFlushMs = 1000;

/** @returns when the session is over and its last log line is out. @throws ConfigurationError when there is no connection */
export async function servePop3Process(options: Pop3ProcessOptions): Promise<void> {
  const { fd } = options;
  const log = await openLog(
    logOptionsFrom('pop3d', options.logging, fd === undefined ? [0, 1] : [fd]),
  );
  const connection = fd === undefined ? openStandardConnection() : openPassedSocket(fd);
  const service = createMaildirService({
    passwordDatabase: options.passwordDatabase,
    passwordQuery: options.passwordQuery,
    defaultDomain: options.defaultDomain,
    marksSeen: options.marksSeen,
    sessions: 'one',
    limits: {
      ...defaultLimits,
      idleTimeoutMs: options.idleTimeoutMs ?? defaultLimits.idleTimeoutMs,
      loginTimeoutMs: options.loginTimeoutMs ?? defaultLimits.loginTimeoutMs,
    },
    log,
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, shutDownSessions);
  // Ignored anyway by the runtime; said here because a shell may have left it at its default.
  process.on('SIGPIPE', () => undefined);
  await runSession(connection, service, {
    id: `${process.pid.toString(36)}.${Date.now().toString(36)}`,
    peer: peerOf(connection, process.env),
    accessLevel: options.accessLevel,
    isGreeted: options.isGreeted,
  });
  await log.flush(logFlushMs);
}

/** What the kernel says of the peer, else what the launcher says: tcpserver and others, systemd, xinetd, socat. */
function peerOf(connection: Connection, environment: NodeJS.ProcessEnv): string | undefined {
  const address =
    (connection instanceof Socket ? connection.remoteAddress : undefined) ??
    environment['TCPREMOTEIP'] ??
    environment['REMOTE_ADDR'] ??
    environment['REMOTE_HOST'] ??
    environment['SOCAT_PEERADDR'];
  return address?.replace(/^::ffff:(?=[0-9.]+$)/i, '');
}
