// A running tcpsrun with a run file of the test's own, and clients that watch what its programs send.

import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { deadline, poll } from '../suite/deadline.js';
import { builtProgram, startCommand, type RunningProgram } from './run-program.js';
import { testFolder } from '../suite/test-folder.js';

export interface TcpsrunOptions {
  /** The run file's text; see `shellRunFile`. */
  readonly runFile: string;
  /** A rules file's text, for `--rules`. */
  readonly rules?: string;
  readonly options?: readonly string[];
  readonly address?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its limit of open files; by default this process's. */
  readonly openFiles?: number;
  /** The words of a program that is to start it. */
  readonly under?: readonly string[];
}

export interface Tcpsrun {
  readonly program: RunningProgram;
  readonly port: number;
  /** Holds `test.run` and `rules`. */
  readonly directory: string;
  /** Connects from a loopback address of its own choice. */
  readonly connect: (from?: string) => Client;
}

/** A run file for a line of shell; the line must have no quotation marks and no percent signs but for parameters. */
export function shellRunFile(command: string): string {
  return `program /bin/sh\nargument sh\nargument -c\nargument "${command}"\n`;
}

/** A session that greets, then ends with a client's line, or with its connection. */
export const greeter = shellRunFile('echo +OK $$; read line; echo bye $line');

/** Starts tcpsrun on a port of its own and waits until it listens. */
export async function startTcpsrun(t: Test, given: TcpsrunOptions): Promise<Tcpsrun> {
  const directory = testFolder(t, { 'test.run': given.runFile, rules: given.rules ?? '' });
  const limit = given.openFiles === undefined ? [] : ['prlimit', `--nofile=${given.openFiles}`];
  const [command, ...words] = [...(given.under ?? []), ...limit, process.execPath];
  const program = startCommand(
    t,
    command,
    [
      ...words,
      builtProgram('tcpsrun'),
      ...(given.rules === undefined ? [] : ['--rules', 'rules']),
      ...(given.options ?? []),
      given.address ?? '127.0.0.1',
      '0',
      'test.run',
    ],
    { cwd: directory, env: given.env ?? {} },
  );
  const [, port = ''] = await program.logLine(/listening address=\S+ port=([0-9]+)/);
  return {
    program,
    port: Number(port),
    directory,
    connect: (from = '127.0.0.1') => {
      const client = new Client(Number(port), from);
      t.teardown(() => {
        client.socket.destroy();
      });
      return client;
    },
  };
}

/** Replaces a file of the fixture as an editor would. */
export function replaceText({ directory }: Tcpsrun, name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

/** The counters that SIGUSR1 asks for. */
export async function counters({ program }: Tcpsrun): Promise<Record<string, number>> {
  const before = program.stderr.split('counters ').length;
  program.kill('SIGUSR1');
  const line = await poll('a line of counters', () => {
    const lines = program.stderr.split('counters ');
    const last = lines.at(-1);
    return Promise.resolve(lines.length > before && last?.includes('\n') ? last : undefined);
  });
  const pairs = [...line.slice(0, line.indexOf('\n')).matchAll(/([a-zA-Z]+)=([0-9]+)/g)];
  return Object.fromEntries(pairs.map(([, name = '', value]) => [name, Number(value)]));
}

/** One connection. */
export class Client {
  readonly socket: Socket;
  #received = '';
  #onChange: (() => void) | undefined;
  #isClosed = false;
  #error: string | undefined;

  constructor(port: number, from: string) {
    this.socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.#received += text;
      this.#onChange?.();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code;
    });
    for (const event of ['end', 'close'] as const) {
      this.socket.on(event, () => {
        this.#isClosed = true;
        this.#onChange?.();
      });
    }
  }

  /** All that came so far, latin1. */
  get received(): string {
    return this.#received;
  }

  /** Waits for the first line, without its end; rejects when the connection closes before. */
  async firstLine(): Promise<string> {
    await this.#until(() => this.#isClosed || this.#received.includes('\n'));
    const [line, ...rest] = this.#received.split('\n');
    if (line === undefined || rest.length === 0)
      throw new Error(`closed after "${this.#received}"`);
    return line;
  }

  /** Waits for the end of the connection. @returns all that came, and the error's code if it was reset */
  async end(): Promise<{ readonly received: string; readonly error: string | undefined }> {
    await this.#until(() => this.#isClosed);
    return { received: this.#received, error: this.#error };
  }

  async #until(isDone: () => boolean): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#onChange = () => {
        if (isDone()) resolve();
      };
      this.#onChange();
    });
    await deadline(done, 60_000, () => `the connection had only "${this.#received}"`);
  }
}
