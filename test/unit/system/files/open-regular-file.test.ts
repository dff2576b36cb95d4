import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  linkSync,
  mkdtempSync,
  readSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import {
  tryOpenRegularFile,
  tryReadRegularFile,
} from '../../../../src/system/files/open-regular-file.js';

t.test('a regular file is opened; where there is none, that is no error', (t) => {
  const root = t.testdir({ a: 'text' });
  const opened = tryOpenRegularFile(join(root, 'a'), { flags: constants.O_RDWR });
  if (opened === null) throw new Error('not opened');
  t.equal(opened.stats.size, 4n);
  t.equal(writeSync(opened.fd, 'T', 0), 1);
  closeSync(opened.fd);
  t.equal(tryReadRegularFile(join(root, 'a'), { maxBytes: 4 })?.toString(), 'Text');
  t.equal(tryOpenRegularFile(join(root, 'none')), null);
  t.equal(tryReadRegularFile(join(root, 'none'), { maxBytes: 4 }), null);
  t.throws(() => tryOpenRegularFile(join(root, 'a/b')), { code: 'ENOTDIR' });
  t.end();
});

t.test('whatever else is in its place is named, and nobody waits for it', async (t) => {
  const root = t.testdir({ folder: {}, a: 'text' });
  execFileSync('mkfifo', [join(root, 'fifo')]);
  symlinkSync('a', join(root, 'link'));
  symlinkSync('loop', join(root, 'loop'));
  // The path of a socket has a hundred characters at most.
  const short = mkdtempSync(join(tmpdir(), 'socket-'));
  t.teardown(() => rmSync(short, { recursive: true }));
  const server = createServer().listen(join(short, 'socket'));
  t.teardown(() => server.close());
  await once(server, 'listening');
  symlinkSync(join(short, 'socket'), join(root, 'link-to-socket'));
  const wrong = {
    folder: 'a directory',
    fifo: 'a FIFO, socket or device',
    [join(short, 'socket')]: 'a FIFO, socket or device',
    'link-to-socket': 'a symbolic link',
    link: 'a symbolic link',
    loop: 'a symbolic link',
  };
  for (const flags of [constants.O_RDONLY, constants.O_WRONLY, constants.O_RDWR]) {
    for (const [name, what] of Object.entries(wrong)) {
      t.throws(() => tryOpenRegularFile(resolve(root, name), { flags }), {
        name: 'NotRegularFile',
        what,
      });
    }
  }
  t.throws(() => tryOpenRegularFile('/dev/zero'), {
    message: 'is a FIFO, socket or device, not a regular file',
  });
});

t.test('a link is followed where the caller wants it', (t) => {
  const root = t.testdir({ a: 'text' });
  symlinkSync('a', join(root, 'link'));
  symlinkSync('loop', join(root, 'loop'));
  linkSync(join(root, 'a'), join(root, 'hard'));
  const options = { maxBytes: 10, followsLinks: true };
  t.equal(tryReadRegularFile(join(root, 'link'), options)?.toString(), 'text');
  t.equal(tryReadRegularFile(join(root, 'hard'), { maxBytes: 10 })?.toString(), 'text');
  t.throws(() => tryReadRegularFile(join(root, 'loop'), options), { code: 'ELOOP' });
  t.end();
});

t.test('a file is read up to the limit, also where its size says 0', (t) => {
  const root = t.testdir({ a: 'x'.repeat(70_000) });
  t.equal(tryReadRegularFile(join(root, 'a'), { maxBytes: 70_000 })?.length, 70_000);
  t.throws(() => tryReadRegularFile(join(root, 'a'), { maxBytes: 69_999 }), {
    name: 'FileTooLarge',
    message: 'has more than 69999 bytes',
  });
  const options = { maxBytes: 1 << 20 };
  t.match(tryReadRegularFile('/proc/self/status', options)?.toString(), /^Name:.*\nvoluntary/ms);
  t.throws(() => tryReadRegularFile('/proc/self/status', { maxBytes: 10 }), {
    name: 'FileTooLarge',
  });
  t.end();
});

t.test('the descriptor is at the start of the file', (t) => {
  const opened = tryOpenRegularFile(join(t.testdir({ a: 'text' }), 'a'));
  if (opened === null) throw new Error('not opened');
  const bytes = Buffer.alloc(4);
  t.equal(readSync(opened.fd, bytes), 4);
  t.equal(bytes.toString(), 'text');
  closeSync(opened.fd);
  t.end();
});
