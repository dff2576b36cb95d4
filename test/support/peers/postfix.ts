// A Postfix of the test's own: SMTP on a free port of 127.0.0.1, virtual mailboxes from a password database of ours.
// Needs root, because Postfix changes users.

import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { poll } from '../suite/deadline.js';
import { expectProgram, unlessInstalled, unlessRoot } from './debian.js';
import { freePort } from '../suite/free-port.js';
import { startCommand, type Teardown } from '../programs/run-program.js';
import { connectWireClient } from '../sessions/wire-client.js';

export interface PostfixOptions {
  /** Maildrops are `domain/user/INBOX` below it, owned by `mailUser`. */
  readonly mailRoot: string;
  /** The SQLite file that passdb writes; everybody may read it. */
  readonly passdb: string;
  readonly mailUser: { readonly uid: number; readonly gid: number };
}

export interface Postfix {
  readonly port: number;
  /** All that it logged so far. */
  log(): Promise<string>;
  /**
   * Sends a message over SMTP.
   *
   * @param message lines ending in CRLF
   * @returns the answer to the end of the data, or the refusal of an earlier command
   */
  send(recipient: string, message: string): Promise<string>;
}

/** Where Postfix looks for the maps of services/postfix, which these tests try. */
const services = fileURLToPath(new URL('../../../../services/postfix/', import.meta.url));

/** For tap's `skip` option: the reason why there can be no Postfix here, or false. */
export function unlessPostfix(): string | false {
  return unlessInstalled('postfix') || unlessRoot();
}

/** Starts it and waits until it greets. */
export async function startPostfix(t: Teardown, options: PostfixOptions): Promise<Postfix> {
  // Not in the test's own folder: the paths of its sockets would be too long.
  const folder = await mkdtemp(join(tmpdir(), 'postfix-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  for (const name of ['etc', 'queue', 'data']) await mkdir(join(folder, name));
  execFileSync('chown', ['postfix', join(folder, 'data')]);
  await writeFile(join(folder, 'etc/main.cf'), mainConfiguration(folder, options));
  await writeFile(join(folder, 'etc/master.cf'), masterConfiguration(port));
  for (const map of ['mailbox-domains.cf', 'mailbox-paths.cf']) {
    const text = await readFile(join(services, map), 'utf8');
    const edited = text.replace(/^dbpath = .*$/m, `dbpath = ${options.passdb}`);
    await writeFile(join(folder, 'etc', map), edited);
  }
  const etc = join(folder, 'etc');
  // Makes the queue's folders.
  execFileSync(expectProgram('postfix'), ['-c', etc, 'check'], { stdio: 'ignore' });
  const master = startCommand(t, masterProgram(), ['-c', etc, '-s']);
  const log = (): Promise<string> =>
    readFile(join(folder, 'log'), 'latin1').catch(() => master.stderr);
  t.teardown(async () => {
    // Killed outright it would leave its children behind.
    master.kill('SIGTERM');
    await master.ending;
    await rm(folder, { recursive: true, force: true });
  });
  await poll('Postfix greets', () => greeting(port)).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await log()}`);
  });
  return { port, log, send: (recipient, message) => send(port, recipient, message) };
}

function masterProgram(): string {
  const options = { encoding: 'utf8' } as const;
  const folder = execFileSync(expectProgram('postconf'), ['-dh', 'daemon_directory'], options);
  return join(folder.trim(), 'master');
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

async function send(port: number, recipient: string, message: string): Promise<string> {
  const client = await connectWireClient(port);
  const answer = async (): Promise<string> => {
    for (;;) {
      const line = await client.line();
      if (line[3] !== '-') return line;
    }
  };
  try {
    let line = await answer();
    for (const command of [
      'EHLO test',
      'MAIL FROM:<a@example.net>',
      `RCPT TO:<${recipient}>`,
      'DATA',
    ]) {
      client.write(`${command}\r\n`);
      line = await answer();
      if (!/^[23]/.test(line)) return line;
    }
    client.write(`${message.replace(/^\./gm, '..')}.\r\n`);
    line = await answer();
    client.write('QUIT\r\n');
    await answer();
    return line;
  } finally {
    client.destroy();
  }
}

/** The lines between the marks are those of services/postfix/main.cf, with this test's paths. */
function mainConfiguration(folder: string, options: PostfixOptions): string {
  const { mailRoot, mailUser } = options;
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file_prefixes = ${folder}
maillog_file = ${folder}/log
myhostname = mail.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
smtpd_peername_lookup = no
virtual_mailbox_domains = sqlite:${folder}/etc/mailbox-domains.cf
virtual_mailbox_maps = sqlite:${folder}/etc/mailbox-paths.cf
virtual_mailbox_base = ${mailRoot}
virtual_uid_maps = static:${mailUser.uid}
virtual_gid_maps = static:${mailUser.gid}
virtual_mailbox_limit = 0
`;
}

/** Nothing runs in a chroot, where the password database would not be found. */
function masterConfiguration(port: number): string {
  const inet = [`127.0.0.1:${port} inet n - n - - smtpd`];
  const unix = [
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'flush unix n - n 1000? 0 flush',
    'proxymap unix - - n - - proxymap',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'virtual unix - n n - - virtual',
    'anvil unix - - n - 1 anvil',
    'postlog unix-dgram n - n - 1 postlogd',
  ];
  return `${[...inet, ...unix].join('\n')}\n`;
}
