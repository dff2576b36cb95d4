// pop3d beside a real Dovecot that has its mail where public recipes put it: the mailboxes open with the unique-ids that
// Dovecot gave, and neither server changes what the other needs.

import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startDovecot, unlessDovecot } from '../support/peers/dovecot.js';
import {
  fillDovecot,
  idsBySubject,
  idsFromDovecot,
  mailOwner,
  password,
  SharedMailstore,
} from '../support/mail/shared-mailstore.js';
import { builtProgram, startProgram } from '../support/programs/run-program.js';
import { connectWireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const skip = unlessDovecot();

interface Layout {
  readonly recipe: string;
  /** Dovecot's mail_location; `ROOT` stands for the mail root. */
  readonly location: string;
  /** Where Dovecot's home directories are, below the mail root. */
  readonly home?: string;
  readonly maildrop: string;
  readonly control?: string;
}

const layouts: readonly Layout[] = [
  {
    recipe: 'Postfix and Dovecot',
    location: 'maildir:ROOT/%d/%n',
    maildrop: 'ROOT/{domain}/{user}',
  },
  { recipe: 'ISPmail', location: 'maildir:~/Maildir', maildrop: 'ROOT/{domain}/{user}/Maildir' },
  {
    recipe: 'homes',
    location: 'maildir:~/Maildir',
    home: 'home/%n',
    maildrop: '{home}/Maildir',
  },
  {
    recipe: 'whole addresses',
    location: 'maildir:ROOT/%u',
    home: 'home/%n',
    maildrop: '{address}',
  },
  {
    recipe: 'a CONTROL directory',
    location: 'maildir:ROOT/%d/%n/mail:CONTROL=ROOT/control/%d/%n:INDEX=ROOT/index/%d/%n',
    maildrop: '{domain}/{user}/mail',
    control: 'ROOT/control/{domain}/{user}',
  },
];

for (const { recipe, location, home = '%d/%n', maildrop, control } of layouts) {
  t.test(
    `mail as in the layout of ${recipe} has the unique-ids of Dovecot`,
    { skip },
    async (t) => {
      const store = SharedMailstore.make(t, 'ann', 'bob');
      const at = (text: string): string => text.replaceAll('ROOT', store.mailRoot);
      const dovecot = await startDovecot(t, {
        mailRoot: store.mailRoot,
        passdb: store.passdb,
        mailUser: mailOwner,
        home,
        settings: `mail_location = ${at(location)}`,
      });
      const ids = await fillDovecot(dovecot);

      const before = filesIn(store.mailRoot);
      const args = [
        ...['--uidl', 'dovecot', '--maildrop', at(maildrop)],
        ...(control === undefined ? [] : ['--dovecot-control', at(control)]),
        '--passdb-query',
        `SELECT password, '${at(`ROOT/${home.replace('%d/', 'example.org/')}`).replace('%n', '')}' || username AS home
         FROM users WHERE username = :user AND domain = :domain`,
      ];
      const { client, program } = await store.openPop3('ann', ...args);
      t.strictSame(await idsBySubject(client), ids);
      await client.ok('DELE 1');
      t.equal(await client.ok('QUIT'), '+OK Logging out, 1 message removed');
      t.notMatch(program.stderr, /warning|unique-ids-made-up/);
      const after = filesIn(store.mailRoot);
      t.strictSame(
        after.filter((file) => !before.includes(file) && !file.endsWith('/pop3d.octets')),
        [],
        'nothing was added',
      );
      t.equal(before.filter((file) => !after.includes(file)).length, 1, 'one message was removed');
      const rest = await idsFromDovecot(dovecot);
      t.strictSame(rest, { three: ids['three'] }, 'Dovecot sees what is left, under its old id');
      t.notMatch(await dovecot.log(), /Error|Warning|Panic|Fatal|corrupt/i);

      // Who has no mail yet has none here, and is not made any.
      mkdirSync(join(store.mailRoot, 'example.org'), { recursive: true });
      chownSync(join(store.mailRoot, 'example.org'), mailOwner.uid, mailOwner.gid);
      const empty = await store.openPop3('bob', ...args);
      t.equal(await empty.client.ok('STAT'), '+OK 0 0');
      await empty.client.ok('QUIT');
      t.strictSame(
        filesIn(store.mailRoot).filter((file) => file.includes('bob')),
        [],
      );
    },
  );
}

t.test(
  'one run file serves the users and the mail of a Dovecot that is there',
  { skip },
  async (t) => {
    const store = SharedMailstore.make(t, 'ann');
    const dovecot = await startDovecot(t, {
      mailRoot: store.mailRoot,
      passdb: store.passdb,
      mailUser: mailOwner,
      settings: `mail_location = maildir:${store.mailRoot}/%d/%n`,
    });
    const ids = await fillDovecot(dovecot);

    const runFile = join(testFolder(t), 'pop3.run');
    const text = readFileSync(
      new URL('../../../services/dovecot/pop3.run', import.meta.url),
      'utf8',
    );
    writeFileSync(
      runFile,
      text
        .replace('dovecot:/run/dovecot', `dovecot:${dovecot.baseDir}`)
        .replace('argument /var/vmail', `argument ${store.mailRoot}`),
    );
    const program = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', runFile], {
      env: { POP3D: builtProgram('pop3d') },
    });
    const [, port = ''] = await program.logLine(/listening .*port=([0-9]+)/);
    const client = await connectWireClient(Number(port));
    await client.login('ann@example.org', password);
    t.strictSame(await idsBySubject(client), ids);
    await client.ok('QUIT');
    const stranger = await connectWireClient(Number(port));
    await stranger.status();
    await stranger.ok('USER ann@example.org');
    t.match(await stranger.command('PASS wrong'), /^-ERR \[AUTH\]/);
    stranger.destroy();
  },
);

/** All files below a folder but what Dovecot keeps for itself. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('dovecot'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
