import { renameSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MaildirFolders } from '../../../../src/maildrop/place/maildir-folders.js';
import { MaildirStamps } from '../../../../src/maildrop/view/maildir-stamps.js';
import { scanForOpening, type FoundFiles } from '../../../../src/maildrop/view/opening-scan.js';
import { makeMaildir } from '../../../support/mail/open-maildrop.js';

/** Where each message is: of several places the last one counts. */
function placesIn({ names, subdirectories }: FoundFiles): string[] {
  const places = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    places.set(name.replace(/:.*/, ''), `${subdirectories[index] ?? ''}/${name}`);
  }
  return [...places.values()].sort();
}

t.test('finds the files of new and cur', async (t) => {
  const maildir = makeMaildir(t);
  maildir.add('x', { name: '1.a', folder: 'new' });
  maildir.add('x', { name: '2.b:2,S', folder: 'cur' });
  maildir.add('x', { name: '3.c', folder: 'tmp' });
  const found = await scanForOpening(
    new MaildirFolders(maildir.path),
    MaildirStamps.of(maildir.path),
  );
  t.strictSame(placesIn(found), ['cur/2.b:2,S', 'new/1.a']);
});

t.test('files that are renamed while it scans are found where they are at last', async (t) => {
  const maildir = makeMaildir(t);
  // More than is read in one turn, so that there is a time in between.
  const count = 3000;
  const names = Array.from({ length: count }, (_, serial) =>
    maildir.add('x', { name: `${serial}.host`, folder: 'new' }),
  );
  const scan = scanForOpening(new MaildirFolders(maildir.path), MaildirStamps.of(maildir.path));
  for (const name of names) {
    renameSync(join(maildir.path, 'new', name), join(maildir.path, 'cur', `${name}:2,S`));
  }
  t.strictSame(placesIn(await scan), names.map((name) => `cur/${name}:2,S`).sort());
});

t.test('a directory that is missing is an error that says so', async (t) => {
  const inbox = t.testdir({ new: {} });
  const maildir = makeMaildir(t);
  await t.rejects(scanForOpening(new MaildirFolders(inbox), MaildirStamps.of(maildir.path)), {
    code: 'ENOENT',
  });
});
