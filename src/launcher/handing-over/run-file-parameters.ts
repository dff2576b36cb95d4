// What `%1` to `%5` stand for in tcpsrun's run file, and which descriptors a program is given for
// using `%3` and `%5`. tcpsrun(8), RUN FILE.

import { evaluateRunFile, runFileUses, type Launch } from '../../run-file/evaluate-run-file.js';
import { readRunFile } from '../../run-file/read-run-file.js';
import { ucspiVariables, type ClientRating, type ConnectionFacts } from './connection-facts.js';

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

/** The connection's descriptor where the run file uses `%3`. Elsewhere it is 0 and 1. */
const socketNumber = 3;

const socketParameter = 3;
const newsParameter = 5;

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
  rating: ClientRating,
): LaunchPlan {
  const runFile = readRunFile(service.runFile);
  const passesNumber = runFileUses(runFile, { parameter: socketParameter });
  // The first number that is free.
  const newsNumber = passesNumber ? socketNumber + 1 : socketNumber;
  const { port, inherited, directory } = service;
  const numbers = [socketNumber, rating.level, newsNumber].map(String);
  const launch = evaluateRunFile(runFile, {
    inherited,
    facts: new Map(Object.entries(ucspiVariables(facts, rating))),
    parameters: [port, service.runFile, ...numbers],
    directory,
  });
  return {
    launch,
    passesNumber,
    passesNewsChannel: runFileUses(runFile, { parameter: newsParameter }),
  };
}
