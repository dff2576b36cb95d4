// A clock that was ahead of the file server's, and a file system that keeps whole seconds: mail that arrived within the
// second of the last look stayed hidden from later sessions of a kept worker.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { unlessMountable } from '../support/mail/small-file-system.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { builtProgram } from '../support/programs/run-program.js';
import { startTcpsrun } from '../support/programs/tcpsrun-fixture.js';
import { connectWireClient } from '../support/sessions/wire-client.js';
import { poll } from '../support/suite/deadline.js';

const address = 'ann@example.org';
const trials = 8;

/** For tap's `skip` option. */
function unlessWholeSeconds(): string | false {
  return unlessInstalled('faketime', 'mke2fs') || unlessMountable();
}

/** Debian has a folder for each architecture. */
function findLibrary(): string | undefined {
  return readdirSync('/usr/lib')
    .map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`)
    .find((path) => existsSync(path));
}

/** A file system whose time stamps are whole seconds: ext4 with inodes of 128 bytes. */
function mountWholeSeconds(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'pop3-seconds-'));
  const image = join(folder, 'image');
  const path = join(folder, 'mounted');
  writeFileSync(image, '');
  truncateSync(image, 8 * 1024 * 1024);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-I', '128', image], { stdio: 'ignore' });
  mkdirSync(path);
  chmodSync(folder, 0o755);
  execFileSync('mount', ['-o', 'loop', image, path]);
  t.teardown(() => {
    execFileSync('umount', [path]);
    rmSync(folder, { recursive: true });
  });
  const probe = join(path, 'probe');
  writeFileSync(probe, '');
  t.equal(statSync(probe, { bigint: true }).mtimeNs % 1_000_000_000n, 0n, 'whole seconds');
  return path;
}

for (const offset of ['+5s', '-60s']) {
  t.test(
    `with a clock at ${offset}, new mail is seen`,
    { skip: unlessWholeSeconds() },
    async (t) => {
      const mailRoot = mountWholeSeconds(t);
      const { program, port } = await startTcpsrun(t, {
        runFile: [
          `chdir ${mailRoot}`,
          'program /usr/bin/env',
          ...[
            'env',
            // In the run file, because tcpsrun passes no LD_PRELOAD on.
            `LD_PRELOAD=${findLibrary() ?? ''}`,
            `FAKETIME=${offset}`,
            'FAKETIME_DONT_FAKE_MONOTONIC=1',
            'NO_FAKE_STAT=1',
            ...[process.execPath, builtProgram('pop3d'), '--passdb', '%PASSDB%', '%3'],
          ].map((word) => `argument ${word}`),
        ].join('\n'),
        options: ['--workers', '1'],
        env: { PASSDB: join(mailRoot, 'passdb.sqlite') },
      });
      makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { [address]: 'open sesame' });
      const inbox = makeInbox(mailRoot, address);
      const [, pid = ''] = await program.logLine(/worker pid=([0-9]+)/);
      t.match(readFileSync(`/proc/${pid}/environ`, 'latin1'), /libfaketime/, 'the worker too');
      const count = async (): Promise<number> => {
        const client = await connectWireClient(port);
        await client.login(address, 'open sesame');
        const [, messages] = (await client.ok('STAT')).split(' ');
        await client.ok('QUIT');
        client.end();
        return Number(messages);
      };
      for (let trial = 0; trial < trials; trial += 1) {
        // Both deliveries have to come within one second of the file system's.
        await poll('the start of a second', () => {
          return Promise.resolve(Date.now() % 1000 < 200 ? true : undefined);
        });
        inbox.add('one\n');
        const before = await count();
        inbox.add('two\n');
        t.equal(await count(), before + 1, `trial ${trial}: at once`);
        t.equal(await count(), before + 1, `trial ${trial}: again`);
      }
    },
  );
}
