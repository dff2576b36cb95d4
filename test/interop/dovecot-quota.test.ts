// A Maildir++ quota that Dovecot keeps in `maildirsize`: what pop3d removes is room for new mail.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ImapClient } from '../support/peers/imap-client.js';
import { startDovecot, unlessDovecot } from '../support/peers/dovecot.js';
import { mailOwner, password, SharedMailstore } from '../support/mail/shared-mailstore.js';

const settings = `mail_plugins = quota
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=10K
  quota_grace = 0%%
}
`;

const message = Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(70)}\r\n`.repeat(40));

t.test(
  'a mailbox that was full and is emptied takes mail again',
  { skip: unlessDovecot() },
  async (t) => {
    const store = SharedMailstore.make(t, 'ann');
    store.inbox('ann');
    store.giveAway();
    const { mailRoot, passdb } = store;
    const dovecot = await startDovecot(t, { mailRoot, passdb, mailUser: mailOwner, settings });
    const imap = await ImapClient.open(dovecot.imapPort, 'ann@example.org', password);
    for (let count = 0; count < 3; count += 1) await imap.append(message);
    await t.rejects(imap.append(message), /OVERQUOTA/);

    const { client } = await store.openPop3('ann');
    for (const number of [1, 2, 3]) await client.ok(`DELE ${number}`);
    await client.ok('QUIT');
    const lines = readFileSync(join(store.inboxPath('ann'), 'maildirsize'), 'latin1');
    t.match(lines, /^-[0-9]+ -3$/m);

    const later = await ImapClient.open(dovecot.imapPort, 'ann@example.org', password);
    await later.append(message);
    await later.logout();
    const again = await store.openPop3('ann');
    t.match(await again.client.ok('STAT'), /^\+OK 1 /);
  },
);
