// Gives an accepted connection to a program started for it. The launcher's own copy is closed and never read, so that
// every byte, and the end of the connection, belong to the program.

import type { Socket } from 'node:net';
import {
  evaluateRunFile,
  runFileUsesParameter,
  type Launch,
  type RunFileContext,
} from '../../run-file/evaluate-run-file.js';
import { readRunFile } from '../../run-file/read-run-file.js';
import {
  startProgram,
  type ProgramEnd,
  type StartedProgram,
} from '../../run-file/start-program.js';
import type { ProgramNews } from '../../worker/session-news.js';
import { ucspiEnvironment, type ConnectionFacts, type Standing } from './connection-facts.js';
import { hearNews } from './news-channel.js';

/** A connection that was let in. */
export interface AdmittedConnection extends Standing {
  /** Paused since it was accepted. */
  readonly socket: Socket;
  readonly facts: ConnectionFacts;
  /** Gets what the program tells, if it does. */
  readonly hear: (news: ProgramNews) => void;
}

export interface Session {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** Ends it if it has not logged in; undefined when it would not tell whether it has. */
  readonly evict: (() => void) | undefined;
  /** Whether its program still has to start, and tells when it has. */
  readonly isStarting: boolean;
}

/** A way of serving connections. */
export interface HandOver {
  /** Whether a session costs a process: a hundred times what a connection costs the client. */
  readonly isCostly: boolean;
  /**
   * Gives the connection away and closes the launcher's copy of it.
   *
   * @throws when nobody took it (RunFileError, or the system's error); the connection is then still the caller's, to close
   */
  serve(connection: AdmittedConnection): Promise<Session>;
}

/** What a service is started with, the same for all of its connections. */
export interface Service {
  /** Path of the run file; `%2` as it stands. */
  readonly runFile: string;
  /** `%1`: the port as it was given. */
  readonly port: string;
  /** What programs inherit; cleaned already. */
  readonly inherited: ReadonlyMap<string, string>;
  /** The launcher's current directory. */
  readonly directory: string;
}

/** The connection's number in a program whose run file asks for it with `%3`. */
const socketNumber = 3;

const socketParameter = 3;
const newsParameter = 5;

/** Not SIGTERM: a program that its client has logged in to meanwhile must be able to tell this from its own end. */
const evictionSignal = 'SIGUSR2';

/** A program that has neither ended nor told of a login within this time gets SIGKILL. */
const evictionGraceMs = 1000;

export interface LaunchPlan {
  readonly launch: Launch;
  /** Whether the run file uses `%3`. */
  readonly passesNumber: boolean;
  /** Whether the run file uses `%5`: the program tells of logins. */
  readonly passesNewsChannel: boolean;
}

/** What the run file, as it is now, comes to for such a connection. @throws RunFileError */
export function planLaunch(
  service: Service,
  facts: ConnectionFacts,
  standing: Standing,
): LaunchPlan {
  const runFile = readRunFile(service.runFile);
  const passesNumber = runFileUsesParameter(runFile, socketParameter);
  // The first number that is free.
  const newsNumber = passesNumber ? socketNumber + 1 : socketNumber;
  const context: RunFileContext = {
    inherited: service.inherited,
    facts: ucspiEnvironment(facts, standing),
    parameters: [
      service.port,
      service.runFile,
      String(socketNumber),
      String(standing.level),
      String(newsNumber),
    ],
    directory: service.directory,
  };
  return {
    launch: evaluateRunFile(runFile, context),
    passesNumber,
    passesNewsChannel: runFileUsesParameter(runFile, newsParameter),
  };
}

/** Starts a process of its own for every connection, as inetd does. */
export function spawnPerConnection(service: Service): HandOver {
  return {
    isCostly: true,
    serve: async (connection) => {
      const { socket, facts, hear } = connection;
      const { launch, passesNumber, passesNewsChannel } = planLaunch(service, facts, connection);
      // 0 and 1 are set to block by libuv, as programs expect that know nothing of sockets; a numbered one is left as it is.
      const stdio: ('inherit' | 'pipe' | Socket)[] = passesNumber
        ? ['inherit', 'inherit', 'inherit', socket]
        : [socket, socket, 'inherit'];
      if (passesNewsChannel) stdio.push('pipe');
      const program = await startProgram(launch, stdio);
      // Not end(): shutdown(2) would close the connection for the program as well.
      socket.destroy();
      const { pid, ended } = program;
      if (!passesNewsChannel) return { pid, ended, evict: undefined, isStarting: false };
      let hasLoggedIn = false;
      hearNews(program, stdio.length - 1, (news) => {
        hasLoggedIn ||= news === 'login';
        hear(news);
      });
      const evict = (): void => void evictProgram(program, () => hasLoggedIn);
      return { pid, ended, evict, isStarting: true };
    },
  };
}

async function evictProgram(program: StartedProgram, hasLoggedIn: () => boolean): Promise<void> {
  program.kill(evictionSignal);
  const timer = setTimeout(() => {
    if (!hasLoggedIn()) program.kill('SIGKILL');
  }, evictionGraceMs);
  await program.ended;
  clearTimeout(timer);
}
