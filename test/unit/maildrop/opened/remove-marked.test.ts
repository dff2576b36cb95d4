// UPDATE where files have several names.

import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
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

/** Removes the first two of three messages, the second of which another program was quicker with. */
async function removeTwo(
  t: Test,
  putQuota: (path: string) => void,
): Promise<[string, OpenMaildrop]> {
  const maildir = makeMaildir(t);
  maildir.add('four', { name: '1.x' });
  maildir.add('compressed', { name: '2.x,S=100,W=110' });
  maildir.add('gone', { name: '3.x' });
  maildir.add('stays', { name: '4.x' });
  const quota = join(maildir.path, 'maildirsize');
  putQuota(quota);
  const open = await OpenMaildrop.on(maildir.path);
  for (const number of [1, 2, 3]) open.mark(number);
  maildir.remove('new', '3.x');
  t.equal((await open.maildrop.update()).removed.length, 2);
  return [quota, open];
}

t.test('what was removed is taken off maildirsize, in one line', async (t) => {
  const before = '10240S\n119 4\n';
  const [quota, { reported }] = await removeTwo(t, (path) => writeFileSync(path, before));
  t.equal(readFileSync(quota, 'latin1'), `${before}-104 -2\n`);
  t.strictSame(reported, []);
});

t.test('where there is no maildirsize, none is made', async (t) => {
  const [quota, { reported }] = await removeTwo(t, () => undefined);
  t.notOk(existsSync(quota));
  t.strictSame(reported, []);
});

for (const [title, put] of Object.entries({
  'a link': (path: string, other: string) => symlinkSync(other, path),
  'another name of a file': (path: string, other: string) => linkSync(other, path),
  'a directory': (path: string) => mkdirSync(path),
  'a FIFO': (path: string) => spawnSync('mkfifo', [path]),
})) {
  t.test(
    `${title} in the place of maildirsize is not written to, and messages go all the same`,
    async (t) => {
      let other = '';
      const [, { reported }] = await removeTwo(t, (path) => {
        other = join(path, '..', 'other');
        writeFileSync(other, 'untouched');
        put(path, other);
      });
      t.equal(readFileSync(other, 'latin1'), 'untouched');
      t.match(reported, [{ event: 'quota-not-updated', fields: { file: 'maildirsize' } }]);
    },
  );
}

t.test('a UPDATE that removes nothing writes nothing to maildirsize', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('one', { name: '1.x' });
  writeFileSync(join(maildir.path, 'maildirsize'), '10240S\n');
  const open = await OpenMaildrop.on(maildir.path);
  await open.maildrop.update();
  t.equal(readFileSync(join(maildir.path, 'maildirsize'), 'latin1'), '10240S\n');
});
