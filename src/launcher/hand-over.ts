// Gives an accepted connection to a program started for it. The launcher's own copy is closed and never read, so that
// every byte, and the end of the connection, belong to the program.

import type { StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import {
  evaluateRunFile,
  runFileUsesParameter,
  type Launch,
  type RunFileContext,
} from '../run-file/evaluate-run-file.js';
import { readRunFile } from '../run-file/read-run-file.js';
import { startProgram, type ProgramEnd } from '../run-file/start-program.js';
import { ucspiEnvironment, type ConnectionFacts } from './connection-facts.js';

/** A connection that was let in. */
export interface AdmittedConnection {
  /** Paused since it was accepted. */
  readonly socket: Socket;
  readonly facts: ConnectionFacts;
  /** 0 or more. */
  readonly level: number;
}

export interface SessionEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Session {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>;
}

/** A way of serving connections. */
export interface HandOver {
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

/** What the run file, as it is now, comes to for such a connection. @throws RunFileError */
export function planLaunch(
  service: Service,
  facts: ConnectionFacts,
  level: number,
): { readonly launch: Launch; readonly passesNumber: boolean } {
  const runFile = readRunFile(service.runFile);
  const context: RunFileContext = {
    inherited: service.inherited,
    facts: ucspiEnvironment(facts, level),
    parameters: [service.port, service.runFile, String(socketNumber), String(level)],
    directory: service.directory,
  };
  return {
    launch: evaluateRunFile(runFile, context),
    passesNumber: runFileUsesParameter(runFile, socketNumber),
  };
}

/** Starts a process of its own for every connection, as inetd does. */
export function spawnPerConnection(service: Service): HandOver {
  return {
    serve: async ({ socket, facts, level }) => {
      const { launch, passesNumber } = planLaunch(service, facts, level);
      // 0 and 1 are set to block by libuv, as programs expect that know nothing of sockets; a numbered one is left as it is.
      const stdio: StdioOptions = passesNumber
        ? ['inherit', 'inherit', 'inherit', socket]
        : [socket, socket, 'inherit'];
      const session = await startProgram(launch, stdio);
      // Not end(): shutdown(2) would close the connection for the program as well.
      socket.destroy();
      return session;
    },
  };
}
