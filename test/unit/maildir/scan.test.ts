// Scans of a directory: which entries are messages, in batches.

import { lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { scanDirectory, type PathOf } from '../../../src/maildir/scan.js';

function within(directory: string): PathOf {
  return (name) => Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, 'latin1')]);
}

async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  await scanDirectory(within(directory), (name) => names.push(name));
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
    within(directory),
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
  const scan = scanDirectory(within(directory), (name) => names.push(name));
  t.ok(scan instanceof Promise);
  t.ok(names.length < 2000, 'not in one go');
  await scan;
  clearInterval(count);
  t.equal(new Set(names).size, 2000);
});

t.test('a directory that is missing, a file or unreadable throws its error', (t) => {
  const directory = t.testdir({ file: '' });
  t.throws(() => scanDirectory(within(join(directory, 'nothing')), () => undefined), {
    code: 'ENOENT',
  });
  t.throws(() => scanDirectory(within(join(directory, 'file')), () => undefined), {
    code: 'ENOTDIR',
  });
  t.end();
});

t.test('a visitor that throws ends the scan with its error', (t) => {
  const directory = t.testdir({ one: '', two: '' });
  t.throws(() => {
    return scanDirectory(within(directory), () => {
      throw new Error('enough');
    });
  }, /enough/);
  t.end();
});
