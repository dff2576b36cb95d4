// Mail that a real Dovecot stored compressed or encrypted: clients get its text, or an error and no way to delete it.

import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ImapClient } from '../support/peers/imap-client.js';
import { startDovecot, unlessDovecot } from '../support/peers/dovecot.js';
import { mailOwner, password, SharedMailstore } from '../support/mail/shared-mailstore.js';

const skip = unlessDovecot();

const text = `From: a@example.net\r\nSubject: invoice\r\n\r\n${'.line of text\r\n'.repeat(400)}`;
const large = `${text}${'another line of text\r\n'.repeat(50_000)}`;

/** Lets Dovecot store messages for ann with these settings. */
async function storeWith(
  t: Test,
  settings: string,
  ...messages: string[]
): Promise<SharedMailstore> {
  const store = SharedMailstore.make(t, 'ann');
  store.inbox('ann');
  store.giveAway();
  const { mailRoot, passdb } = store;
  const dovecot = await startDovecot(t, { mailRoot, passdb, mailUser: mailOwner, settings });
  const imap = await ImapClient.open(dovecot.imapPort, 'ann@example.org', password);
  for (const message of messages) await imap.append(Buffer.from(message));
  await imap.logout();
  await dovecot.stop();
  return store;
}

function zlib(method: string): string {
  return `mail_plugins = zlib\nplugin {\n  zlib_save = ${method}\n}\n`;
}

function mailCrypt(t: Test): string {
  const folder = t.testdir({});
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const [publicFile, privateFile] = [join(folder, 'public.pem'), join(folder, 'private.pem')];
  writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return `mail_plugins = mail_crypt zlib
plugin {
  zlib_save = gz
  mail_crypt_global_private_key = <${privateFile}
  mail_crypt_global_public_key = <${publicFile}
  mail_crypt_save_version = 2
}
`;
}

function messagesLeft(store: SharedMailstore): number {
  const inbox = store.inboxPath('ann');
  return readdirSync(join(inbox, 'new')).length + readdirSync(join(inbox, 'cur')).length;
}

t.test(
  "mail that Dovecot's zlib stored with gzip is served as the message",
  { skip },
  async (t) => {
    const store = await storeWith(t, zlib('gz'), text, large);
    const { client } = await store.openPop3('ann');
    t.strictSame(await client.listing('LIST'), [`1 ${text.length}`, `2 ${large.length}`]);
    t.equal((await client.message('RETR 1')).toString(), text);
    t.equal((await client.message('RETR 2')).toString(), large);
    t.match((await client.message('TOP 2 1')).toString(), /^From: .*\r\n\.line of text\r\n$/s);
    await client.ok('DELE 1');
    await client.ok('QUIT');
    t.equal(messagesLeft(store), 1);
  },
);

for (const [title, settings] of [
  ['bzip2', () => zlib('bz2')],
  ['LZ4', () => zlib('lz4')],
  ['zstd', () => zlib('zstd')],
  ['mail_crypt', mailCrypt],
] as const) {
  t.test(`mail that Dovecot stored with ${title} is never raw octets`, { skip }, async (t) => {
    const store = await storeWith(t, settings(t), text);
    const { client, program } = await store.openPop3('ann');
    if (title === 'zstd' && 'createZstdDecompress' in (await import('node:zlib'))) {
      t.equal((await client.message('RETR 1')).toString(), text);
      return;
    }
    for (const command of ['RETR 1', 'TOP 1 0', 'DELE 1']) {
      t.match(await client.command(command), /^-ERR \[SYS\/PERM\] /, command);
    }
    t.strictSame(await client.listing('LIST'), [`1 ${text.length}`]);
    await client.ok('QUIT');
    await program.ending;
    t.equal(messagesLeft(store), 1, 'no client deletes what it never saw');
    t.match(program.stderr, /unreadable .*error=.*(?:compressed|encrypted)/);
  });
}
