// A Dovecot (2.3) of the test's own: POP3 and IMAP on free ports of 127.0.0.1 over a mail root and password database of
// ours. Needs root, because Dovecot changes users.

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { poll } from '../suite/deadline.js';
import { expectProgram, unlessInstalled, unlessRoot } from './debian.js';
import { startCommand, type Teardown } from '../programs/run-program.js';
import { connectWireClient } from '../sessions/wire-client.js';

export interface DovecotOptions {
  /** Maildrops are `domain/user/INBOX` below it, owned by `mailUser`. */
  readonly mailRoot: string;
  /** The SQLite file that passdb writes. */
  readonly passdb: string;
  /** A passwd-file that has users and passwords in its place. */
  readonly users?: string;
  /** Who Dovecot becomes to touch mail; anybody but root. */
  readonly mailUser?: { readonly uid: number; readonly gid: number };
  /** A user's home below the mail root; `%d/%n` by default. */
  readonly home?: string;
  readonly mechanisms?: readonly string[];
  /** PEM files; with them STLS and STARTTLS are offered. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Lines for the end of dovecot.conf. */
  readonly settings?: string;
}

export interface Dovecot {
  /** Its base_dir, where its sockets are. */
  readonly baseDir: string;
  readonly pop3Port: number;
  readonly imapPort: number;
  /** Of its master. */
  readonly pid: number;
  /** All that it logged so far. */
  log(): Promise<string>;
  /** Ends it and its children; the test's teardown does it too. */
  stop(): Promise<void>;
}

/** Debian's nobody and nogroup. */
const nobody = { uid: 65534, gid: 65534 };

/** For tap's `skip` option: the reason why there can be no Dovecot here, or false. */
export function unlessDovecot(): string | false {
  return unlessInstalled('dovecot', 'doveadm') || unlessRoot();
}

/** Starts it and waits until both ports greet. */
export async function startDovecot(t: Teardown, options: DovecotOptions): Promise<Dovecot> {
  // Not in the test's own folder: the paths of its sockets would be too long.
  const folder = await mkdtemp(join(tmpdir(), 'dovecot-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'run'));
  const [pop3Port, imapPort] = [await freePort(), await freePort()];
  await writeFile(join(folder, 'sql.conf'), sqlConfiguration(options.passdb));
  const configuration = join(folder, 'dovecot.conf');
  await writeFile(configuration, mainConfiguration(folder, { pop3Port, imapPort, ...options }));
  const master = startCommand(t, expectProgram('dovecot'), ['-F', '-c', configuration]);
  const stop = async (): Promise<void> => {
    // Killed outright it would leave its children behind.
    master.kill('SIGTERM');
    await master.ending;
  };
  t.teardown(stop);
  const log = (): Promise<string> =>
    readFile(join(folder, 'dovecot.log'), 'latin1').catch(() => master.stderr);
  for (const port of [pop3Port, imapPort]) {
    await poll(`Dovecot greets on port ${port}`, () => greeting(port)).catch(
      async (error: unknown) => {
        throw new Error(`${String(error)}\n${master.stderr}${await log()}`);
      },
    );
  }
  return { baseDir: join(folder, 'run'), pop3Port, imapPort, pid: master.pid, log, stop };
}

async function greeting(port: number): Promise<true | undefined> {
  try {
    const client = await connectWireClient(port);
    await client.line();
    client.destroy();
    return true;
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The query of doc/passdb-database.5. */
function sqlConfiguration(passdb: string): string {
  return `driver = sqlite
connect = ${passdb}
password_query = SELECT username, domain, password FROM users WHERE username = '%n' AND domain = '%d' AND active = 'Y'
iterate_query = SELECT username, domain FROM users
`;
}

function passwdFile(file: string): string {
  return `driver = passwd-file\n  args = ${file}`;
}

function mainConfiguration(
  folder: string,
  options: DovecotOptions & { readonly pop3Port: number; readonly imapPort: number },
): string {
  const {
    mailRoot,
    mailUser = nobody,
    home = '%d/%n',
    mechanisms = ['plain', 'login'],
    tls,
    users,
  } = options;
  const staticUsers = `driver = static
  args = uid=${mailUser.uid} gid=${mailUser.gid} home=${mailRoot}/${home}`;
  const ssl =
    tls === undefined ? 'ssl = no' : `ssl = yes\nssl_cert = <${tls.cert}\nssl_key = <${tls.key}`;
  return `base_dir = ${folder}/run
log_path = ${folder}/dovecot.log
protocols = pop3 imap
${ssl}
disable_plaintext_auth = no
auth_mechanisms = ${mechanisms.join(' ')}
auth_failure_delay = 0
mail_location = maildir:${mailRoot}/%d/%n/INBOX
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 1000
passdb {
  ${users === undefined ? `driver = sql\n  args = ${folder}/sql.conf` : passwdFile(users)}
}
userdb {
  ${users === undefined ? staticUsers : passwdFile(users)}
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${options.imapPort}
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    address = 127.0.0.1
    port = ${options.pop3Port}
  }
  inet_listener pop3s {
    port = 0
  }
}
service anvil {
  # Without its listener no address is made to wait longer after each wrong password.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
${options.settings ?? ''}
`;
}
