// pop3d as a kept worker of tcpsrun: many sessions in one process, each with the arguments that the
// run file has for it.

import { statSync } from 'node:fs';
import { isSameStamp, type FileStamp } from '../../system/files/file-stamp.js';
import { logOptionsFrom } from '../../system/program/log-options.js';
import { openLog, type Log } from '../../system/log/log.js';
import { parseCommandLine } from '../../system/program/options.js';
import { collectOnOneThread } from '../../system/runtime/garbage.js';
import {
  runWorker,
  workerSessions,
  type FailureExchange,
  type HandedConnection,
} from '../../worker/worker.js';
import { makeApopTimestamp } from '../texts/apop-timestamp.js';
import { configureService } from './configured-service.js';
import { greetingWith } from '../texts/greeting.js';
import { clientOf } from '../connection/peer.js';
import { pop3dOptions, type Pop3dOptionValues } from './pop3d-options.js';
import type { Service } from '../commands/service.js';
import { nextSessionId, shutDownSessions } from '../session/running-sessions.js';
import { runSession } from '../session/session.js';

/**
 * Run files have few sets of arguments, if more than one for each level; beyond this they are made
 * anew.
 */
const maxServices = 64;

/**
 * @returns false when this process is no worker; else when tcpsrun wants nothing more of it and all
 *   sessions are over
 */
export async function servePop3Worker(given: Pop3dOptionValues): Promise<boolean> {
  const sessions = workerSessions(process.env);
  if (sessions === null) return false;
  collectOnOneThread();
  const log = await openLog({ ...logOptionsFrom('pop3d', given), gathersLines: true });
  const services = new Services(log, sessions === 1 ? 'one' : 'many');
  // What is wrong with the configuration shows now, not at the first connection.
  await services.for(given);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, shutDownSessions);
  }
  const isGreetingTheSame = given.apop !== true && given.tls !== true;
  await runWorker({
    greeting: isGreetingTheSame ? greetingWith(null) : null,
    reportsLogins: true,
    failures: await failureExchange(given['failed-logins'], log),
    serve: (connection) => serve(connection, services),
    whyStale: watchProgram(),
    report: (event, fields) => log.write(event, fields),
  });
  await log.flush(1000);
  return true;
}

/** @throws ConfigurationError for a source that is wrong */
async function failureExchange(
  source: string | undefined,
  log: Log,
): Promise<FailureExchange | undefined> {
  if (source === undefined) return undefined;
  const { SharedFailedLogins } = await import('../../auth/postgresql/shared-failed-logins.js');
  return new SharedFailedLogins(source, (why) => log.write('warning', { why }));
}

async function serve(connection: HandedConnection, services: Services): Promise<void> {
  const { socket, isGreeted } = connection;
  const { given, service } = services.find(connection);
  if (given.accesslevel === 0) {
    socket.destroy();
    return;
  }
  // The kernel is not asked: tcpsrun did, and names it with each connection.
  const { peer, proxiedTls } = clientOf(undefined, connection.environment);
  await runSession(socket, await service, {
    id: nextSessionId(),
    peer,
    proxiedTls,
    accessLevel: given.accesslevel,
    isGreeted,
    apopTimestamp: given.apop === true ? makeApopTimestamp() : null,
    starter: connection,
  });
}

/** A copy: each look at process.env asks the C library. */
const ownEnvironment = { ...process.env };

interface Configured {
  readonly given: Pop3dOptionValues;
  readonly service: Promise<Service>;
}

/**
 * One service for each set of options: certificate, password database and what is remembered of it
 * are shared.
 */
class Services {
  readonly #log: Log;
  readonly #sessions: 'one' | 'many';
  readonly #byOptions = new Map<string, Promise<Service>>();
  /** What arguments and level came to: few, and the same for nearly every connection. */
  readonly #byArguments = new Map<string, Configured>();

  constructor(log: Log, sessions: 'one' | 'many') {
    this.#log = log;
    this.#sessions = sessions;
  }

  find({ arguments: argv, environment }: HandedConnection): Configured {
    const key = [environment['ACCESSLEVEL'], ...argv].join('\0');
    const known = this.#byArguments.get(key);
    if (known !== undefined) return known;
    const { options: given } = parseCommandLine(pop3dOptions, argv.slice(1), {
      ...ownEnvironment,
      ...environment,
    });
    const configured = { given, service: this.for(given) };
    if (this.#byArguments.size >= maxServices) this.#byArguments.clear();
    this.#byArguments.set(key, configured);
    return configured;
  }

  for(given: Pop3dOptionValues): Promise<Service> {
    // The level is the session's, not the service's.
    const key = JSON.stringify({ ...given, accesslevel: undefined });
    let service = this.#byOptions.get(key);
    if (service === undefined) {
      if (this.#byOptions.size >= maxServices) this.#byOptions.clear();
      service = configureService(given, this.#log, this.#sessions);
      this.#byOptions.set(key, service);
      // What is mended meanwhile works the next time.
      service.catch(() => {
        this.#byOptions.delete(key);
        this.#byArguments.clear();
      });
    }
    return service;
  }
}

/**
 * Looks once a second at most whether this program is another now: a new process should serve then.
 */
function watchProgram(): () => string | null {
  const [, file = ''] = process.argv;
  const stampAtStart = tryStat(file);
  let checkedMs = performance.now();
  return () => {
    if (performance.now() - checkedMs < 1000) return null;
    checkedMs = performance.now();
    return isSameStamp(tryStat(file), stampAtStart) ? null : `${file} changed`;
  };
}

/** @returns null for a file that is not there for a moment, while it is replaced */
function tryStat(file: string): FileStamp | null {
  try {
    return statSync(file, { bigint: true });
  } catch {
    return null;
  }
}
