// Paths in a Maildir that no link can lead astray.

import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MaildirFolders, type Folder } from '../../../../src/maildrop/place/maildir-folders.js';
import { MaildirFixture } from '../../../support/mail/maildir-fixture.js';

const folders = ['.', 'new', 'cur', 'tmp'] as const;

function two(t: Test): { own: MaildirFixture; other: MaildirFixture } {
  const folder = t.testdir({});
  const [own, other] = ['own', 'other'].map((name) => new MaildirFixture(join(folder, name)));
  if (own === undefined || other === undefined) throw new Error('no Maildirs');
  return { own, other };
}

/** Moves a folder of a Maildir away and puts a link to another's in its place. */
function swap(from: MaildirFixture, to: MaildirFixture, folder: Folder): void {
  renameSync(join(from.path, folder), join(from.path, '..', 'aside'));
  symlinkSync(join(to.path, folder), join(from.path, folder));
}

t.test('a path leads to the entry of a folder', (t) => {
  const { own } = two(t);
  own.add('one', { name: 'message' });
  const inbox = new MaildirFolders(own.path);
  t.equal(readFileSync(inbox.pathOf('new', 'message'), 'latin1'), 'one');
  t.strictSame(readdirSync(inbox.pathOf('cur', '')), []);
  inbox.release();
  t.end();
});

for (const folder of folders) {
  t.test(
    `a link in the place of ${folder} is refused, or not followed by who was there before`,
    (t) => {
      const { own, other } = two(t);
      other.add('secret', { name: 'message', folder: folder === '.' ? 'new' : folder });
      const inbox = new MaildirFolders(own.path);
      inbox.pathOf(folder, '');
      swap(own, other, folder);
      t.notOk(readdirSync(inbox.pathOf(folder, '')).includes('message'));
      inbox.release();
      t.throws(() => inbox.pathOf(folder, 'message'), /is a symbolic link/);
      t.end();
    },
  );
}

t.test('a link in the place of INBOX is refused for each of its folders', (t) => {
  const { own, other } = two(t);
  swap(own, other, '.');
  for (const folder of folders) {
    t.throws(() => new MaildirFolders(own.path).pathOf(folder, 'x'), /is a symbolic link/);
  }
  t.end();
});

t.test('what is missing or no directory is an error that says so', (t) => {
  const folder = t.testdir({ own: { new: '', cur: {} } });
  const inbox = new MaildirFolders(join(folder, 'own'));
  t.throws(() => inbox.pathOf('new', 'x'), /new is not a directory/);
  t.throws(() => inbox.pathOf('tmp', 'x'), { code: 'ENOENT' });
  t.throws(() => new MaildirFolders(join(folder, 'none')).pathOf('.', ''), { code: 'ENOENT' });
  t.end();
});

t.test('work that waits keeps its folders, and gives them back', async (t) => {
  const { own, other } = two(t);
  const before = readdirSync('/proc/self/fd').length;
  await new MaildirFolders(own.path).whileOpen(['.', 'tmp'], async (inbox, tmp) => {
    swap(own, other, 'tmp');
    await Promise.resolve();
    mkdirSync(`${tmp}/made`);
    t.ok(readdirSync(inbox).includes('tmp'));
  });
  t.strictSame(other.names('tmp'), []);
  t.equal(readdirSync('/proc/self/fd').length, before);
});

t.test('however many Maildirs are in use, few directories are open', (t) => {
  const before = readdirSync('/proc/self/fd').length;
  const folder = t.testdir({});
  const all = Array.from({ length: 40 }, (_, serial) => {
    const { path } = new MaildirFixture(join(folder, String(serial)));
    return new MaildirFolders(path);
  });
  for (const inbox of all) for (const folder of folders) inbox.pathOf(folder, '');
  t.ok(readdirSync('/proc/self/fd').length - before <= 32);
  for (const inbox of all) inbox.release();
  t.ok(readdirSync('/proc/self/fd').length <= before);
  t.end();
});
