import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MessageFileOpener } from '../../../../src/maildrop/view/open-message-file.js';

t.test('opens a file, and what is not there is null', (t) => {
  const folder = t.testdir({ message: 'x' });
  const opener = new MessageFileOpener();
  const fd = opener.tryOpen(Buffer.from(join(folder, 'message')));
  if (fd === null) throw new Error('not opened');
  t.equal(fstatSync(fd).size, 1);
  closeSync(fd);
  t.equal(opener.tryOpen(Buffer.from(join(folder, 'other'))), null);
  t.end();
});

t.test('follows no link, and waits for no writer of a FIFO', (t) => {
  const folder = t.testdir({});
  const opener = new MessageFileOpener();
  writeFileSync(join(folder, 'target'), 'x');
  symlinkSync('target', join(folder, 'link'));
  t.throws(() => opener.tryOpen(Buffer.from(join(folder, 'link'))), { code: 'ELOOP' });
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  const fd = opener.tryOpen(Buffer.from(join(folder, 'fifo')));
  t.ok(fd !== null, 'who opened it will see what it is');
  if (fd !== null) closeSync(fd);
  t.end();
});

t.test("another's file is opened too, though its access time may not be spared", (t) => {
  const opener = new MessageFileOpener();
  for (let round = 0; round < 2; round += 1) {
    const fd = opener.tryOpen(Buffer.from('/etc/passwd'));
    t.ok(fd !== null);
    if (fd !== null) closeSync(fd);
  }
  t.end();
});
