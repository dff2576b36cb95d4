// A command as receiver: it gets the message on its standard input, and its exit status says what
// became of it, as qmail-command(8) has it.

import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { exitCode } from '../../system/failures/exit-code.js';
import { StoreFailure } from '../settings/failures.js';
import type { OutgoingMessage } from './outgoing-message.js';
import type { Receiver, Verdict } from './receiver.js';

export interface CommandOptions {
  readonly command: string;
  /** Null when there is none. */
  readonly recipient: string | null;
  readonly account: string;
  readonly signal: AbortSignal;
}

/** sysexits(3): EX_TEMPFAIL. */
const temporaryStatuses = new Set<number>([75, exitCode.temporary]);
/** What a shell exits with when the command is not there, or may not be run. */
const notRunStatuses = new Set([126, 127]);

export class CommandReceiver implements Receiver {
  readonly name = '--deliver command';
  readonly #options: CommandOptions;

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  async hand(message: OutgoingMessage): Promise<Verdict> {
    const { command, recipient, account, signal } = this.#options;
    signal.throwIfAborted();
    // In a group of its own: a Ctrl-C for this program is not one for a delivery that is half done.
    const child = spawn('/bin/sh', ['-c', command], {
      ...{ stdio: ['pipe', 'ignore', 'inherit'], detached: true },
      env: {
        ...process.env,
        ...{ POP3GET_ID: message.id, POP3GET_ACCOUNT: account },
        ...(recipient === null ? {} : { POP3GET_RECIPIENT: recipient }),
      },
    });
    const ending = new Promise<Verdict>((resolve, reject) => {
      child.once('error', (error) => {
        reject(new StoreFailure(`${this.name} cannot be run: ${error.message}`));
      });
      child.once('close', (status, killedBy) => {
        try {
          resolve(this.#verdict(status, killedBy));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    ending.catch(() => undefined);
    // A command need not read all of the message.
    await pipeline(message.lines(), child.stdin).catch(() => undefined);
    return ending;
  }

  close(): void {
    // Nothing is kept open.
  }

  #verdict(status: number | null, killedBy: NodeJS.Signals | null): Verdict {
    if (status === 0) return { kind: 'accepted' };
    if (status === null) {
      const reason = `${this.name} was ended by ${killedBy ?? 'a signal'} and may have delivered`;
      return { kind: 'undecided', reason };
    }
    if (notRunStatuses.has(status)) {
      throw new StoreFailure(`${this.name} cannot be run (exit status ${status})`);
    }
    return temporaryStatuses.has(status)
      ? { kind: 'later', reason: `${this.name} asks to try again (exit status ${status})` }
      : { kind: 'refused', reason: `${this.name} refuses it (exit status ${status})` };
  }
}
