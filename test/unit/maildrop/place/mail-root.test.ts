// Which missing INBOX is a new user's, and which may be mail that is not mounted.

import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requireMounted } from '../../../../src/maildrop/place/mail-root.js';
import { nobody } from '../../../support/mail/owned-mail-root.js';
import { unlessRoot } from '../../../support/peers/debian.js';

const inbox = 'example.org/ann/INBOX';

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
  t.doesNotThrow(() => requireMounted('/proc/none/INBOX'));
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
