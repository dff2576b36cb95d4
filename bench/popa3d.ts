// popa3d under tcpserver: a process for each connection, in C, that a user might pick instead. It knows the system's users and
// mbox files only: it gets them in a mount namespace of its own.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectProgram, tryFindProgram } from '../test/support/peers/debian.js';
import { poll } from '../test/support/suite/deadline.js';
import { startCommand, type Teardown } from '../test/support/programs/run-program.js';
import { password } from './load.js';
import { owner, type Site } from './site.js';

export const hasPopa3d = tryFindProgram('popa3d') !== null && tryFindProgram('tcpserver') !== null;

/** The arguments: folder, popa3d. Its own processes are chrooted to /var/lib/popa3d, an empty folder. */
const script = `set -e
mount --bind "$0/passwd" /etc/passwd
mount --bind "$0/shadow" /etc/shadow
mount --bind "$0/mbox" /var/mail
mount -t tmpfs tmpfs /var/lib
mkdir /var/lib/popa3d
exec tcpserver -1 -RHl0 -c 1000 -b 1000 127.0.0.1 0 "$1"`;

export async function startPopa3d(
  t: Teardown,
  { folder, mailRoot, users }: Site,
): Promise<{ readonly port: number; readonly pid: number }> {
  mkdirSync(join(folder, 'mbox'));
  chmodSync(join(folder, 'mbox'), 0o1777);
  // The quickest that crypt(3) has.
  const hash = execFileSync('openssl', ['passwd', '-1', password], { encoding: 'latin1' }).trim();
  const logins = [{ login: 'popa3d', uid: 499, hash: '*' }];
  for (const login of users) {
    const [user = '', domain = ''] = login.split('@');
    const path = join(folder, 'mbox', login);
    writeFileSync(path, mboxOf(join(mailRoot, domain, user, 'INBOX')));
    chownSync(path, owner.uid, owner.gid);
    logins.push({ login, uid: owner.uid, hash });
  }
  writeFileSync(
    join(folder, 'passwd'),
    logins
      .map(({ login, uid }) => `${login}:x:${uid}:${owner.gid}::/:/usr/sbin/nologin\n`)
      .join(''),
  );
  writeFileSync(
    join(folder, 'shadow'),
    logins.map(({ login, hash }) => `${login}:${hash}:19000::::::\n`).join(''),
  );
  const args = ['--mount', 'sh', '-c', script, folder, expectProgram('popa3d')];
  const program = startCommand(t, 'unshare', args);
  let said = '';
  program.stdout.setEncoding('latin1').on('data', (text: string) => (said += text));
  const port = await poll('the port of tcpserver', () =>
    Promise.resolve(/^([0-9]+)\n/.exec(said)?.[1]),
  );
  return { port: Number(port), pid: program.pid };
}

/** The messages of a Maildir, one behind the other. mbox(5). */
function mboxOf(inbox: string): string {
  const folders = ['cur', 'new'].map((name) => join(inbox, name));
  const messages = folders.flatMap((folder) =>
    readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')),
  );
  return messages
    .map((text) => `From a Thu Jan  1 00:00:00 2026\n${text.replace(/^From /gm, '>From ')}\n`)
    .join('');
}
