// The file system with the mail was not mounted: every maildrop was empty, and clients forgot which messages they had.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { mountSmallFileSystem, unlessMountable } from '../support/mail/small-file-system.js';
import { startProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const address = 'ann@example.org';

/** A folder with a password database beside an empty mail root. */
function makeSite(t: Test): { passdb: string; mailRoot: string } {
  const folder = testFolder(t, {});
  const passdb = join(folder, 'passdb.sqlite');
  makePasswordDatabase(passdb, { [address]: 'open sesame' });
  const mailRoot = join(folder, 'mail');
  mkdirSync(mailRoot);
  chmodSync(mailRoot, 0o755);
  return { passdb, mailRoot };
}

/** Logs in and asks for STAT. @returns the reply to STAT, or to PASS when it fails */
async function stat(t: Test, site: { passdb: string; mailRoot: string }): Promise<string> {
  const program = startProgram(t, 'pop3d', ['--passdb', site.passdb], { cwd: site.mailRoot });
  const client = new WireClient(program.stdout, program.stdin);
  await client.status();
  await client.ok(`USER ${address}`);
  const login = await client.command('PASS open sesame');
  const reply = login.startsWith('+OK') ? await client.command('STAT') : login;
  client.end();
  await program.ending;
  return reply;
}

t.test('a mail root that is not mounted is [SYS/TEMP]', { skip: unlessMountable() }, async (t) => {
  const site = makeSite(t);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', site.mailRoot]);
  try {
    t.equal(await stat(t, site), '+OK 0 0', 'an empty file system that is mounted');
    makeInbox(site.mailRoot, address).add('one\n');
    t.equal(await stat(t, site), '+OK 1 7');
  } finally {
    execFileSync('umount', [site.mailRoot]);
  }
  t.match(await stat(t, site), /^-ERR \[SYS\/TEMP\]/);
});

t.test("so is a domain's directory", { skip: unlessMountable() }, async (t) => {
  const site = makeSite(t);
  const domain = join(site.mailRoot, 'example.org');
  mkdirSync(domain);
  t.match(await stat(t, site), /^-ERR \[SYS\/TEMP\]/);
  mountSmallFileSystem(t, 'size=1m,mode=755', domain);
  makeInbox(site.mailRoot, address).add('one\n');
  t.equal(await stat(t, site), '+OK 1 7');
});

t.test('a new site can start, and new users of an old one have no mail', async (t) => {
  const site = makeSite(t);
  t.match(await stat(t, site), /^-ERR \[SYS\/TEMP\]/, 'nothing tells it from one without its mail');
  mkdirSync(join(site.mailRoot, 'example.org', 'ann'), { recursive: true });
  t.equal(await stat(t, site), '+OK 0 0', 'the directory was made for the user');
  rmSync(join(site.mailRoot, 'example.org'), { recursive: true });
  makeInbox(site.mailRoot, 'bert@example.org');
  t.equal(await stat(t, site), '+OK 0 0', 'others have directories');
});
