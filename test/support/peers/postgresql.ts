// A PostgreSQL of the test's own, on a socket in a folder of its own: no port, no password.

import { readdirSync } from 'node:fs';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { poll } from '../suite/deadline.js';
import type { RunningProgram, Teardown } from '../programs/run-program.js';
import { skipOrFail, tryFindProgram } from './debian.js';
import { runUnprivileged, serverFolder, signalTree, startUnprivileged } from './unprivileged.js';

const root = '/usr/lib/postgresql';

/** The folder of the newest server's programs; null where there is none. */
function tryFindServer(): string | null {
  try {
    const [newest] = readdirSync(root).sort((one, other) => Number(other) - Number(one));
    return newest === undefined ? null : join(root, newest, 'bin');
  } catch {
    return null;
  }
}

/** For tap's `skip` option. */
export function unlessPostgresql(): string | false {
  const isThere = tryFindServer() !== null && tryFindProgram('psql') !== null;
  return isThere ? false : skipOrFail('not installed: postgresql');
}

export interface PostgresqlServer {
  /** The folder of its socket: libpq's `host`. */
  readonly folder: string;
  readonly uri: string;
  /** Runs statements. @returns psql's output, a line a row, `|` between columns */
  sql(text: string): Promise<string>;
  /** All that is in the database, as statements. */
  dump(): Promise<string>;
  /** Ends it as `kill -9` does, with all its children. */
  kill(): Promise<void>;
  /** Lets sessions be cut off, and ends it in order. */
  stop(): Promise<void>;
  /** Starts it again after `kill` or `stop`. */
  start(): Promise<void>;
  /** While it is stopped: makes it a standby of the primary at this address, with new data. */
  copyFrom(address: string): Promise<void>;
  /** Stops its processes, whose sockets stay: what a hanging machine looks like. */
  freeze(): void;
  thaw(): void;
}

export interface PostgresqlOptions {
  /** Further lines of postgresql.conf, which come last. */
  readonly settings?: string;
  /** Lines of pg_hba.conf, which come first. */
  readonly access?: string;
  /** Of TCP, if it listens there, and in the name of its socket. */
  readonly port?: number;
  /** A command that runs the server elsewhere, such as in a network namespace. */
  readonly within?: readonly string[];
  /** The address of a primary on the same port: this server is a standby that streams from it. */
  readonly copyOf?: string;
}

/** Makes a cluster with the database `mail`, or a copy of one, and starts it. */
export async function startPostgresql(
  t: Teardown,
  schema = '',
  { settings = '', access = '', port = 5432, within, copyOf }: PostgresqlOptions = {},
): Promise<PostgresqlServer> {
  const bin = tryFindServer();
  if (bin === null) throw new Error('PostgreSQL is not installed');
  const folder = serverFolder(t, 'postgresql');
  const data = join(folder, 'data');
  const configure = async (): Promise<void> => {
    await appendFile(
      join(data, 'postgresql.conf'),
      `listen_addresses = ''
unix_socket_directories = '${folder}'
fsync = off
shared_buffers = 16MB
max_connections = 60
port = ${port}
${settings}
`,
    );
    const rules = join(data, 'pg_hba.conf');
    await writeFile(rules, `${access}\n${await readFile(rules, 'utf8')}`);
  };
  const copyFrom = async (address: string): Promise<void> => {
    await rm(data, { recursive: true, force: true });
    const primary = ['-h', address, '-p', String(port), '-U', 'postgres'];
    await runUnprivileged(
      join(bin, 'pg_basebackup'),
      [...primary, '-D', data, '-R', '-X', 'stream', '--no-sync', '--checkpoint=fast'],
      within,
    );
    await configure();
  };
  if (copyOf === undefined) {
    await runUnprivileged(join(bin, 'initdb'), [
      ...['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync'],
    ]);
    await configure();
  } else await copyFrom(copyOf);
  let program: RunningProgram | undefined;
  const psql = (database: string, text: string): Promise<string> =>
    runUnprivileged('psql', [
      ...['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'],
      ...['-h', folder, '-p', String(port), '-U', 'postgres', '-d', database, '-c', text],
    ]);
  const start = async (): Promise<void> => {
    await rm(join(data, 'postmaster.pid'), { force: true });
    program = startUnprivileged(t, join(bin, 'postgres'), ['-D', data], { within });
    await poll(
      'PostgreSQL answers',
      () =>
        psql('postgres', 'SELECT 1').then(
          () => true,
          () => undefined,
        ),
      30_000,
    );
  };
  const server: PostgresqlServer = {
    folder,
    uri: `postgresql:///mail?host=${folder}&port=${port}&user=postgres`,
    sql: (text) => psql('mail', text),
    async dump() {
      const statements = await runUnprivileged(join(bin, 'pg_dump'), [
        ...['-h', folder, '-p', String(port), '-U', 'postgres', '-d', 'mail'],
      ]);
      // A word that is another one each time.
      return statements.replace(/^\\(?:un)?restrict .*$/gm, '');
    },
    start,
    copyFrom,
    async kill() {
      if (program !== undefined) signalTree(program.pid, 'SIGKILL');
      await program?.ending;
    },
    async stop() {
      program?.kill('SIGINT'); // A fast shutdown, PostgreSQL 19.5.
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
  if (copyOf === undefined) await psql('postgres', 'CREATE DATABASE mail');
  if (schema !== '') await server.sql(schema);
  return server;
}
