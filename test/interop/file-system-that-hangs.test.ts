// Mail on a file system that another program serves (FUSE): when it stops answering, only its own sessions wait.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { mountFuse, unlessFuse, type FuseFileSystem } from '../support/mail/fuse-file-system.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { builtProgram } from '../support/programs/run-program.js';
import { startTcpsrun, type Tcpsrun } from '../support/programs/tcpsrun-fixture.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';

const skip = unlessFuse();
/** On the file system that hangs; the third one is on the disk. */
const [ann, amy, bob] = ['ann@example.org', 'amy@example.org', 'bob@example.net'] as const;

interface Site {
  readonly fuse: FuseFileSystem;
  readonly tcpsrun: Tcpsrun;
  /** Ann's Maildir, as the server of the files has it. */
  readonly inbox: MaildirFixture;
  readonly connect: () => Promise<WireClient>;
}

async function serve(t: Test, workers: number): Promise<Site> {
  // Not a folder of tap's, which removes it before the file system is gone.
  const folder = mkdtempSync(join(tmpdir(), 'pop3-hangs-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const mailRoot = join(folder, 'mail');
  mkdirSync(join(mailRoot, 'example.org'), { recursive: true });
  const passdb = join(folder, 'passdb.sqlite');
  makePasswordDatabase(passdb, { [ann]: 'x', [amy]: 'x', [bob]: 'x' });
  const served = join(folder, 'served');
  const inbox = makeInbox(served, ann);
  for (const box of [inbox, makeInbox(served, amy), makeInbox(mailRoot, bob)]) {
    for (const text of ['one\n', 'two\n', 'three\n']) box.add(`a: b\n\n${text}`);
  }
  const fuse = await mountFuse(t, join(served, 'example.org'), join(mailRoot, 'example.org'));
  const tcpsrun = await startTcpsrun(t, {
    runFile: [
      `chdir ${mailRoot}`,
      `program ${process.execPath}`,
      ...['node', builtProgram('pop3d'), '--passdb', passdb, '--failure-delay', '0', '%3'].map(
        (argument) => `argument ${argument}`,
      ),
    ].join('\n'),
    options: ['--workers', String(workers)],
  });
  // Whatever happens, nothing is to wait for it at the end.
  t.teardown(() => fuse.thaw());
  const connect = async (): Promise<WireClient> => {
    const client = await connectWireClient(tcpsrun.port);
    // A process of a session that stays open would outlive tcpsrun.
    t.teardown(() => client.destroy());
    return client;
  };
  return { fuse, tcpsrun, inbox, connect };
}

/** The reply to PASS. */
async function logIn(client: WireClient, user: string): Promise<string> {
  await client.status();
  await client.ok(`USER ${user}`);
  return client.command('PASS x');
}

for (const workers of [0, 1]) {
  const how = workers === 0 ? 'a process for each session' : 'one kept worker';
  t.test(
    `a file system stops answering under ${how}: its sessions wait and the others do not`,
    { skip },
    async (t) => {
      const { fuse, tcpsrun, inbox, connect } = await serve(t, workers);
      const [waiting, deleting] = [await connect(), await connect()];
      for (const client of [waiting, deleting]) await client.login(ann, 'x');
      t.equal((await waiting.message('RETR 1')).toString(), 'a: b\r\n\r\none\r\n');
      await deleting.ok('DELE 3');
      fuse.freeze();
      waiting.write('LIST\r\n');
      deleting.write('QUIT\r\n');

      // All this is answered while the file system is not.
      const refused = await connect();
      t.match(await logIn(refused, amy), /^-ERR \[SYS\/TEMP\]/);
      t.match(await refused.command('CAPA'), /^\+OK/, 'the session goes on');
      const others = await connect();
      await others.login(bob, 'x');
      t.equal((await others.message('RETR 2')).toString(), 'a: b\r\n\r\ntwo\r\n');
      await others.ok('DELE 2');
      await others.ok('QUIT');
      t.match(await logIn(await connect(), amy), /^-ERR \[SYS\/TEMP\]/, 'and later ones too');
      t.equal(inbox.names('new').length, 3, 'nothing was deleted');

      fuse.thaw();
      t.match(await deleting.status(), /^\+OK/, 'QUIT was waiting');
      t.equal(inbox.names('new').length, 2);
      await waiting.status();
      t.match((await waiting.multiline()).toString(), /^1 [0-9]+\r\n2 [0-9]+\r\n/);
      t.equal((await waiting.message('RETR 2')).toString(), 'a: b\r\n\r\ntwo\r\n');
      await waiting.ok('QUIT');
      const again = await connect();
      await again.login(amy, 'x');
      t.equal((await again.listing('LIST')).length, 3);
      await again.ok('QUIT');
      t.notMatch(tcpsrun.program.stderr, /kill|did not/, 'nothing was ended');
      t.match(tcpsrun.program.stderr, /failure .*reason="the file system .* does not answer"/);
    },
  );

  t.test(
    `a file system dies under ${how}: nobody is told of a short list or of a deletion that was not`,
    { skip },
    async (t) => {
      const { fuse, inbox, connect } = await serve(t, workers);
      const client = await connect();
      await client.login(ann, 'x');
      await client.ok('DELE 1');
      await fuse.die();
      t.match(await client.command('LIST'), /^-ERR \[SYS\/TEMP\]/);
      t.match(await client.command('RETR 2'), /^-ERR \[SYS\/TEMP\]/);
      t.match(await logIn(await connect(), amy), /^-ERR \[SYS\/TEMP\]/);
      t.match(await client.command('QUIT'), /^-ERR \[SYS\/TEMP\]/);
      t.equal(inbox.names('new').length, 3);
      const other = await connect();
      await other.login(bob, 'x');
      await other.ok('QUIT');
    },
  );
}
