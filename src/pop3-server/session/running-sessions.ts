// The sessions of this process: their names in the log, and an end for all of them.

import { ChurningMap } from '../../system/runtime/churning-map.js';

export interface RunningSession {
  /** Ends it at its next command: nothing that was marked is removed. */
  shutDown(): void;
}

const processId = [process.pid, Date.now()].map((part) => part.toString(36)).join('.');
let namedCount = 0;

/** An identity for the log: no two sessions of a machine have the same within years. */
export function nextSessionId(): string {
  namedCount += 1;
  return `${processId}.${namedCount.toString(36)}`;
}

const running = new ChurningMap<number, RunningSession>();
let startedCount = 0;

/** Has it end with the others. @returns what takes it out again */
export function addRunning(session: RunningSession): () => void {
  const number = startedCount++;
  running.set(number, session);
  return () => {
    running.delete(number);
  };
}

/** For a signal. */
export function shutDownSessions(): void {
  for (const session of running.values()) session.shutDown();
}
