// UPDATE where files have several names.

import { linkSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeMaildir, OpenMaildrop } from '../../../support/mail/open-maildrop.js';

t.test('another name of the same file goes with it, wherever it came from', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('one\n', { name: '1.x' });
  maildir.add('two\n', { name: '2.x' });
  const inNew = join(maildir.path, 'new', '1.x');
  linkSync(inNew, join(maildir.path, 'cur', '1.x:2,S'));
  const open = await OpenMaildrop.on(maildir.path);
  t.strictSame(await open.numbers(), [1, 2]);
  open.mark(1);
  // A mail program that began to move it.
  linkSync(inNew, join(maildir.path, 'cur', '1.x:2,'));
  const { removed, failures } = await open.maildrop.update();
  t.strictSame([removed.length, failures.length], [1, 0]);
  t.strictSame(readdirSync(join(maildir.path, 'new')), ['2.x']);
  t.strictSame(readdirSync(join(maildir.path, 'cur')), []);
});

t.test('links in a backup, and another message of the same file, stay', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('one\n', { name: '1.x' });
  const file = join(maildir.path, 'new', '1.x');
  const backup = join(maildir.path, '..', 'backup');
  mkdirSync(backup);
  linkSync(file, join(backup, '1.x'));
  linkSync(file, join(maildir.path, 'cur', '2.x:2,'));
  const open = await OpenMaildrop.on(maildir.path);
  open.mark(1);
  t.equal((await open.maildrop.update()).removed.length, 1);
  t.strictSame(readdirSync(join(maildir.path, 'cur')), ['2.x:2,']);
  t.strictSame(readdirSync(backup), ['1.x']);
});
