// Users who see the mail of the last days only.

import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openMaildirMaildrop } from '../../../../src/maildrop/opened/maildir-maildrop.js';
import { createRecentMaildrops } from '../../../../src/maildrop/view/recent-maildrops.js';
import { MaildirFixture } from '../../../support/mail/maildir-fixture.js';

const day = 86_400;
const now = Math.floor(Date.now() / 1000);

t.test('older messages have no number, and the ids of the others stay what they are', async (t) => {
  const maildir = new MaildirFixture(join(t.testdir({}), 'INBOX'));
  // Without their sizes, which are no part of an id, the first two have one name: the second has another id.
  maildir.add('old\n', { name: `${now - 3 * day}.M1P1.x,S=4`, folder: 'cur' });
  maildir.add('twin\n', { name: `${now - 3 * day}.M1P1.x,S=5`, folder: 'cur' });
  maildir.add('young\n', { name: `${now - day}.M2P1.x` });
  maildir.add('no time\n', { name: 'letter' });
  utimesSync(join(maildir.path, 'new', 'letter'), now - 5 * day, now - 5 * day);
  const recent = createRecentMaildrops();
  const open = async (days: number | null): Promise<string[]> => {
    const options = { marksSeen: false, report: () => undefined, recent, days };
    const maildrop = await openMaildirMaildrop(maildir.path, options);
    await maildrop.assignUniqueIds();
    await maildrop.measureAll();
    await maildrop.close();
    return maildrop.records.map((record) => `${maildrop.nameOf(record)} ${record.uniqueId ?? ''}`);
  };
  const all = await open(null);
  t.equal(all.length, 4);
  t.strictSame(await open(4), all.slice(0, 3));
  t.strictSame(await open(2), all.slice(2, 3));
  t.strictSame(await open(6), all);
  t.strictSame(await open(null), all, 'whoever sees all sees all afterwards');
});
