// A process that serves one session on the connection it was started with.

import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import {
  openPassedSocket,
  openStandardConnection,
  type Connection,
} from '../../system/descriptors/connection.js';
import { isStderrSilenced } from '../../system/descriptors/silenced-stderr.js';
import { logOptionsFrom } from '../../system/program/log-options.js';
import { openLog } from '../../system/log/log.js';
import { keepYoungSpaceSmall } from '../../system/runtime/garbage.js';
import { configureService } from './configured-service.js';
import { clientOf } from '../connection/peer.js';
import type { Pop3dOptionValues } from './pop3d-options.js';
import { reportTo } from './report-descriptor.js';
import { nextSessionId, shutDownSessions } from '../session/running-sessions.js';
import { runSession } from '../session/session.js';
import { ownProcessStarter } from '../session/starter.js';
import { failuresNamedIn } from '../../worker/failed-logins.js';

export interface Pop3ProcessOptions {
  readonly given: Pop3dOptionValues;
  /** The passed socket; undefined for stdin and stdout. */
  readonly fd: number | undefined;
  readonly isGreeted: boolean;
  readonly apopTimestamp: string | null;
}

/** A log reader that stands still is waited for so long at the end. */
const logFlushMs = 1000;

/** Whoever runs it by hand with `2>&1` has no other sign of what is wrong. */
const cannotServe = '-ERR [SYS/TEMP] Cannot serve; the reason is in syslog\r\n';

/**
 * @returns when the session is over and its last log line is out.
 * @throws ConfigurationError when there is no connection
 */
export async function servePop3Process(options: Pop3ProcessOptions): Promise<void> {
  const { given, fd, isGreeted, apopTimestamp } = options;
  keepYoungSpaceSmall();
  const log = await openLog(logOptionsFrom('pop3d', given, fd === undefined ? [0, 1] : [fd]));
  // Before the connection is opened, which would keep a process that cannot serve it until the
  // client left.
  const service = await configureService(given, log, 'one').catch((error: unknown) => {
    if (isStderrSilenced()) tryWrite(fd ?? 1, cannotServe);
    throw error;
  });
  const reportFd = given['report-fd'];
  const tell = reportFd === undefined ? () => undefined : reportTo(reportFd, log);
  const connection = fd === undefined ? openStandardConnection() : openPassedSocket(fd);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, shutDownSessions);
  }
  tell({ what: 'ready' });
  const session = runSession(connection, service, {
    id: nextSessionId(),
    ...clientOf(kernelAddressOf(connection), process.env),
    accessLevel: given.accesslevel,
    isGreeted,
    apopTimestamp,
    starter: ownProcessStarter({
      before: failuresNamedIn(process.env),
      tell,
      onEvict: (evict) => process.on('SIGUSR2', evict),
    }),
  });
  // One that could not even begin has closed nothing, and a connection keeps the process.
  session.catch(() => connection.destroy());
  await session;
  await log.flush(logFlushMs);
}

function kernelAddressOf(connection: Connection): string | undefined {
  return connection instanceof Socket ? connection.remoteAddress : undefined;
}

function tryWrite(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // The peer went.
  }
}
