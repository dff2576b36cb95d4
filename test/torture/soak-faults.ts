// The faults of a soak, one after the other: what machines, administrators and strangers do to a mail server that goes on.

import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import { killOne } from '../faults/killed-workers.js';
import type { PipeFixture } from '../support/programs/pipe-fixture.js';
import type { RunningProgram } from '../support/programs/run-program.js';

export interface SoakTarget {
  readonly program: RunningProgram;
  readonly port: number;
  readonly passwordDatabase: string;
  readonly log: LogReader;
  readonly random: (limit: number) => number;
  /** How many were begun. */
  readonly sessions: () => number;
}

const lockMs = 1000;
const fullLogMs = 2000;
const resetCount = 50;
const drainPauseMs = 50;
/** On a slow machine every session would meet a fault. */
const leastSessionsBetween = 10;

/** Whoever reads the launcher's log, and stops now and then. */
export class LogReader {
  readonly #pipe: PipeFixture;
  #isStalled = false;
  #isOver = false;

  constructor(pipe: PipeFixture) {
    this.#pipe = pipe;
  }

  /** Reads until `stop`. */
  async run(): Promise<void> {
    while (!this.#isOver) {
      if (!this.#isStalled) await this.#pipe.read(() => true);
      await delay(drainPauseMs);
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  async fillFor(ms: number): Promise<void> {
    this.#isStalled = true;
    this.#pipe.fill();
    await delay(ms);
    this.#isStalled = false;
  }
}

const faults: readonly ((target: SoakTarget) => unknown)[] = [
  ({ program, random }) => killOne(program.pid, random),
  ({ passwordDatabase }) => lockFor(passwordDatabase, lockMs),
  ({ program }) => program.kill('SIGHUP'),
  ({ log }) => log.fillFor(fullLogMs),
  ({ port }) => {
    for (let count = 0; count < resetCount; count += 1) connectAndReset(port);
  },
];

export const faultKinds = faults.length;

/** Lets one fault after the other happen until `isOver`. @param tell is given how many there were, after each */
export async function haveFaults(
  target: SoakTarget,
  everyMs: number,
  isOver: () => boolean,
  tell: (count: number) => void,
): Promise<void> {
  let count = 0;
  for (;;) {
    const nextAt = target.sessions() + leastSessionsBetween;
    do await delay(everyMs);
    while (target.sessions() < nextAt && !isOver());
    if (isOver()) return;
    await faults[count % faults.length]?.(target);
    tell((count += 1));
  }
}

async function lockFor(file: string, ms: number): Promise<void> {
  const database = new SqliteFile(file);
  try {
    database.exec('BEGIN EXCLUSIVE');
    await delay(ms);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

/** Says half a line before. */
function connectAndReset(port: number): void {
  const socket = connect(port, '127.0.0.1', () => {
    socket.write('USE');
    socket.resetAndDestroy();
  });
  socket.on('error', () => undefined);
}
