// What a kept worker tells clients while Dovecot's auth service hangs, is stopped, is killed and comes back.

import { mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { isDecided, isHonest, LoginStream } from '../support/accounts/login-stream.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import { startDovecotAuth } from '../support/peers/dovecot-auth.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { poll } from '../support/suite/deadline.js';
import { testFolder } from '../support/suite/test-folder.js';

t.setTimeout(600_000);

/** The contract's 5 s, and what a loaded machine adds. */
const longestMs = 12_000;
const patienceMs = 60_000;

t.test(
  "Dovecot's auth service hanging, stopped, killed and back: no untrue answer, none late, nothing grows",
  { skip: unlessInstalled('dovecot') || unlessRoot() },
  async (t) => {
    const users = join(
      testFolder(t, { users: 'ann@example.org:{PLAIN}secret:65534:65534::/srv/ann\n' }),
      'users',
    );
    const dovecot = await startDovecotAuth(
      t,
      ['passdb', 'userdb']
        .map((block) => `${block} {\n  driver = passwd-file\n  args = ${users}\n}\n`)
        .join(''),
    );
    const mailRoot = mkdtempSync(join(tmpdir(), 'dovecot-outages-'));
    t.teardown(() => rm(mailRoot, { recursive: true, force: true }));
    makeInbox(mailRoot, 'ann@example.org');
    const { port, program } = await startMailServer(t, mailRoot, {
      env: { PASSDB: `dovecot:${dovecot.directory}`, FAILURE_DELAY: '0' },
      args: ['--workers', '1', '--per-source', '2000', '--concurrency', '2000', '--backlog=2000'],
    });
    const [, worker] = await program.logLine(/: worker pid=([0-9]+)/);
    const descriptors = (): number => readdirSync(`/proc/${String(worker)}/fd`).length;
    const stream = new LoginStream(port);
    t.teardown(() => stream.end());
    await stream.decides('before anything happens', 20);
    const atFirst = descriptors();

    dovecot.freeze();
    t.notOk((await stream.next(60)).some(isDecided), 'hanging: nothing is made up');
    dovecot.thaw();
    await stream.decides('after it went on');
    await dovecot.stop();
    await poll('its last child ends', async () =>
      (await stream.next(5)).some(isDecided) ? undefined : true,
    );
    t.notOk((await stream.next(60)).some(isDecided), 'stopped: nothing is made up');
    await dovecot.start();
    await stream.decides('after it was started');
    await dovecot.kill();
    t.notOk((await stream.next(60)).some(isDecided), 'killed: nothing is made up');
    await dovecot.start();
    await stream.decides('after it was started again', 20);

    await stream.end();
    const { answers, faults, ownDelayMs } = stream;
    t.same(faults, [], 'every login got an answer');
    t.same(
      answers.filter((answer) => !isHonest(answer)),
      [],
      'no answer was untrue',
    );
    const latest = Math.max(...answers.map(({ tookMs }) => tookMs));
    t.ok(
      latest < longestMs + ownDelayMs,
      `of ${answers.length} the latest answer came after ${latest.toFixed(0)} ms`,
    );
    await poll(
      'descriptors as at first',
      () => Promise.resolve(descriptors() <= atFirst + 2 ? true : undefined),
      patienceMs,
    );
  },
);
