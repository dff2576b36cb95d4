import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  checkMaildir,
  listMessages,
  placeInNew,
  removeTmp,
  syncDirectory,
  TmpFile,
} from '../../../src/maildir/deliver.js';

function makeMaildir(t: Test): string {
  return t.testdir({ tmp: {}, new: {}, cur: {} });
}

t.test('a message is nowhere to be seen until it is linked, and then whole', async (t) => {
  const maildir = makeMaildir(t);
  const file = TmpFile.create(maildir, 'one');
  file.write(Buffer.from('Subject: x\n'));
  file.write(Buffer.from('\nbody\n'));
  await file.finish();
  t.same(await listMessages(maildir), []);
  placeInNew(maildir, 'link', 'one', 'final');
  await syncDirectory(join(maildir, 'new'));
  removeTmp(maildir, 'one');
  t.same(readdirSync(join(maildir, 'tmp')), []);
  t.same(await listMessages(maildir), ['final']);
  t.equal(readFileSync(join(maildir, 'new/final'), 'utf8'), 'Subject: x\n\nbody\n');
  t.equal(statSync(join(maildir, 'new/final')).mode & 0o777, 0o600);
});

t.test('nothing is replaced, in tmp or in new', (t) => {
  const maildir = t.testdir({ tmp: { taken: 'a', mine: 'b' }, new: { taken: 'c' }, cur: {} });
  t.throws(() => TmpFile.create(maildir, 'taken'), { code: 'EEXIST' });
  t.throws(
    () => {
      placeInNew(maildir, 'link', 'mine', 'taken');
    },
    { code: 'EEXIST' },
  );
  t.equal(readFileSync(join(maildir, 'new/taken'), 'utf8'), 'c');
  t.end();
});

t.test('a symbolic link in tmp is not followed', (t) => {
  const maildir = makeMaildir(t);
  symlinkSync(join(maildir, 'elsewhere'), join(maildir, 'tmp/link'));
  t.throws(() => TmpFile.create(maildir, 'link'));
  t.end();
});

t.test('a discarded file is gone, at any stage and more than once', async (t) => {
  const maildir = makeMaildir(t);
  const open = TmpFile.create(maildir, 'open');
  open.discard();
  open.discard();
  const finished = TmpFile.create(maildir, 'finished');
  await finished.finish();
  finished.discard();
  t.same(readdirSync(join(maildir, 'tmp')), []);
});

t.test('the absence of a tmp file is success', (t) => {
  removeTmp(makeMaildir(t), 'nothing');
  t.end();
});

t.test('messages in new and cur are listed together', async (t) => {
  const maildir = t.testdir({ tmp: {}, new: { b: '' }, cur: { 'a:2,S': '' } });
  t.same(await listMessages(maildir), ['b', 'a:2,S']);
});

t.test('what is no Maildir is named with what it lacks', (t) => {
  const maildir = makeMaildir(t);
  checkMaildir(maildir);
  rmdirSync(join(maildir, 'tmp'));
  const checking = (path: string) => () => {
    checkMaildir(path);
  };
  t.throws(checking(maildir), /no directory tmp/);
  t.throws(checking(join(maildir, 'nowhere')), /no Maildir/);
  mkdirSync(join(maildir, 'tmp'));
  const file = t.testdir({ tmp: 'a file', new: {}, cur: {} });
  t.throws(checking(file), /not a directory/);
  t.end();
});
