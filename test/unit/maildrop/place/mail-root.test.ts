// Which missing INBOX is a new user's, and which may be mail that is not mounted.

import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requireMounted } from '../../../../src/maildrop/place/mail-root.js';
import type { Place } from '../../../../src/maildrop/place/place.js';
import { nobody } from '../../../support/mail/owned-mail-root.js';
import { unlessRoot } from '../../../support/peers/debian.js';

const inbox = { path: 'example.org/ann/INBOX', own: 'example.org/ann', root: '.' };

for (const entries of [[], ['lost+found'], ['.keep', '.snapshot']]) {
  t.test(`a mail root with ${entries.join(' and ') || 'nothing'} in it may not be mounted`, (t) => {
    process.chdir(t.testdir({}));
    for (const entry of entries) mkdirSync(entry);
    t.throws(
      () => requireMounted(inbox),
      /the mail root is empty.*make the directory example.org\/ann/,
    );
    t.end();
  });
}

t.test('a mail root with anything else in it has no mail of a new user', (t) => {
  for (const entry of ['example.com', 'passdb.sqlite']) {
    process.chdir(t.testdir({ [entry]: {} }));
    t.doesNotThrow(() => requireMounted(inbox), entry);
  }
  t.end();
});

t.test("the user's own directory says that no mail has come, however empty it is", (t) => {
  process.chdir(t.testdir({ 'example.org': { ann: {} } }));
  t.doesNotThrow(() => requireMounted(inbox));
  t.end();
});

t.test('a mount point that has a file system is as empty as it looks', (t) => {
  // Nobody is `proc`; what matters is that it is another file system than what is above it.
  t.doesNotThrow(() =>
    requireMounted({ path: '/proc/none/INBOX', own: '/proc/none', root: '/proc' }),
  );
  t.end();
});

t.test(
  "an empty directory of root's below the mail root may be a mount point; another owner's is not",
  { skip: unlessRoot() },
  (t) => {
    process.chdir(t.testdir({ 'example.org': {} }));
    t.throws(() => requireMounted(inbox), /example.org is empty/);
    chownSync('example.org', nobody, nobody);
    t.doesNotThrow(() => requireMounted(inbox));
    chownSync('example.org', 0, 0);
    writeFileSync(join('example.org', 'bert'), '');
    t.doesNotThrow(() => requireMounted(inbox));
    t.end();
  },
);

t.test('what cannot be looked at is no new user', (t) => {
  process.chdir(t.testdir({ 'example.org': '' }));
  t.throws(() => requireMounted(inbox), { code: 'ENOTDIR' });
  t.end();
});

t.test(
  'a layout without a directory above the Maildir has none that says no mail has come',
  (t) => {
    const place = { path: 'example.org/ann', own: 'example.org/ann', root: '.' };
    process.chdir(t.testdir({ 'example.org': {} }));
    t.throws(() => requireMounted(place), /example.org is empty.*make the directory example.org$/);
    mkdirSync('example.org/bert');
    t.doesNotThrow(() => requireMounted(place));
    t.end();
  },
);

t.test('an absolute root may not be empty, whoever owns it', { skip: unlessRoot() }, (t) => {
  const root = join(t.testdir({ vmail: {} }), 'vmail');
  chownSync(root, nobody, nobody);
  const place = (path: string): Place => ({ path: join(root, path), own: join(root, path), root });
  t.throws(() => requireMounted(place('example.org/ann')), /vmail is empty/);
  mkdirSync(join(root, 'example.org'));
  chownSync(join(root, 'example.org'), nobody, nobody);
  t.doesNotThrow(() => requireMounted(place('example.org/ann')));
  t.end();
});

t.test('an absolute root that is not there is no empty maildrop', (t) => {
  const place = { path: '/nonexistent/org/ann', own: '/nonexistent/org/ann', root: '/nonexistent' };
  t.throws(() => requireMounted(place), /there is no \/nonexistent/);
  t.end();
});
