// The servers that are measured: pop3d behind tcpsrun in three ways, Dovecot 2.3 in two, over the same mail and passwords, and popa3d.

import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryFindProgram } from '../test/support/peers/debian.js';
import { poll } from '../test/support/suite/deadline.js';
import { startDovecot } from '../test/support/peers/dovecot.js';
import { pop3RunFile } from '../test/support/programs/mail-server.js';
import { builtProgram, startCommand, type Teardown } from '../test/support/programs/run-program.js';
import { hasPopa3d, startPopa3d } from './popa3d.js';
import { childrenOf } from './process-tree.js';
import { owner, type Site } from './site.js';

export const serverNames = ['kept', 'ahead', 'spawned', 'tuned', 'shipped', 'popa3d'] as const;
export type ServerName = (typeof serverNames)[number];

export const serverTitles: Readonly<Record<ServerName, string>> = {
  kept: 'pop3d, kept workers',
  ahead: 'pop3d, one-session workers',
  spawned: 'pop3d, a process per connection',
  tuned: 'Dovecot, tuned',
  shipped: 'Dovecot, as shipped',
  popa3d: 'popa3d under tcpserver',
};

export interface Server {
  readonly name: ServerName;
  readonly port: number;
  /** The process that started all its others. */
  readonly pid: number;
}

/** Whether there is a Dovecot to compare with. */
export const hasDovecot = tryFindProgram('dovecot') !== null;

/** Those of the names that this machine can start. */
export function available(...names: readonly ServerName[]): readonly ServerName[] {
  return names.filter((name) => (name === 'popa3d' ? hasPopa3d : hasDovecot || isOurs(name)));
}

export function isOurs(name: ServerName): boolean {
  return name === 'kept' || name === 'ahead' || name === 'spawned';
}

/** Whether each session costs the start of a process: tens to hundreds a second. */
export function isProcessPerSession(name: ServerName): boolean {
  return name !== 'kept' && name !== 'tuned';
}

/** Login and pop3 processes that serve one client after the other, ready in advance; rows of the database remembered. */
const tuned = `default_client_limit = 4000
service pop3-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 4000
}
service pop3 {
  service_count = 0
  client_limit = 1
  process_min_avail = 8
  process_limit = 1200
}
auth_cache_size = 10M
mail_max_userip_connections = 10000
`;

/** Only its limits are raised: with its own it would refuse the load. */
const shipped = `default_client_limit = 4000
service pop3-login {
  process_limit = 500
}
service pop3 {
  process_limit = 1200
}
mail_max_userip_connections = 10000
`;

/** Starts them one after the other and waits until each can be connected to. */
export async function startServers(
  t: Teardown,
  names: readonly ServerName[],
  site: Site,
): Promise<readonly Server[]> {
  const servers: Server[] = [];
  for (const name of names) {
    if (name === 'popa3d') servers.push({ name, ...(await startPopa3d(t, site)) });
    else servers.push(await (isOurs(name) ? startOurs(t, name, site) : startTheirs(t, name, site)));
  }
  return servers;
}

async function startOurs(t: Teardown, name: ServerName, site: Site): Promise<Server> {
  const ways: Partial<Record<ServerName, readonly string[]>> = {
    kept: [
      ...['--workers', String(site.workers ?? 2), '--concurrency', '1200', '--backlog', '1024'],
      ...(site.isBehindProxy === true ? ['--proxy-from', '127.0.0.1'] : []),
    ],
    ahead: ['--workers', '2', '--worker-sessions', '1'],
  };
  // To a file, as a supervisor would have it: a pipe would cost whoever reads it time of the same processors.
  const log = join(site.folder, `${name}.log`);
  const logDescriptor = openSync(log, 'w');
  const { pid } = startCommand(
    t,
    process.execPath,
    [
      ...[builtProgram('tcpsrun', site.project), '--user', owner.name, ...(ways[name] ?? [])],
      ...['127.0.0.1', '0', pop3RunFile],
    ],
    {
      env: {
        POP3D: builtProgram('pop3d', site.project),
        MAILROOT: site.mailRoot,
        PASSDB: site.passdb,
        ...(site.tls === undefined ? {} : { TLS_CERT: site.tls.cert, TLS_KEY: site.tls.key }),
      },
      fds: [null, null, logDescriptor],
    },
  );
  closeSync(logDescriptor);
  const port = await poll(`a port in ${log}`, () => {
    const line = /listening.*\bport=([0-9]+)/.exec(readFileSync(log, 'latin1'));
    return Promise.resolve(line === null ? undefined : Number(line[1]));
  });
  return { name, port, pid };
}

async function startTheirs(t: Teardown, name: ServerName, site: Site): Promise<Server> {
  const { mailRoot, passdb, tls } = site;
  const before = new Set(childrenOf(process.pid));
  const { pop3Port } = await startDovecot(t, {
    mailRoot,
    passdb,
    mailUser: owner,
    settings: name === 'tuned' ? tuned : shipped,
    ...(tls === undefined ? {} : { tls }),
  });
  const pid = childrenOf(process.pid).find((child) => !before.has(child));
  if (pid === undefined) throw new Error('Dovecot is no child of this process');
  return { name, port: pop3Port, pid };
}
