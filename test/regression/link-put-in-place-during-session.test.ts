// A folder of a Maildir was replaced by a link to another user's while a session was open: RETR sent that user's mail
// and QUIT removed it.

import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Maildrop } from '../../src/maildrop/messages/maildrop.js';
import { openMaildirMaildrop } from '../../src/maildrop/opened/maildir-maildrop.js';
import { createRecentMaildrops } from '../../src/maildrop/view/recent-maildrops.js';
import { poll } from '../support/suite/deadline.js';
import { MaildirFixture } from '../support/mail/maildir-fixture.js';

const name = '1700000000.M1P1.host';

/** Reads as RETR does. @returns the file's content; null when it cannot be had */
async function tryRead(maildrop: Maildrop): Promise<string | null> {
  const [record] = maildrop.records;
  if (record === undefined) throw new Error('no message');
  try {
    const file = await maildrop.open(record);
    if (file === null) return null;
    const buffer = Buffer.alloc(1000);
    const length = file.read(buffer);
    file.close();
    return buffer.toString('latin1', 0, length);
  } catch {
    return null;
  }
}

/** An INBOX whose message has the same name as one of somebody else's. */
function inboxes(t: Test): { own: MaildirFixture; other: MaildirFixture; swap: () => void }[] {
  const root = t.testdir({});
  return (['INBOX', 'new'] as const).map((what) => {
    const folder = join(root, what);
    const own = new MaildirFixture(join(folder, 'ann', 'INBOX'));
    const other = new MaildirFixture(join(folder, 'bert', 'INBOX'));
    own.add('own\n', { name });
    other.add('secret of bert\n', { name });
    const [from, to] =
      what === 'INBOX' ? [own.path, other.path] : [join(own.path, what), join(other.path, what)];
    const swap = (): void => {
      renameSync(from, join(folder, 'aside'));
      symlinkSync(to, from);
    };
    return { own, other, swap };
  });
}

for (const when of ['after the login', 'after a message was read'] as const) {
  t.test(`a link put in place ${when} gives nothing of another away`, async (t) => {
    for (const { own, other, swap } of inboxes(t)) {
      const recent = createRecentMaildrops();
      const options = { marksSeen: true, recent, report: () => undefined };
      // So that the session begins with a remembered list, and has looked into no directory.
      await poll('the list is remembered', async () => {
        await (await openMaildirMaildrop(own.path, options)).close();
        return recent.has(own.path) ? true : undefined;
      });
      const maildrop = await openMaildirMaildrop(own.path, options);
      if (when === 'after a message was read') t.equal(await tryRead(maildrop), 'own\n');
      swap();
      t.not(await tryRead(maildrop), 'secret of bert\n');
      await t.rejects(async () => maildrop.refresh(), /is a symbolic link/);
      for (const record of maildrop.records) {
        maildrop.noteRetrieved(record);
        record.status = 'marked';
      }
      const { removed, failures } = await maildrop.update();
      t.equal(removed.length, 0);
      t.equal(failures.length, 1);
      await maildrop.close();
      t.strictSame(other.names('new'), [name], 'what is not hers stays, and keeps its name');
    }
  });
}
