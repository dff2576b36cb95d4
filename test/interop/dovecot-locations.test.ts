// Users whose account source gives a mail location as Dovecot writes it: pop3d has the folder that Dovecot has as INBOX,
// with the unique-ids that Dovecot gave, whether Dovecot or a column of a database says so.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startDovecot, unlessDovecot, type Dovecot } from '../support/peers/dovecot.js';
import {
  fillDovecot,
  idsBySubject,
  mailOwner,
  password,
  SharedMailstore,
} from '../support/mail/shared-mailstore.js';
import { startProgram, type RunningProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';

/** ROOT stands for the mail root. */
const locations: Readonly<Record<string, string>> = {
  plain: 'maildir:~/Maildir',
  index: 'maildir:~/Maildir:INDEX=~/index:VOLATILEDIR=~/volatile:UTF-8',
  inbox: 'maildir:~/Maildir:INBOX=~/Inbox',
  control: 'maildir:~/Maildir:CONTROL=ROOT/control/%n',
  both: 'maildir:~/Maildir:INBOX=ROOT/inbox/%n:INDEX=MEMORY:CONTROL=~/control/',
  fs: 'maildir:~/Maildir:LAYOUT=fs:CONTROL=~/control',
  colon: 'maildir:~/a::b:INBOX=~/c::d',
};

/** Dovecot has the mail of these elsewhere, or not in a Maildir. */
const refused: Readonly<Record<string, string>> = {
  box: 'mbox:~/mail',
  layout: 'maildir:~/Maildir:LAYOUT=index',
};

interface Host {
  readonly store: SharedMailstore;
  readonly dovecot: Dovecot;
  /** The mail location of a user, as the database has it. */
  readonly locationOf: (user: string) => string;
}

async function makeHost(t: Parameters<typeof startDovecot>[0]): Promise<Host> {
  const all = { ...locations, ...refused };
  const store = SharedMailstore.make(t, ...Object.keys(all));
  const locationOf = (user: string): string =>
    (all[user] ?? '').replaceAll('ROOT', store.mailRoot).replaceAll('%n', user);
  const users = join(store.mailRoot, 'users');
  // In a passwd-file a colon ends a field, but in the last.
  const lines = Object.keys(all).map((user) => {
    const owner = `${mailOwner.uid}:${mailOwner.gid}`;
    const home = `${store.mailRoot}/home/${user}`;
    return `${user}@example.org:{PLAIN}${password}:${owner}::${home}::userdb_mail=${locationOf(user)}\n`;
  });
  writeFileSync(users, lines.join(''));
  const { mailRoot, passdb } = store;
  return { store, dovecot: await startDovecot(t, { mailRoot, passdb, users }), locationOf };
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('dovecot'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

t.test(
  'INBOX and its unique-ids are where Dovecot has them',
  { skip: unlessDovecot() },
  async (t) => {
    const { store, dovecot, locationOf } = await makeHost(t);
    const start = (...args: readonly string[]): { program: RunningProgram; client: WireClient } => {
      const program = startProgram(t, 'pop3d', ['--uidl', 'dovecot', ...args], {
        cwd: store.mailRoot,
      });
      return { program, client: new WireClient(program.stdout, program.stdin) };
    };
    const column = (user: string): readonly string[] => [
      ...['--passdb', store.passdb, '--passdb-query'],
      `SELECT password, '${store.mailRoot}/home/${user}' AS home, '${locationOf(user)}' AS maildrop
     FROM users WHERE username = :user AND domain = :domain`,
    ];
    const sources = (user: string) =>
      [
        ["Dovecot's userdb", ['--passdb', `dovecot:${dovecot.baseDir}`]],
        ['a column', column(user)],
      ] as const;

    for (const user of Object.keys(locations)) {
      const ids = await fillDovecot(dovecot, `${user}@example.org`);
      const before = filesIn(store.mailRoot);
      for (const [source, args] of sources(user)) {
        const { program, client } = start(...args);
        await client.login(`${user}@example.org`, password);
        t.strictSame(await idsBySubject(client), ids, `${locationOf(user)} in ${source}`);
        await client.ok('QUIT');
        await program.ending;
        t.notMatch(program.stderr, /warning|unique-ids-made-up/);
      }
      const after = filesIn(store.mailRoot).filter((file) => !file.endsWith('/pop3d.octets'));
      t.strictSame(after, before, 'the mail is as it was');
    }

    for (const user of Object.keys(refused)) {
      for (const [source, args] of sources(user)) {
        const { program, client } = start(...args);
        await client.status();
        await client.ok(`USER ${user}@example.org`);
        t.match(await client.command(`PASS ${password}`), /^-ERR \[SYS\/PERM\]/, source);
        t.match(program.stderr, /failure .*code=SYS\/PERM .*(?:is no Maildir|LAYOUT=index)/);
        client.destroy();
      }
    }
    t.notMatch(await dovecot.log(), /Error|Warning|Panic|Fatal|corrupt/i);
  },
);

t.test(
  'with LAYOUT=fs in mail_location, --dovecot-control finds the list that Dovecot has there',
  { skip: unlessDovecot() },
  async (t) => {
    const store = SharedMailstore.make(t, 'ann');
    const { mailRoot, passdb } = store;
    const dovecot = await startDovecot(t, {
      mailRoot,
      passdb,
      mailUser: mailOwner,
      settings: `mail_location = maildir:${mailRoot}/%d/%n/mail:LAYOUT=fs:CONTROL=${mailRoot}/control/%n`,
    });
    const ids = await fillDovecot(dovecot);
    const { client } = await store.openPop3(
      'ann',
      ...['--uidl', 'dovecot', '--maildrop', '{domain}/{user}/mail'],
      ...['--dovecot-control', 'control/{user}', '--default-domain', 'example.org'],
    );
    t.strictSame(await idsBySubject(client), ids);
    await client.ok('QUIT');
  },
);
