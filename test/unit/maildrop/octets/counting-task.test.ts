import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  Counting,
  makeCountingTask,
  uncounted,
  type FilePlace,
} from '../../../../src/maildrop/octets/counting-task.js';
import { makeMaildir } from '../../../support/mail/open-maildrop.js';

const letter = 'a: b\n\nx\n'; // 11 octets as sent

function isAllDone(countings: readonly Counting[]): boolean {
  return countings.map((counting) => counting.countNext()).every((goesOn) => !goesOn);
}

function foldersOf(inbox: string): { new: string; cur: string } {
  return { new: `${inbox}/new`, cur: `${inbox}/cur` };
}

t.test('counts each message once, however many share the work', async (t) => {
  const maildir = makeMaildir(t);
  const files = Array.from({ length: 100 }, (_, index): FilePlace => {
    const subdirectory = index % 3 === 0 ? 'new' : 'cur';
    const name = maildir.add(`${letter}${'y'.repeat(index)}`, { folder: subdirectory });
    return { subdirectory, name };
  });
  const task = await makeCountingTask(foldersOf(maildir.path), files);
  const countings = [1, 2, 3].map(() => new Counting(task));
  let rounds = 1;
  while (!isAllDone(countings)) rounds += 1;
  t.strictSame(
    [...task.octets],
    files.map((_, index) => (index === 0 ? 11 : 13 + index)),
  );
  t.ok(rounds < 100, 'they shared it');
});

t.test('names are bytes', async (t) => {
  const maildir = makeMaildir(t);
  const name = maildir.add(letter, { name: '1.\xff\xe4:2,S', folder: 'cur' });
  const task = await makeCountingTask(foldersOf(maildir.path), [{ subdirectory: 'cur', name }]);
  new Counting(task).countNext();
  t.strictSame([...task.octets], [11]);
});

t.test('what is missing, no file, a link or large is left uncounted', async (t) => {
  const maildir = makeMaildir(t);
  const at = (name: string): string => join(maildir.path, 'cur', name);
  maildir.add(letter, { name: 'target', folder: 'cur' });
  symlinkSync('target', at('link'));
  mkdirSync(at('directory'));
  maildir.add('x'.repeat(256 * 1024), { name: 'large', folder: 'cur' });
  maildir.add('x'.repeat(256 * 1024 - 1), { name: 'almost large', folder: 'cur' });
  const names = ['missing', 'link', 'directory', 'large', 'almost large'];
  const files = names.map((name) => ({ subdirectory: 'cur' as const, name }));
  const task = await makeCountingTask(foldersOf(maildir.path), files);
  const counting = new Counting(task);
  while (counting.countNext());
  t.strictSame(
    [...task.octets],
    [uncounted, uncounted, uncounted, uncounted, 256 * 1024 - 1 + 4],
    'the last has neither line end nor header end',
  );
});

t.test('a FIFO in the place of a message is not waited for', async (t) => {
  const maildir = makeMaildir(t);
  execFileSync('mkfifo', [join(maildir.path, 'cur', 'fifo')]);
  maildir.add(letter, { name: 'letter', folder: 'cur' });
  const files = ['fifo', 'letter'].map((name) => ({ subdirectory: 'cur' as const, name }));
  const task = await makeCountingTask(foldersOf(maildir.path), files);
  const counting = new Counting(task);
  while (counting.countNext());
  t.equal(task.octets[1], 11);
});

t.test('no messages are nothing to do', async (t) => {
  const task = await makeCountingTask(foldersOf(t.testdir()), []);
  t.equal(new Counting(task).countNext(), false);
});
