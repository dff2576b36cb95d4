// Starts the built programs, or any other, as real processes and watches what they say and how they end.

import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Stream, Writable } from 'node:stream';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from './clean-environment.js';
import { deadline } from '../suite/deadline.js';

/** The part of tap's `t` that is needed here, so that benches can use this file too. */
export interface Teardown {
  teardown(handler: () => Promise<void>): unknown;
}

export interface ProgramOptions {
  readonly cwd?: string;
  /** Set on top of `cleanEnvironment()`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Open descriptors or sockets to pass as fds 0, 1, 2 and further ones; null: a pipe of ours. */
  readonly fds?: readonly (number | Stream | null)[];
}

/** How a process ended: one of the two is null. */
export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Result extends Ending {
  readonly stdout: Buffer;
  readonly stderr: string;
}

interface Manifest {
  /** What npm installs: the paths of the built programs. */
  readonly bin: Readonly<Record<string, string>>;
}

/** For a machine that does many other things, too. */
const defaultDeadlineMs = 60_000;

const thisProject = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * Absolute path of a built program, such as `pop3d`, or of a script given by a path inside `build/`.
 *
 * @param project folder of another checkout that is built
 */
export function builtProgram(name: string, project: string = thisProject): string {
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;
  const path =
    manifest.bin[name] ?? (name.includes('/') ? `build/${name}` : `build/src/programs/${name}.js`);
  return join(project, path);
}

/** Starts one of our programs; the test's teardown kills it when it still runs. */
export function startProgram(
  t: Teardown,
  name: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): RunningProgram {
  return startCommand(t, process.execPath, [builtProgram(name), ...args], options);
}

/** Starts any command; the test's teardown kills it when it still runs. */
export function startCommand(
  t: Teardown,
  command: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): RunningProgram {
  const [stdin = null, stdout = null, stderr = null, ...rest] = options.fds ?? [];
  const [file = '', ...words] = withoutLoaders([command, ...args], options.env);
  const child = spawn(file, words, {
    cwd: options.cwd,
    env: cleanEnvironment(options.env),
    stdio: [stdin ?? 'pipe', stdout ?? 'pipe', stderr ?? 'pipe', ...rest.map((fd) => fd ?? 'pipe')],
  });
  const program = new RunningProgram(child);
  t.teardown(async () => {
    program.kill('SIGKILL');
    await program.ending.catch(() => undefined);
  });
  return program;
}

/**
 * tap's spawn puts its loaders into every child's NODE_OPTIONS, whatever the environment that it is given: programs would
 * start in twice the time and run at an eighth of their speed. env(1) takes them out again.
 */
function withoutLoaders(
  words: readonly string[],
  { NODE_OPTIONS: nodeOptions }: Readonly<Record<string, string>> = {},
): readonly string[] {
  if (process.env['TAP'] === undefined) return words;
  const change =
    nodeOptions === undefined ? ['-u', 'NODE_OPTIONS'] : [`NODE_OPTIONS=${nodeOptions}`];
  return ['/usr/bin/env', ...change, ...words];
}

/** Runs one of our programs to its end. @param input what it reads from stdin */
export async function runProgram(
  t: Teardown,
  name: string,
  args: readonly string[] = [],
  options: ProgramOptions & { readonly input?: string | Buffer } = {},
): Promise<Result> {
  return startProgram(t, name, args, options).finish(options.input);
}

/** Runs any command to its end. @param input what it reads from stdin */
export async function runCommand(
  t: Teardown,
  command: string,
  args: readonly string[] = [],
  options: ProgramOptions & { readonly input?: string | Buffer } = {},
): Promise<Result> {
  return startCommand(t, command, args, options).finish(options.input);
}

/** A process under test. Its stderr is collected as it comes; its stdout is left to the test until `finish`. */
export class RunningProgram {
  readonly #child: ChildProcess;
  #stderr = '';
  #onStderr: (() => void) | undefined;
  /** Settles when the process is gone and its pipes are closed; rejects when it could not be started. */
  readonly ending: Promise<Ending>;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#stderr += text;
      this.#onStderr?.();
    });
    // A program may end, or close its input, before it has read all that the test writes.
    child.stdin?.on('error', () => undefined);
    this.ending = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => {
        resolve({ status, signal });
        this.#onStderr?.();
      });
    });
    this.ending.catch(() => undefined);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the program was not started');
    return this.#child.pid;
  }

  get stdin(): Writable {
    if (this.#child.stdin === null) throw new Error('stdin is no pipe');
    return this.#child.stdin;
  }

  get stdout(): Readable {
    if (this.#child.stdout === null) throw new Error('stdout is no pipe');
    return this.#child.stdout;
  }

  /** What it wrote to stderr so far, latin1. */
  get stderr(): string {
    return this.#stderr;
  }

  /**
   * Waits for the first line on stderr, from the start, that matches.
   *
   * @throws Error with all of stderr when the program ends, or `withinMs` pass, without such a line
   */
  async logLine(pattern: RegExp, withinMs = defaultDeadlineMs): Promise<RegExpExecArray> {
    const matched = new Promise<RegExpExecArray>((resolve, reject) => {
      this.#onStderr = () => {
        for (const line of this.#stderr.split('\n').slice(0, -1)) {
          const match = pattern.exec(line);
          if (match !== null) resolve(match);
        }
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
          reject(new Error(`ended without a line like ${String(pattern)}:\n${this.#stderr}`));
        }
      };
      this.ending.catch(reject);
      this.#onStderr();
    });
    return deadline(
      matched,
      withinMs,
      () => `no line like ${String(pattern)} in:\n${this.#stderr}`,
    );
  }

  /** Closes our end of one of its further pipes. */
  closeDescriptor(fd: number): void {
    this.#child.stdio[fd]?.destroy();
  }

  /** Sends a signal to this process; nothing happens when it is gone. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Writes `input`, closes stdin, reads stdout to its end and waits for the process to end. */
  async finish(input: string | Buffer = '', withinMs = defaultDeadlineMs): Promise<Result> {
    const chunks: Buffer[] = [];
    this.#child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    this.#child.stdin?.end(input);
    const ending = await deadline(
      this.ending,
      withinMs,
      () => `the program did not end; stderr:\n${this.#stderr}`,
    );
    return { ...ending, stdout: Buffer.concat(chunks), stderr: this.#stderr };
  }
}
