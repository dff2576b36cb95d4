// A MariaDB of the test's own, on a socket in a folder of its own: no port, a user without a password.

import { join } from 'node:path';
import { poll } from '../suite/deadline.js';
import type { RunningProgram, Teardown } from '../programs/run-program.js';
import { expectProgram, unlessInstalled } from './debian.js';
import { runUnprivileged, serverFolder, signalTree, startUnprivileged } from './unprivileged.js';

/** For tap's `skip` option. */
export function unlessMariadb(): string | false {
  return unlessInstalled('mariadbd', 'mariadb-install-db', 'mariadb', 'mariadb-dump');
}

export interface MariadbServer {
  /** Path of its socket. */
  readonly socket: string;
  readonly uri: string;
  /** Runs statements in the database `mail`. @returns what mariadb(1) prints: a line a row, tabs between columns */
  sql(text: string): Promise<string>;
  /** All that is in a database, as statements. */
  dump(database: string): Promise<string>;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/**
 * Makes a data directory with the database `mail` and its user `mail`, and starts the server.
 *
 * @param more options of mariadbd, which come last
 * @param within a command that runs the server elsewhere, such as in a network namespace
 */
export async function startMariadb(
  t: Teardown,
  schema = '',
  more: readonly string[] = ['--skip-networking'],
  within: readonly string[] = [],
): Promise<MariadbServer> {
  const folder = serverFolder(t, 'mariadb');
  const data = join(folder, 'data');
  const socket = join(folder, 'socket');
  // Temporary tables of two servers that start at a time would have the same names in /tmp.
  const options = ['--no-defaults', `--datadir=${data}`, `--tmpdir=${folder}`];
  await runUnprivileged(expectProgram('mariadb-install-db'), [
    ...options,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
  ]);
  let program: RunningProgram | undefined;
  const run = (user: string, args: readonly string[], text: string): Promise<string> =>
    runUnprivileged(expectProgram('mariadb'), [
      ...['--no-defaults', '-N', '-B', '-u', user, '-S', socket, ...args, '-e', text],
    ]);
  const start = async (): Promise<void> => {
    const words = [
      ...options,
      ...[`--socket=${socket}`, `--pid-file=${join(folder, 'pid')}`],
      ...['--innodb-buffer-pool-size=16M', '--innodb-flush-log-at-trx-commit=0'],
      '--innodb-flush-method=nosync',
      ...more,
    ];
    program = startUnprivileged(t, expectProgram('mariadbd'), words, { within });
    await poll(
      'MariaDB answers',
      () =>
        run('root', [], 'SELECT 1').then(
          () => true,
          () => undefined,
        ),
      30_000,
    );
  };
  const server: MariadbServer = {
    socket,
    uri: `mysql://mail@/mail?socket=${socket}`,
    sql: (text) => run('root', ['mail'], text),
    dump: (database) =>
      runUnprivileged(expectProgram('mariadb-dump'), [
        ...['--no-defaults', '-u', 'root', '-S', socket, '--skip-dump-date', database],
      ]),
    start,
    async kill() {
      program?.kill('SIGKILL');
      if (program !== undefined) signalTree(program.pid, 'SIGKILL');
      await program?.ending;
    },
    async stop() {
      program?.kill('SIGTERM');
      await program?.ending;
    },
    freeze() {
      if (program !== undefined) signalTree(program.pid, 'SIGSTOP');
    },
    thaw() {
      if (program !== undefined) signalTree(program.pid, 'SIGCONT');
    },
  };
  await start();
  t.teardown(async () => {
    server.thaw();
    await server.kill();
  });
  await run(
    'root',
    [],
    'CREATE DATABASE mail CHARACTER SET utf8mb4; CREATE USER mail@localhost; GRANT ALL ON mail.* TO mail@localhost',
  );
  if (schema !== '') await server.sql(schema);
  return server;
}
