// Scans of a directory: which entries are messages, in batches, and the stamp that tells whether to scan again.

import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { DirectoryStamp, scanDirectory } from '../../../src/maildir/scan.js';
import { poll } from '../../support/suite/deadline.js';

async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  await scanDirectory(directory, (name) => names.push(name));
  return names.sort();
}

function put(directory: string, name: string): void {
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, 'latin1')]), '');
}

t.test('an empty directory has no messages', async (t) => {
  t.strictSame(await namesIn(t.testdir({})), []);
});

t.test('only regular files count, and no names that start with a dot', async (t) => {
  const directory = t.testdir({ message: '', folder: { inside: '' }, '.hidden': '' });
  symlinkSync('message', join(directory, 'link'));
  symlinkSync('nowhere', join(directory, 'dangling'));
  symlinkSync('loop', join(directory, 'loop'));
  symlinkSync('/dev/zero', join(directory, 'device-link'));
  t.equal(spawnSync('mkfifo', [join(directory, 'fifo')]).status, 0);
  // Made where its path is short enough for a socket, and moved.
  const short = mkdtempSync(join(tmpdir(), 'scan-'));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(short, 'socket'), resolve));
  spawnSync('mv', [join(short, 'socket'), directory]);
  t.ok(lstatSync(join(directory, 'socket')).isSocket());
  rmSync(short, { recursive: true });
  const skipped: string[] = [];
  await scanDirectory(
    directory,
    () => undefined,
    (name) => skipped.push(name),
  );
  const others = ['dangling', 'device-link', 'fifo', 'folder', 'link', 'loop', 'socket'];
  t.strictSame(skipped.sort(), others, 'a hidden file is nothing to tell of');
  t.strictSame(await namesIn(directory), ['message']);
  await new Promise((resolve) => server.close(resolve));
});

t.test('names are bytes: 255 of them, line feeds and what is not UTF-8', async (t) => {
  const directory = t.testdir({});
  const names = ['x'.repeat(255), 'a\nb', '\xff\xfe', 'with space', '-dash', ':2,S', 'a:2,ZZZ'];
  for (const name of names) put(directory, name);
  t.strictSame(await namesIn(directory), names.sort());
});

t.test('more entries than a batch come whole, and give way in between', async (t) => {
  const directory = t.testdir({});
  for (let count = 0; count < 2000; count += 1) put(directory, `m${count}`);
  let turns = 0;
  const count = setInterval(() => (turns += 1), 0);
  const names: string[] = [];
  const scan = scanDirectory(directory, (name) => names.push(name));
  t.ok(scan instanceof Promise);
  t.ok(names.length < 2000, 'not in one go');
  await scan;
  clearInterval(count);
  t.equal(new Set(names).size, 2000);
});

t.test('a directory that is missing, a file or unreadable throws its error', (t) => {
  const directory = t.testdir({ file: '' });
  t.throws(() => scanDirectory(join(directory, 'nothing'), () => undefined), { code: 'ENOENT' });
  t.throws(() => scanDirectory(join(directory, 'file'), () => undefined), { code: 'ENOTDIR' });
  t.end();
});

t.test('a visitor that throws ends the scan with its error', (t) => {
  const directory = t.testdir({ one: '', two: '' });
  t.throws(() => {
    return scanDirectory(directory, () => {
      throw new Error('enough');
    });
  }, /enough/);
  t.end();
});

/** A directory whose stamp is old, so that it stands from the second look on. */
function oldDirectory(t: Test): string {
  const directory = t.testdir({ box: { one: '' } });
  return join(directory, 'box');
}

/** Asks until the stamp stands still; ctime cannot be set back, so the clock must move on a little. */
async function settle(stamp: DirectoryStamp): Promise<void> {
  await poll('the stamp does not settle', () =>
    Promise.resolve(stamp.hasChanged() ? undefined : true),
  );
}

t.test('a stamp tells of a new, a removed and a renamed file', async (t) => {
  const directory = oldDirectory(t);
  const stamp = new DirectoryStamp(directory);
  t.ok(stamp.hasChanged(), 'the first time');
  await settle(stamp);
  put(directory, 'two');
  t.ok(stamp.hasChanged(), 'a new file');
  await settle(stamp);
  unlinkSync(join(directory, 'two'));
  t.ok(stamp.hasChanged(), 'a removed file');
  await settle(stamp);
  mkdirSync(join(directory, 'folder'));
  t.ok(stamp.hasChanged(), 'a new directory');
});

t.test('a stamp is not trusted within the grain of the clock', (t) => {
  const directory = oldDirectory(t);
  put(directory, 'two');
  const stamp = new DirectoryStamp(directory);
  t.ok(stamp.hasChanged());
  t.ok(stamp.hasChanged(), 'another change in the same tick would look the same');
  t.end();
});

t.test('stamps in the past and in the future settle too', async (t) => {
  for (const seconds of [0, 2_000_000_000, 4_000_000_000]) {
    const directory = oldDirectory(t);
    utimesSync(directory, seconds + 0.5, seconds + 0.5);
    const stamp = new DirectoryStamp(directory);
    t.ok(stamp.hasChanged());
    await settle(stamp);
    put(directory, 'two');
    t.ok(stamp.hasChanged(), `a change after ${seconds}`);
  }
});

t.test('a stamp of a directory that is gone throws', (t) => {
  t.throws(() => new DirectoryStamp(join(t.testdir({}), 'nothing')).hasChanged(), {
    code: 'ENOENT',
  });
  t.end();
});
