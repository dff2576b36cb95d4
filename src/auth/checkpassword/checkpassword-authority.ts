// A program with the checkpassword interface as the judge of passwords
// (https://cr.yp.to/checkpwd/interface.html): it reads name, password and a timestamp from
// descriptor 3, exits with 1 for a wrong password and 111 when it cannot tell, and runs the program
// in its arguments when the password is right. That program is env(1) here, and tells where the
// user's home directory is.

import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { SourceUnavailable } from '../accounts/account-source.js';
import type { Verdict } from '../accounts/authenticator.js';
import { unlimited } from '../accounts/grant.js';
import type { PasswordAuthority, PasswordQuestion } from '../authorities/password-authority.js';

/** What the interface allows on descriptor 3. */
const maxOctets = 512;
/** The exit status that says so. */
const misused = 2;
/** More than an environment is. */
const maxOutput = 262_144;

export class CheckpasswordAuthority implements PasswordAuthority {
  readonly #program: string;
  readonly #running = new Set<ChildProcess>();

  /** @param program its path; nothing of it passes through a shell */
  constructor(program: string) {
    this.#program = program;
  }

  async ask(question: PasswordQuestion): Promise<Verdict> {
    const input = Buffer.concat([
      Buffer.from(`${question.name}\0`),
      question.password,
      Buffer.from(`\0Y${Math.floor(Date.now() / 1000)}\0`),
    ]);
    if (input.length > maxOctets) {
      return { verdict: 'rejected', reason: 'name and password too long for checkpassword' };
    }
    this.#requireProgram();
    const { status, signal, output } = await this.#run(input, question);
    if (status === 0) {
      const grant = { ...unlimited, home: homeIn(output) };
      return { verdict: 'accepted', identity: question.login, grant };
    }
    if (status === 1) return { verdict: 'rejected', reason: 'checkpassword refuses' };
    const how = status === null ? (signal ?? 'no status') : `exit status ${status}`;
    throw new SourceUnavailable(`${this.#program} ended with ${how}`, status === misused);
  }

  close(): void {
    for (const child of this.#running) endGroup(child);
  }

  #requireProgram(): void {
    try {
      accessSync(this.#program, constants.X_OK);
    } catch (error) {
      throw new SourceUnavailable(`${this.#program}: ${(error as Error).message}`, true);
    }
  }

  #run(
    input: Buffer,
    { client, withinMs }: PasswordQuestion,
  ): Promise<{ status: number | null; signal: NodeJS.Signals | null; output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#program, ['/usr/bin/env', '-0'], {
        // What it says may hold the password, as a shell's trace does: nobody hears it.
        stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
        // A group of its own, so that what it started ends with it.
        detached: true,
        env: {
          PATH: process.env['PATH'],
          PROTO: 'TCP',
          ...(client.address === null ? {} : { TCPREMOTEIP: client.address }),
        },
      });
      this.#running.add(child);
      const timer = setTimeout(() => {
        endGroup(child);
        fail(new SourceUnavailable(`${this.#program}: no answer in time`, false));
      }, withinMs);
      const chunks: Buffer[] = [];
      let size = 0;
      const fail = (error: Error): void => {
        clearTimeout(timer);
        this.#running.delete(child);
        reject(error);
      };
      child.once('error', (error) => {
        fail(new SourceUnavailable(`${this.#program}: ${error.message}`, false));
      });
      const [, output, , secrets] = child.stdio as unknown as [null, Readable, null, Writable];
      output.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxOutput) chunks.push(chunk);
        else endGroup(child);
      });
      // It may end without having read.
      secrets.on('error', () => undefined);
      secrets.end(input);
      child.once('close', (status, signal) => {
        clearTimeout(timer);
        this.#running.delete(child);
        resolve({ status, signal, output: Buffer.concat(chunks).toString('utf8') });
      });
    });
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile, or became somebody else: then it ends when its pipes do.
  }
}

function homeIn(environment: string): string | null {
  const home = environment.split('\0').find((variable) => variable.startsWith('HOME='));
  return home === undefined || home === 'HOME=' ? null : home.slice('HOME='.length);
}
