// One odd entry at a time beside two good messages: these are served, and the entry stays as it is. Other servers refuse the
// maildrop, or hang, over about half of them.

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MaildirFixture } from '../support/mail/maildir-fixture.js';
import { oddEntries, putEntry } from '../support/mail/odd-entries.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { retrieveAll } from '../support/mail/retrieve-all.js';
import { startSessionServer } from '../support/programs/session-server.js';
import { connectWireClient } from '../support/sessions/wire-client.js';

const goodSent = ['Subject: one\r\n\r\none\r\n', 'Subject: two\r\n\r\n.two\r\n'];

/** A FIFO would be waited for without end; on a busy machine a login takes its time. */
const loginMs = 5000;

for (const entry of oddEntries) {
  for (const folder of ['new', 'cur'] as const) {
    t.test(
      `${entry.title} in ${folder} costs no login and no other message`,
      { skip: entry.skip ?? false },
      async (t) => {
        const directory = t.testdir({});
        const passdb = join(directory, 'passdb.sqlite');
        makePasswordDatabase(passdb, { 'ann@example.org': 'open sesame' });
        const inbox = new MaildirFixture(join(directory, 'INBOX'));
        inbox.add('Subject: one\n\none\n');
        inbox.add('Subject: two\n\n.two\n');
        const path = putEntry(inbox, folder, entry);
        const before = lstatSync(path).ino;
        const security = { tls: null, isImplicit: false, allowsCleartext: true };
        const port = await startSessionServer(t, { security, passdb, inbox: inbox.path });
        const client = await connectWireClient(port);
        const startedMs = performance.now();
        await client.login('ann@example.org', 'open sesame');
        t.ok(performance.now() - startedMs < loginMs, 'the login is not held up');
        const expected = entry.sent === null ? goodSent : [...goodSent, entry.sent];
        t.strictSame((await retrieveAll(t, client)).sort(), [...expected].sort());
        await client.ok('DELE 1');
        await client.ok('RSET');
        await client.ok('QUIT');
        await client.rest();
        client.end();
        t.equal(lstatSync(path).ino, before, 'it is left where it was');
      },
    );
  }
}
