// pop3get against GNU Mailutils' pop3d, which keeps an mbox, pipelines, and is logged in to with APOP here.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  expectProgram,
  tryFindProgram,
  unlessInstalled,
  unlessRoot,
} from '../support/peers/debian.js';
import { makeMaildir, storedContents } from '../support/programs/pop3get-fixture.js';
import { runProgram, startProgram } from '../support/programs/run-program.js';

/** An account that every Debian has, and its mail belongs to. */
const account = { name: 'games', uid: 5 };
/** Where its locks live; it gives up on a mailbox when the folder is missing. */
const lockFolder = '/var/lock/subsys/mail';
const count = 40;

const skip = unlessInstalled('popauth') || unlessRoot() || unlessMailutils();

/** Other packages have a pop3d as well. */
function unlessMailutils(): string | false {
  const path = tryFindProgram('pop3d');
  if (path === null) return 'not installed: pop3d of mailutils';
  const version = execFileSync(path, ['--version'], { encoding: 'latin1' });
  return /mailutils/i.test(version) ? false : 'pop3d is not that of mailutils';
}

t.test(
  'every message of an mbox is stored once and moved, whatever fields the server adds',
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'mailutils-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    if (statSync(lockFolder, { throwIfNoEntry: false }) === undefined) {
      mkdirSync(lockFolder, { recursive: true });
      chmodSync(lockFolder, 0o1777);
      t.teardown(() => rmSync(lockFolder, { recursive: true }));
    }
    const spool = join(folder, 'spool');
    mkdirSync(spool);
    const mbox = join(spool, account.name);
    const numbers = Array.from({ length: count }, (_, index) => index);
    const separator = 'From ann@example.org Sat Nov 21 10:00:00 2026\n';
    const text = (number: number): string => `Subject: ${number}\n\n.dot\nnumber ${number}\n`;
    writeFileSync(mbox, numbers.map((number) => `${separator}${text(number)}\n`).join(''));
    for (const path of [spool, mbox]) chownSync(path, account.uid, account.uid);
    const passwords = join(folder, 'apop.db');
    execFileSync(
      'popauth',
      [...['--add', `--file=${passwords}`, `--user=${account.name}`, '--password=secret']],
      { stdio: 'ignore' },
    );
    const configuration = join(folder, 'pop3d.conf');
    writeFileSync(
      configuration,
      `mode inetd;
apop-database-file "${passwords}";
apop-database-safety none;
mailbox { mailbox-pattern "mbox:${spool}/\${user}"; };
`,
    );
    const runFile = join(folder, 'pop3.run');
    writeFileSync(
      runFile,
      `program ${expectProgram('pop3d')}\nargument pop3d\nargument --no-site-config\n` +
        `argument "--config-file=${configuration}"\n`,
    );
    const server = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', runFile]);
    const [, port = ''] = await server.logLine(/listening.*\bport=(\d+)/);
    const maildir = makeMaildir(t);
    const args = ['--port', port, '--directory', maildir, '--json', '127.0.0.1', account.name];
    // After the first session it adds fields (Status, X-UID …) to each message.
    for (const [keep, expected] of [
      [['--keep'], { login: 'apop', stored: count, deleted: 0 }],
      [['--keep'], { stored: 0, known: count, deleted: 0 }],
      [[], { stored: 0, known: count, deleted: count }],
    ] as const) {
      const { status, stdout, stderr } = await runProgram(t, 'pop3get', [...keep, ...args], {
        env: { POP3GET_PASSWORD: 'secret' },
      });
      t.equal(status, 0, stderr);
      t.match(JSON.parse(stdout.toString()), expected);
    }
    // Mailutils adds a field of its own to the header.
    const stored = storedContents(maildir).map((one) => one.replace(/^X-UIDL: .*\r\n/m, ''));
    t.same([...stored].sort(), numbers.map((number) => text(number).replace(/\n/g, '\r\n')).sort());
    t.equal(statSync(mbox).size, 0);
  },
);
