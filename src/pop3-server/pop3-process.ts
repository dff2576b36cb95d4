// A process that serves one session on the connection it was started with.

import { Socket } from 'node:net';
import { openPassedSocket, openStandardConnection, type Connection } from '../system/connection.js';
import { logOptionsFrom } from '../system/log-options.js';
import { openLog, type Log } from '../system/log.js';
import type { Security } from './link.js';
import { createMaildirService } from './maildir-service.js';
import { defaultLimits } from './service.js';
import { runSession, shutDownSessions } from './session.js';

export interface Pop3ProcessOptions {
  /** The passed socket; undefined for stdin and stdout. */
  readonly fd: number | undefined;
  readonly isGreeted: boolean;
  readonly apopTimestamp: string | null;
  readonly tls: TlsFiles | null;
  readonly allowsCleartext: boolean;
  readonly accessLevel: number | undefined;
  readonly logging: { readonly log: string | undefined; readonly 'log-format': string | undefined };
  readonly passwordDatabase: string;
  readonly passwordQuery: string | undefined;
  readonly defaultDomain: string | undefined;
  readonly marksSeen: boolean;
  readonly idleTimeoutMs: number | undefined;
  readonly loginTimeoutMs: number | undefined;
}

export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** TLS from the first octet. */
  readonly isImplicit: boolean;
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
    security: await loadSecurity(options, log),
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
    apopTimestamp: options.apopTimestamp,
  });
  await log.flush(logFlushMs);
}

async function loadSecurity(
  { tls: files, allowsCleartext }: Pop3ProcessOptions,
  log: Log,
): Promise<Security> {
  if (files === null) return { tls: null, isImplicit: false, allowsCleartext };
  const { loadServerTls } = await import('../system/tls-server.js');
  const tls = loadServerTls(files.certificateFile, files.keyFile);
  for (const why of tls.warnings) log.write('warning', { why });
  return { tls, isImplicit: files.isImplicit, allowsCleartext };
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
