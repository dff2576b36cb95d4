// tcpsrun with a kept worker of pop3d on a host, over the mail that the host has mounted.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  builtProgram,
  type Ending,
  type RunningProgram,
  type Teardown,
} from '../../programs/run-program.js';
import { poll } from '../../suite/deadline.js';
import type { Host } from './hosts.js';
import type { ShiftedClock } from './shifted-clock.js';
import { startDaemon } from './start-daemon.js';

export interface FrontNodeOptions {
  /** For its run file and log. */
  readonly folder: string;
  readonly mailRoot: string;
  /** As `--passdb` has it. */
  readonly accounts: string;
  /** Who may, and must, send a PROXY header. */
  readonly balancer: string;
  readonly clock: ShiftedClock;
}

export class FrontNode {
  readonly host: Host;
  readonly #t: Teardown;
  readonly #options: FrontNodeOptions;
  #program: RunningProgram | undefined;
  #starts = 0;

  constructor(t: Teardown, host: Host, options: FrontNodeOptions) {
    this.#t = t;
    this.host = host;
    this.#options = options;
  }

  /** Starts it and waits until it listens. @param aheadSeconds the clock of pop3d */
  async start(aheadSeconds = 0): Promise<void> {
    const { folder, mailRoot, accounts, balancer, clock } = this.#options;
    const { name, address } = this.host;
    const runFile = join(folder, `${name}.run`);
    const words = [
      // In the run file, because tcpsrun passes no LD_PRELOAD on.
      ...['env', ...clock.variables(aheadSeconds), process.execPath, builtProgram('pop3d')],
      // Nodes rename then, too.
      ...['--passdb', accounts, '--shared-mail', '--mark-seen', '--failure-delay', '0', '%3'],
    ];
    const lines = [`chdir ${mailRoot}`, 'program /usr/bin/env'];
    await writeFile(runFile, [...lines, ...words.map((word) => `argument ${word}`)].join('\n'));
    const options = ['--workers', '1', '--user', 'nobody', '--proxy-from', balancer];
    const tcpsrun = [
      process.execPath,
      builtProgram('tcpsrun'),
      ...options,
      address,
      '110',
      runFile,
    ];
    this.#program = startDaemon(this.#t, this.host, this.#log, tcpsrun);
    this.#starts += 1;
    await poll(
      `${name} to listen`,
      async () =>
        (await this.log()).match(/listening address=/g)?.length === this.#starts ? true : undefined,
      120_000,
    );
  }

  /** Puts a new worker, which has met no trouble yet, in the place of the one that it has. */
  renewWorker(): void {
    this.#program?.kill('SIGHUP');
  }

  /** All that it has written so far. */
  log(): Promise<string> {
    return readFile(this.#log, 'latin1');
  }

  /** What pop3d has written of the session of a client's address. */
  async logOf(address: string): Promise<string> {
    const lines = (await this.log()).split('\n');
    const first = lines.find(
      (line) => line.startsWith('pop3d: connect ') && line.includes(` peer=${address} `),
    );
    const session = / session=\S+/.exec(first ?? '')?.[0];
    return session === undefined ? '' : lines.filter((line) => line.includes(session)).join('\n');
  }

  /** Ends it and its sessions, as `kill -9` of all of it does. */
  async kill(): Promise<void> {
    this.host.kill(/^\S*node /);
    await this.#program?.ending;
  }

  /** Tells it to leave. @returns when its last session is over */
  async drain(): Promise<Ending | undefined> {
    this.#program?.kill('SIGTERM');
    return this.#program?.ending;
  }

  get #log(): string {
    return join(this.#options.folder, `${this.host.name}.log`);
  }
}
